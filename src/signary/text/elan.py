"""Readings as a document of ELAN, the annotation tool of sign linguists: EAF 3.0.

Source: http://www.mpi.nl/tools/elan/EAFv3.0.xsd.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from signary.address import is_address, shown_address
from signary.text.cues import Cue, Reading, cues

STREAM = "stream"  # name of a tier without a task

_ROOT = {
    "AUTHOR": "Signary",
    "FORMAT": "3.0",
    "VERSION": "3.0",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}


def eaf(readings: Sequence[Reading], *, named: bool) -> str:
    """Return an ELAN document with one tier for each reading.

    Parameters
    ----------
    readings : sequence of mapping
        ``source``, ``model``, ``task``, ``tokens`` and ``fps`` as in a `Recognition`; the first three are None for a
        stream.
    named : bool
        Put the source into the tier's name.
    """
    from xml.etree import ElementTree as Xml

    spans = [(tier, cue) for tier, reading in enumerate(readings) for cue in cues(reading)]
    document = Xml.Element("ANNOTATION_DOCUMENT", _ROOT | {"DATE": datetime.now(UTC).isoformat(timespec="seconds")})
    _add_header(document, readings, len(spans))
    slots = _add_time_order(document, [cue for _, cue in spans])
    tiers = [Xml.SubElement(document, "TIER", attributes) for attributes in _tier_attributes(readings, named)]
    for number, ((tier, cue), (start, end)) in enumerate(zip(spans, slots, strict=True), 1):
        attributes = {"ANNOTATION_ID": f"a{number}", "TIME_SLOT_REF1": start, "TIME_SLOT_REF2": end}
        aligned = Xml.SubElement(Xml.SubElement(tiers[tier], "ANNOTATION"), "ALIGNABLE_ANNOTATION", attributes)
        Xml.SubElement(aligned, "ANNOTATION_VALUE").text = _legal(cue.text)
    for task in dict.fromkeys(map(_task, readings)):
        kind = {"LINGUISTIC_TYPE_ID": task, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
        Xml.SubElement(document, "LINGUISTIC_TYPE", kind)
    Xml.indent(document)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(document, encoding="unicode")}\n'


def _add_header(document: Any, readings: Sequence[Reading], annotations: int) -> None:
    from xml.etree import ElementTree as Xml

    header = Xml.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    sources = [reading["source"] for reading in readings if reading["source"] is not None]
    for address, kind in dict.fromkeys(filter(None, map(_media, sources))):
        Xml.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=address, MIME_TYPE=kind)
    properties = [("source", _source(source)) for source in sources]
    for name, value in (*properties, ("lastUsedAnnotationId", str(annotations))):
        Xml.SubElement(header, "PROPERTY", NAME=name).text = value


def _add_time_order(document: Any, spans: Sequence[Cue]) -> list[tuple[str, str]]:
    """Add the time slots in ascending order, and return the names of each cue's two."""
    from xml.etree import ElementTree as Xml

    moments = sorted((time, cue, side) for cue, span in enumerate(spans) for side, time in enumerate(span[:2]))
    order = Xml.SubElement(document, "TIME_ORDER")
    names = {}
    for number, (time, cue, side) in enumerate(moments, 1):
        Xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(time))
        names[cue, side] = f"ts{number}"
    return [(names[cue, 0], names[cue, 1]) for cue in range(len(spans))]


def _tier_attributes(readings: Sequence[Reading], named: bool) -> list[dict[str, str]]:
    tiers: dict[str, dict[str, str]] = {}
    for reading in readings:
        task, source = _task(reading), reading["source"]
        name = base = f"{task}: {_source(source)}" if named and source is not None else task
        number = 1
        while name in tiers:
            number += 1
            name = f"{base} ({number})"
        annotator = "Signary" if reading["model"] is None else _legal(f"Signary {reading['model']}")
        tiers[name] = {"TIER_ID": name, "ANNOTATOR": annotator, "LINGUISTIC_TYPE_REF": task}
    return list(tiers.values())


def _task(reading: Reading) -> str:
    return STREAM if reading["task"] is None else _legal(reading["task"])


def _source(source: str) -> str:
    return _legal(shown_address(source))


def _media(source: str) -> tuple[str, str] | None:
    """Return the address and MIME type of a source; None for stdin, cameras and arrays."""
    if is_address(source):
        address = shown_address(source)
        return _legal(address), mimetypes.guess_type(re.split("[?#]", address)[0])[0] or "unknown"
    path = Path(source)
    if not path.suffix:
        return None
    return path.absolute().as_uri(), mimetypes.guess_type(path.name)[0] or "unknown"


def _legal(text: str) -> str:
    """Return ``text`` without the characters that XML cannot hold."""
    escaped = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", escaped)
