"""Text, JSON, tables, subtitles and ELAN files from readings as plain dicts, for stdout and for files.

A reading is ``dataclasses.asdict`` of a `Recognition` or an `Event`, with numbers not yet rounded; for a `Failure` it
has ``source`` and ``error``. The output ends in a newline, or is empty.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from signary.errors import InputError
from signary.output import check_free, whole_file
from signary.text.cues import Reading, clock, cues, one_line
from signary.text.elan import eaf

FORMATS: Mapping[str, str] = MappingProxyType(
    {"text": ".txt", "json": ".json", "jsonl": ".jsonl", "csv": ".csv", "srt": ".srt", "vtt": ".vtt", "eaf": ".eaf"}
)
CSV_COLUMNS = ("source", "text", "start_s", "end_s", "confidence", "alternatives", "task", "model", "error")

_DIGITS = MappingProxyType({"start_s": 3, "end_s": 3, "elapsed_s": 3, "fps": 3, "confidence": 4, "hand_rate": 4})


def rounded(reading: Reading) -> dict[str, Any]:
    """Return a reading, or a part of one, as in JSON.

    Times are rounded to milliseconds, confidences and rates to four digits; a number that is not finite is None.
    """
    said = {key: _rounded(key, value) for key, value in reading.items()}
    if "final" in said:
        said["tokens"] = said.pop("tokens")  # last for events, too: there may be many
    return said


def json_text(said: Any, indent: int | None) -> str:
    """Return JSON text that UTF-8 can encode: lone surrogates are written ``\\udcXX``."""
    return writable(json.dumps(said, ensure_ascii=False, indent=indent))


def writable(text: str) -> str:
    """Return text with ``\\udcXX`` for what UTF-8 cannot encode: file names that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def format_ending(format: str) -> str:
    """Return the ending of a format's files.

    Raises
    ------
    InputError
        If there is no such format; the known ones are listed.
    """
    if format not in FORMATS:
        raise InputError(f"{format!r}: no such format", hint=f"known: {', '.join(FORMATS)}")
    return FORMATS[format]


def format_of(path: Path) -> str:
    """Return the format that a file's ending names.

    Raises
    ------
    InputError
        If it names no format; the known endings are listed.
    """
    for format, ending in FORMATS.items():
        if path.suffix.lower() == ending:
            return format
    said = f"no format has the ending {path.suffix!r}" if path.suffix else "a name without an ending"
    raise InputError(f"{path}: {said}", hint=f"known: {', '.join(FORMATS.values())}")


def format_readings(readings: Sequence[Reading], format: str) -> str:
    """Return readings in one of `FORMATS`; see `signary.text.write.format_results`.

    Raises
    ------
    InputError
        If there is no such format; the known ones are listed.
    """
    format_ending(format)
    return writable(_WRITERS[format](readings))


def save_readings(readings: Iterable[Reading], path: Path, format: str, *, force: bool = False) -> Path:
    """Write readings into a file, whole or not at all; parent folders are made. Returns ``path``.

    Whether the file may be written is checked before the first reading, which may take long.

    Raises
    ------
    InputError
        If there is no such format, the file exists and ``force`` is false, or it cannot be written.
    """
    format_ending(format)
    with _told(path):
        if path.parent.is_dir():
            check_free(path, force=force)
    content = format_readings(list(readings), format)
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, force=force) as draft:
            draft.write_text(content, encoding="utf-8", newline="")
    return path


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})", hint="name another folder with -o") from error


def _rounded(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return rounded(value)
    if isinstance(value, list | tuple):
        return [_rounded("", part) for part in value]
    if digits := _DIGITS.get(key):
        return round(float(value), digits) if math.isfinite(value) else None
    return int(value) if key == "frames" else value


def _tracks(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings without partial events, with consecutive final events joined into one."""
    tracks: list[Reading] = []
    said = (reading for reading in readings if reading.get("final", True))
    for is_stream, some in groupby(said, key=lambda reading: "final" in reading):
        group = list(some)
        tracks += [_joined(group)] if is_stream else group
    return tracks


def _joined(events: Sequence[Reading]) -> Reading:
    """Return final events as one reading without source, model and task; an event without tokens becomes a token."""
    tokens = [token for event in events for token in event["tokens"] or [_as_token(event)]]
    text = "\n".join(event["text"] for event in events)
    return {"source": None, "model": None, "task": None, "text": text, "tokens": tokens, "fps": 0.0}


def _as_token(event: Reading) -> Reading:
    return {"alternatives": ()} | {key: event[key] for key in ("text", "start_s", "end_s", "confidence")}


def _read(tracks: Sequence[Reading]) -> list[Reading]:
    return [track for track in tracks if "error" not in track]


def _text(readings: Sequence[Reading]) -> str:
    tracks = _tracks(readings)
    return "".join(
        f"{track['source']}: {track['text']}\n" if _is_named(track, tracks) else f"{track['text']}\n"
        for track in _read(tracks)
    )


def _is_named(track: Reading, tracks: Sequence[Reading]) -> bool:
    """Return whether a track's source is written: it has one, and is not the only track."""
    return len(tracks) > 1 and track["source"] is not None


def _json(readings: Sequence[Reading]) -> str:
    objects = [rounded(reading) for reading in readings]
    return json_text(objects[0] if len(objects) == 1 else objects, indent=2) + "\n"


def _jsonl(readings: Sequence[Reading]) -> str:
    return "".join(json_text(rounded(reading), indent=None) + "\n" for reading in readings)


def _csv(readings: Sequence[Reading]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for track in _tracks(readings):
        if error := track.get("error"):
            writer.writerow({"source": track["source"], "error": f"{error['type']}: {error['message']}"})
            continue
        shared = {name: track[name] for name in ("source", "task", "model")}
        writer.writerows(shared | _csv_cells(token) for token in track["tokens"])
        if not track["tokens"]:
            writer.writerow(shared)
    return table.getvalue()


def _csv_cells(token: Reading) -> dict[str, Any]:
    others = " ".join(f"{other['text']}={other['confidence']:.4f}" for other in token["alternatives"])
    return rounded(token) | {"alternatives": others}


def _srt(readings: Sequence[Reading]) -> str:
    tracks = _tracks(readings)
    lines = [
        (f"{one_line(track['source'])}: " if _is_named(track, tracks) else "", cue)
        for track in _read(tracks)
        for cue in cues(track)
    ]
    return "\n".join(
        f"{number}\n{clock(cue.start_ms, ',')} --> {clock(cue.end_ms, ',')}\n{name}{cue.text}\n"
        for number, (name, cue) in enumerate(lines, 1)
    )


def _vtt(readings: Sequence[Reading]) -> str:
    blocks, tracks = ["WEBVTT\n"], _tracks(readings)
    for track in _read(tracks):
        if _is_named(track, tracks):
            blocks.append(f"NOTE {re.sub('-+>', '->', one_line(track['source']))}\n")
        blocks += [
            f"{clock(cue.start_ms, '.')} --> {clock(cue.end_ms, '.')}\n{_vtt_text(cue.text)}\n" for cue in cues(track)
        ]
    return "\n".join(blocks)


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _eaf(readings: Sequence[Reading]) -> str:
    read = _read(_tracks(readings))
    return eaf(read, named=len(read) > 1)


_WRITERS: Mapping[str, Callable[[Sequence[Reading]], str]] = MappingProxyType(
    {"text": _text, "json": _json, "jsonl": _jsonl, "csv": _csv, "srt": _srt, "vtt": _vtt, "eaf": _eaf}
)
