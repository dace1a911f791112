"""Pieces of HTML: text that is safe to show, tables, plots, sections."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from signary.evaluation.wording import NOTHING

# Joiners shape letters of many scripts; other invisible characters could hide or reorder the text beside them.
JOINERS = "\u200c\u200d"
NAMES = {
    "accuracy": "accuracy",
    "top5": "top-5",
    "top10": "top-10",
    "f1_macro": "F1, macro",
    "precision_macro": "precision, macro",
    "recall_macro": "recall, macro",
    "f1_weighted": "F1, weighted",
    "precision_weighted": "precision, weighted",
    "recall_weighted": "recall, weighted",
    "cer": "character error rate",
    "cer_folded": "character error rate, symbols of one handshape as one",
    "exact": "read without an error",
    "time_median_s": "a character's time is off by, median, seconds",
    "time_p90_s": "a character's time is off by, 90% within, seconds",
    "confidence_auc": "exact ones are surer: area under the ROC",
    "f1": "F1",
    "correct": "right",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its ``name`` in the address (one word), its heading as plain text, and its HTML."""

    name: str
    heading: str
    html: str


def shown(value: Any) -> str:
    """Return a value as text for HTML: escaped, with invisible characters written out (``\\n``, ``\\u202e``)."""
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.4f}"
    text = str(value)
    if not text.strip():
        return f"<code>{escape(repr(text))}</code>" if text else NOTHING
    return escape("".join(letter if letter.isprintable() or letter in JOINERS else _coded(letter) for letter in text))


def named(field: str) -> str:
    """Return the display name of a field, for HTML."""
    return shown(NAMES.get(field, field.replace("_", " ")))


def paragraph(text: str, *, kind: str = "") -> str:
    """Return a paragraph; ``text`` is escaped already."""
    return f'<p class="{kind}">{text}</p>' if kind else f"<p>{text}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """Return a table that scrolls sideways if it is too wide; heads and cells are escaped already."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    lines = [f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
             for first, *rest in rows]  # fmt: skip
    inside = f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody>"
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}"><table>{inside}</table></div>'


def plot(png: Path, alt: str, *, wide: bool = False) -> str:
    """Return a plot with its pixels inside the page.

    Parameters
    ----------
    png : Path
    alt : str
        What it shows, as plain text.
    wide : bool
        Keep it large on a small screen; it then scrolls sideways.
    """
    uri = data_uri(png.read_bytes(), "png")
    picture = f'<img class="plot" src="{uri}" alt="{shown(alt)}">'
    if not wide:
        return f"<figure>{picture}</figure>"
    return f'<figure class="scroll wide" role="region" tabindex="0" aria-label="{shown(alt)}">{picture}</figure>'


def beside(*parts: str) -> str:
    """Return parts side by side, or below each other on a narrow screen."""
    return f'<div class="beside">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def folded(summary: str, *parts: str) -> str:
    """Return parts hidden behind a line that opens them; ``summary`` is escaped already."""
    return f"<details><summary>{summary}</summary>{''.join(parts)}</details>"


def data_uri(content: bytes, kind: str) -> str:
    """Return a picture as an address that holds its bytes; ``kind`` is ``png`` or ``jpeg``."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _coded(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")
