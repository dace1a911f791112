"""Results as text, JSON, tables, subtitles and ELAN files, for stdout and for files.

Everything that these functions return ends in a newline (or is empty), so that it is written and not printed.
"""

from __future__ import annotations

import csv
import glob
import io
import json
import math
import mimetypes
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from signary.errors import InputError
from signary.output import whole_file
from signary.text.recognition import Alternative, Failure, Recognition, Token

FORMATS: Mapping[str, str] = MappingProxyType(
    {"text": ".txt", "json": ".json", "jsonl": ".jsonl", "csv": ".csv", "srt": ".srt", "vtt": ".vtt", "eaf": ".eaf"}
)
CSV_COLUMNS = ("source", "text", "start_s", "end_s", "confidence", "alternatives", "task", "model", "error")
STILL_MS = 1000

_EAF = {
    "AUTHOR": "Signary",
    "FORMAT": "3.0",
    "VERSION": "3.0",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}

Result = Recognition | Failure


def to_dict(result: Result) -> dict[str, Any]:
    """Return a result as ``--format json`` has it.

    Times are rounded to milliseconds, confidences and rates to four digits; a number that is not finite is None.

    Parameters
    ----------
    result : Recognition or Failure

    Returns
    -------
    dict
        ``source``, ``model``, ``task``, ``text``, ``confidence``, ``tokens``, ``frames``, ``fps``, ``hand_rate``,
        ``elapsed_s`` and ``warnings``; of a failure ``source`` and ``error`` (``type``, ``message``, ``hint``).
    """
    if isinstance(result, Failure):
        error = {"type": result.type, "message": result.message, "hint": result.hint}
        return {"source": result.source, "error": error}
    return {
        "source": result.source,
        "model": result.model,
        "task": result.task,
        "text": result.text,
        "confidence": _number(result.confidence, 4),
        "tokens": [_token_dict(token) for token in result.tokens],
        "frames": int(result.frames),
        "fps": _number(result.fps, 3),
        "hand_rate": _number(result.hand_rate, 4),
        "elapsed_s": _number(result.elapsed_s, 3),
        "warnings": list(result.warnings),
    }


def format_results(results: Sequence[Result], format: str) -> str:
    """Write results out in one of `FORMATS`, for stdout.

    ========  =======================================================================================================
    text      the text alone; of several sources ``source: text``, one line each
    json      an object; of several sources an array
    jsonl     one object a line
    csv       a header and one row a token; a source without tokens has one row, a failed one its ``error``
    srt, vtt  one cue a token; a photo's lasts a second. Of several sources each keeps its own times, from 0: srt
              numbers its cues on and puts ``source: `` before each text, vtt names the source in a NOTE
    eaf       an ELAN 3.0 document with one tier; of several sources one tier and one media file each
    ========  =======================================================================================================

    Failures have no place in text, srt, vtt and eaf: name them on stderr.

    Parameters
    ----------
    results : sequence of Recognition or Failure
    format : str

    Returns
    -------
    str
        Ends in a newline, unless there is nothing to say. Characters that UTF-8 has no bytes for (in names of files
        that are not UTF-8) are written ``\\udcXX``, which JSON reads back.

    Raises
    ------
    InputError
        If there is no such format; the known ones are listed.
    """
    _ending(format)
    return _WRITERS[format](results).encode("utf-8", "backslashreplace").decode("utf-8")


def write_result(result: Recognition, path: Path, format: str, *, force: bool = False) -> Path:
    """Write one result into a file, whole or not at all; folders above it are made.

    Parameters
    ----------
    result : Recognition
    path : Path
        Best from `output_path`.
    format : str
        One of `FORMATS`.
    force : bool
        Write over an existing file.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InputError
        If there is no such format, the file exists and ``force`` is false, or it cannot be written.
    """
    content = format_results([result], format)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, force=force) as draft:
            draft.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})", hint="name another folder with -o") from error
    return path


def output_path(folder: Path, source: str, format: str, root: str | None = None) -> Path:
    """Return where the result of a source goes: under ``folder``, with the source's relative path and whole name.

    Parameters
    ----------
    folder : Path
    source : str
        A path, ``-`` for stdin or a camera's number.
    format : str
        One of `FORMATS`.
    root : str, optional
        The folder or pattern that the user named and ``source`` was found by; the path is kept from there on. Without
        it, or where ``source`` lies elsewhere, the whole path is kept, less its root and leading ``..``.

    Raises
    ------
    InputError
        If there is no such format.

    Examples
    --------
    >>> output_path(Path("out"), "photos/B/1.jpg", "srt", root="photos").as_posix()
    'out/B/1.jpg.srt'
    >>> output_path(Path("out"), "-", "json").as_posix()
    'out/stdin.json'
    """
    ending = _ending(format)
    if source == "-":
        return folder / f"stdin{ending}"
    if (camera := re.fullmatch(r"(?:camera[ :-])?(\d{1,9})", source)) and not Path(source).exists():
        return folder / f"camera-{camera[1]}{ending}"
    *above, name = _relative_parts(source, root) or [Path(source).absolute().resolve().name or "source"]
    return folder.joinpath(*above, f"{name}{ending}")


def _relative_parts(source: str, root: str | None) -> list[str]:
    path = Path(os.path.normpath(source))
    if root is not None:
        base, full = (Path(os.path.normpath(Path(name).absolute())) for name in (_folder_of(root), source))
        if full != base and full.is_relative_to(base):
            path = full.relative_to(base)
    return [part for part in path.parts if part not in (path.anchor, "..")]


def _folder_of(root: str) -> Path:
    """Return the part of a pattern that has no wildcards; a folder is itself."""
    folder = Path(root)
    while glob.has_magic(str(folder)) and not folder.exists():
        folder = folder.parent
    return folder


def _ending(format: str) -> str:
    if format not in FORMATS:
        raise InputError(f"{format!r}: no such format", hint=f"known: {', '.join(FORMATS)}")
    return FORMATS[format]


def _number(value: float, digits: int) -> float | None:
    number = float(value)
    return round(number, digits) if math.isfinite(number) else None


def _token_dict(token: Token) -> dict[str, Any]:
    return {
        "text": token.text,
        "start_s": _number(token.start_s, 3),
        "end_s": _number(token.end_s, 3),
        "confidence": _number(token.confidence, 4),
        "alternatives": [_alternative_dict(alternative) for alternative in token.alternatives],
    }


def _alternative_dict(alternative: Alternative) -> dict[str, Any]:
    return {"text": alternative.text, "confidence": _number(alternative.confidence, 4)}


def _readings(results: Sequence[Result]) -> list[Recognition]:
    return [result for result in results if isinstance(result, Recognition)]


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def _text(results: Sequence[Result]) -> str:
    several = len(results) > 1
    return "".join(
        f"{result.source}: {result.text}\n" if several else f"{result.text}\n" for result in _readings(results)
    )


def _json(results: Sequence[Result]) -> str:
    objects = [to_dict(result) for result in results]
    return json.dumps(objects[0] if len(objects) == 1 else objects, ensure_ascii=False, indent=2) + "\n"


def _jsonl(results: Sequence[Result]) -> str:
    return "".join(json.dumps(to_dict(result), ensure_ascii=False) + "\n" for result in results)


def _csv(results: Sequence[Result]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for result in results:
        if isinstance(result, Failure):
            writer.writerow({"source": result.source, "error": f"{result.type}: {result.message}"})
            continue
        shared = {"source": result.source, "task": result.task, "model": result.model}
        writer.writerows(shared | cells for cells in map(_csv_cells, result.tokens))
        if not result.tokens:
            writer.writerow(shared)
    return table.getvalue()


def _csv_cells(token: Token) -> dict[str, Any]:
    others = " ".join(f"{other.text}={other.confidence:.4f}" for other in token.alternatives)
    return _token_dict(token) | {"alternatives": others}


class _Cue(NamedTuple):
    start_ms: int
    end_ms: int
    text: str


def _cues(result: Recognition) -> list[_Cue]:
    """Return one cue a token that has a text: in order, none empty, none beginning before the last one's end."""
    tokens = sorted((token for token in result.tokens if token.text.strip()), key=lambda token: token.start_s)
    still = not result.fps and all(token.end_s <= token.start_s for token in tokens)
    least = STILL_MS if still else 1
    starts, free = [], 0
    for token in tokens:
        starts.append(max(round(token.start_s * 1000), free))
        free = starts[-1] + least
    ends = [max(round(token.end_s * 1000), start + least) for token, start in zip(tokens, starts, strict=True)]
    limits = [*starts, math.inf][1:]
    return [
        _Cue(start, int(min(end, limit)), _one_line(token.text))
        for token, start, end, limit in zip(tokens, starts, ends, limits, strict=True)
    ]


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def _srt(results: Sequence[Result]) -> str:
    several = len(results) > 1
    cues = [(f"{_one_line(result.source)}: " * several, cue) for result in _readings(results) for cue in _cues(result)]
    return "\n".join(
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{name}{cue.text}\n"
        for number, (name, cue) in enumerate(cues, 1)
    )


def _vtt(results: Sequence[Result]) -> str:
    blocks = ["WEBVTT\n"]
    for result in _readings(results):
        if len(results) > 1:
            blocks.append(f"NOTE {re.sub('-+>', '->', _one_line(result.source))}\n")
        blocks += [
            f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_vtt_text(cue.text)}\n"
            for cue in _cues(result)
        ]
    return "\n".join(blocks)


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _eaf(results: Sequence[Result]) -> str:
    from xml.etree import ElementTree as Xml

    readings = _readings(results)
    spans = [(tier, cue) for tier, result in enumerate(readings) for cue in _cues(result)]
    document = Xml.Element("ANNOTATION_DOCUMENT", _EAF | {"DATE": datetime.now(UTC).isoformat(timespec="seconds")})
    _add_header(document, readings, len(spans))
    slots = _add_time_order(document, [cue for _, cue in spans])
    tiers = [Xml.SubElement(document, "TIER", attributes) for attributes in _tier_attributes(readings)]
    for number, ((tier, cue), (start, end)) in enumerate(zip(spans, slots, strict=True), 1):
        attributes = {"ANNOTATION_ID": f"a{number}", "TIME_SLOT_REF1": start, "TIME_SLOT_REF2": end}
        aligned = Xml.SubElement(Xml.SubElement(tiers[tier], "ANNOTATION"), "ALIGNABLE_ANNOTATION", attributes)
        Xml.SubElement(aligned, "ANNOTATION_VALUE").text = _legal(cue.text)
    for task in dict.fromkeys(_legal(result.task) for result in readings):
        kind = {"LINGUISTIC_TYPE_ID": task, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
        Xml.SubElement(document, "LINGUISTIC_TYPE", kind)
    Xml.indent(document)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(document, encoding="unicode")}\n'


def _add_header(document: Any, readings: Sequence[Recognition], annotations: int) -> None:
    from xml.etree import ElementTree as Xml

    header = Xml.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    for address, kind in dict.fromkeys(filter(None, map(_media, readings))):
        Xml.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=address, MIME_TYPE=kind)
    sources = [("source", _legal(result.source)) for result in readings]
    for name, value in (*sources, ("lastUsedAnnotationId", str(annotations))):
        Xml.SubElement(header, "PROPERTY", NAME=name).text = value


def _add_time_order(document: Any, cues: Sequence[_Cue]) -> list[tuple[str, str]]:
    """Add the time slots, rising, and return the names of each cue's own two."""
    from xml.etree import ElementTree as Xml

    moments = sorted((time, cue, side) for cue, span in enumerate(cues) for side, time in enumerate(span[:2]))
    order = Xml.SubElement(document, "TIME_ORDER")
    names = {}
    for number, (time, cue, side) in enumerate(moments, 1):
        Xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(time))
        names[cue, side] = f"ts{number}"
    return [(names[cue, 0], names[cue, 1]) for cue in range(len(cues))]


def _tier_attributes(readings: Sequence[Recognition]) -> list[dict[str, str]]:
    tiers: dict[str, dict[str, str]] = {}
    for result in readings:
        name = base = _legal(f"{result.task}: {result.source}" if len(readings) > 1 else result.task)
        number = 1
        while name in tiers:
            number += 1
            name = f"{base} ({number})"
        annotator, kind = _legal(f"Signary {result.model}"), _legal(result.task)
        tiers[name] = {"TIER_ID": name, "ANNOTATOR": annotator, "LINGUISTIC_TYPE_REF": kind}
    return list(tiers.values())


def _media(result: Recognition) -> tuple[str, str] | None:
    """Return the address and type of the file that was read; None for stdin, cameras and arrays."""
    path = Path(result.source)
    if not path.suffix:
        return None
    return path.absolute().as_uri(), mimetypes.guess_type(path.name)[0] or "unknown"


def _legal(text: str) -> str:
    """Return ``text`` without the characters that XML cannot hold."""
    escaped = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", escaped)


_WRITERS: Mapping[str, Callable[[Sequence[Result]], str]] = MappingProxyType(
    {"text": _text, "json": _json, "jsonl": _jsonl, "csv": _csv, "srt": _srt, "vtt": _vtt, "eaf": _eaf}
)
