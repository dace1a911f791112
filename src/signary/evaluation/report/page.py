"""The page of a report: HTML that stands alone, with its pictures inside and nothing to fetch or run."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.evaluation.metrics import wilson_interval
from signary.evaluation.wording import NOTHING, counted

EVALUATION = "evaluation.json"
MOST_SKIPPED = 50
THUMBNAIL_QUALITY = 82
# Joiners shape letters of many scripts; whatever else cannot be seen could turn or hide what stands beside it.
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
IN_TILES = ("accuracy", "top5", "balanced_accuracy", "f1_weighted", "score", "cer", "exact")
MOST_TILES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture that was read.

    Parameters
    ----------
    image : uint8 (H, W, 3), RGB
    name : str
        Its file.
    confidence : float, optional
        How sure the reading was, 0 to 1.
    """

    image: NDArray[np.uint8]
    name: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """One class read as another, ``count`` times of its ``n``.

    Parameters
    ----------
    target, read : str
    count, n : int
    wrong : tuple of Example
        Pictures of ``target`` that were read as ``read``.
    right : tuple of Example
        Pictures of ``read`` that were read right, to compare.
    """

    target: str
    read: str
    count: int
    n: int
    wrong: tuple[Example, ...] = ()
    right: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: ``name`` in the address (a word), its heading as plain text, and its HTML."""

    name: str
    heading: str
    html: str


def write_page(evaluation: Mapping[str, Any], sections: Iterable[Section | None]) -> str:
    """Return the whole page.

    Parameters
    ----------
    evaluation : mapping
        See `signary.evaluation.report.write.write_report`.
    sections : iterable of Section or None
        In order; those that are None are left out. After them comes what the evaluation itself says: all figures,
        and what was skipped.
    """
    own = (_figures(evaluation), _skipped(evaluation))
    kept = [section for section in (*sections, *own) if section is not None]
    links = "".join(f'<li><a href="#{part.name}">{shown(part.heading)}</a></li>' for part in kept)
    body = [_head(evaluation), f'<nav aria-label="Contents"><ul>{links}</ul></nav>' if kept else ""]
    body += [
        f'<section id="{part.name}" aria-labelledby="{part.name}-heading">\n'
        f'<h2 id="{part.name}-heading">{shown(part.heading)}</h2>\n{part.html}\n</section>'
        for part in kept
    ]
    template = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    title = f"{shown(evaluation.get('model', ''))} on {shown(evaluation.get('data', ''))}"
    return template.substitute(title=title, body="\n".join(filter(None, body)))


def shown(value: Any) -> str:
    """Return a value as text for HTML: escaped, whatever cannot be seen written out (``\\n``, ``\\u202e``)."""
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.4f}"
    text = str(value)
    if not text.strip():
        return f"<code>{escape(repr(text))}</code>" if text else NOTHING
    return escape("".join(letter if letter.isprintable() or letter in JOINERS else _coded(letter) for letter in text))


def named(field: str) -> str:
    """Return a field's name as people write it, for HTML."""
    return shown(NAMES.get(field, field.replace("_", " ")))


def paragraph(text: str, *, kind: str = "") -> str:
    """Return a paragraph of HTML that is escaped already."""
    return f'<p class="{kind}">{text}</p>' if kind else f"<p>{text}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """Return a table that scrolls sideways where it is too wide; heads and cells are escaped already."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    lines = [f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
             for first, *rest in rows]  # fmt: skip
    inside = f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody>"
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}"><table>{inside}</table></div>'


def plot(png: Path, alt: str, *, wide: bool = False) -> str:
    """Return a drawing with its pixels inside the page.

    Parameters
    ----------
    png : Path
    alt : str
        What it shows, as plain text.
    wide : bool
        Keep it large on a small screen, where it then scrolls sideways.
    """
    uri = _data_uri(png.read_bytes(), "png")
    picture = f'<img class="plot" src="{uri}" alt="{shown(alt)}">'
    if not wide:
        return f"<figure>{picture}</figure>"
    return f'<figure class="scroll wide" role="region" tabindex="0" aria-label="{shown(alt)}">{picture}</figure>'


def beside(*parts: str) -> str:
    """Return parts side by side where there is room, below each other on a phone."""
    return f'<div class="beside">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def folded(summary: str, *parts: str) -> str:
    """Return parts behind a line that opens them; ``summary`` is escaped already."""
    return f"<details><summary>{summary}</summary>{''.join(parts)}</details>"


def pairs(confused: Sequence[Sequence[Mistake]]) -> str:
    """Return pairs of classes that were taken for each other, a card each: what was read wrong beside what was right.

    Parameters
    ----------
    confused : sequence of sequences of Mistake
        The one or two directions of a pair, the more frequent first.
    """
    cards = [
        f'<article class="pair"><h3>{shown(ways[0].target)} and {shown(ways[0].read)}</h3>\n'
        f"{''.join(map(_direction, ways))}</article>"
        for ways in confused
    ]
    pictured = any(way.wrong for ways in confused for way in ways)
    return f'<div class="{"pairs pictured" if pictured else "pairs"}">\n{"".join(cards)}</div>'


def size_of(value: Any) -> int:
    """Return a number as it is, and of anything else how many there are."""
    return int(value) if isinstance(value, int | np.integer) else len(value or ())


def _head(evaluation: Mapping[str, Any]) -> str:
    n, unit = int(evaluation.get("n", 0)), evaluation.get("unit", "file")
    skipped = evaluation.get("n_skipped", size_of(evaluation.get("skipped")))
    metrics, speed = evaluation.get("metrics") or {}, evaluation.get("speed") or {}
    return (
        f'<header><p class="eyebrow">Signary evaluation</p>\n<h1>{shown(evaluation.get("model", ""))}</h1>\n'
        f'<p class="lead">on {shown(evaluation.get("data", ""))}: {counted(n, unit)} read, {skipped:,} skipped.</p>\n'
        f"{_warning(evaluation, n, unit)}{_tiles(metrics, speed, n, unit)}</header>"
    )


def _warning(evaluation: Mapping[str, Any], n: int, unit: str) -> str:
    trained_on, rest = size_of(evaluation.get("trained_on")), evaluation.get("held_out")
    if not trained_on:
        return ""
    said = f"Measure it on other people’s {unit}s before you trust them."
    if rest:
        accuracy = rest["metrics"]["accuracy"]
        said = (
            f"Of the other {counted(rest['n'], unit)} it read {accuracy:.1%} right, {_interval(accuracy, rest['n'])}."
        )
    return (
        f'<aside class="warning" aria-label="Warning"><p><strong>{trained_on:,} of these {counted(n, unit)} '
        f"{'was' if trained_on == 1 else 'were'} part of the model’s training: the figures flatter it.</strong> "
        f"{said}</p></aside>\n"
    )


def _tiles(metrics: Mapping[str, Any], speed: Mapping[str, Any], n: int, unit: str) -> str:
    tiles = [
        _tile(named(name), f"{metrics[name]:.1%}", _interval(metrics[name], n) if name == "accuracy" else "")
        for name in IN_TILES
        if metrics.get(name) is not None
    ][:MOST_TILES]
    if speed:
        median = f"median {speed['median_ms']:.3g} ms a {unit}"
        tiles.append(_tile(f"{unit}s a second", f"{speed['files_per_s']:.3g}", median))
    return f'<dl class="tiles">{"".join(tiles)}</dl>\n' if tiles else ""


def _tile(name: str, figure: str, note: str) -> str:
    small = f'<dd class="note">{note}</dd>' if note else ""
    return f'<div><dt>{name}</dt><dd class="figure">{figure}</dd>{small}</div>'


def _interval(accuracy: float, n: int) -> str:
    low, high = wilson_interval(min(n, round(float(accuracy) * n)), n)
    return f"95% interval {100 * low:.1f}–{high:.1%}"


def _figures(evaluation: Mapping[str, Any]) -> Section | None:
    metrics, speed = evaluation.get("metrics") or {}, evaluation.get("speed") or {}
    unit, rest = evaluation.get("unit", "file"), evaluation.get("held_out") or {"metrics": {}}
    captions = {"How well it read": metrics, f"How well it read {unit}s it was not trained on": rest["metrics"]}
    parts = [
        table(("figure", "value"), [(named(name), shown(value)) for name, value in figures.items()], caption)
        for caption, figures in captions.items() if figures
    ]  # fmt: skip
    if speed:
        names = {
            "files_per_s": f"{unit}s a second",
            "median_ms": f"median, ms a {unit}",
            "p95_ms": f"95% within, ms a {unit}",
        }
        rows = [(names.get(name, named(name)), f"{value:.4g}") for name, value in speed.items()]
        caption = f"How fast, one {unit} after the other, from opening it to the answer, on the machine that measured"
        parts.append(table(("speed", "value"), rows, caption))
    return Section("figures", "All figures", beside(*parts)) if parts else None


def _skipped(evaluation: Mapping[str, Any]) -> Section | None:
    skipped = evaluation.get("skipped")
    if not isinstance(skipped, Sequence) or isinstance(skipped, str) or not skipped:
        return None
    lines = [_skipped_line(item) for item in skipped[:MOST_SKIPPED]]
    more = [f"and {len(skipped) - MOST_SKIPPED:,} more: see {EVALUATION}"] if len(skipped) > MOST_SKIPPED else []
    items = "".join(f"<li>{line}</li>" for line in (*lines, *more))
    return Section("skipped", "Skipped", f'<ul class="skipped">{items}</ul>')


def _skipped_line(item: Any) -> str:
    return ": ".join(shown(value) for value in item.values()) if isinstance(item, Mapping) else shown(item)


def _direction(mistake: Mistake) -> str:
    target, read = shown(mistake.target), shown(mistake.read)
    times = f"<strong>{counted(mistake.count, 'time')}</strong> of {mistake.n:,} ({mistake.count / mistake.n:.0%})"
    said = f"<p>{target} read as {read} {times}</p>\n"
    if not mistake.wrong:
        return said
    strips = _strip(f"{target}, read as {read}", mistake.wrong, "strip wrong")
    if mistake.right:
        strips += _strip(f"{read}, read right", mistake.right, "strip")
    return f'{said}<div class="strips">{strips}</div>\n'


def _strip(caption: str, examples: Iterable[Example], kind: str) -> str:
    items = "".join(_thumbnail(caption, example) for example in examples)
    return f'<figure class="{kind}"><figcaption>{caption}</figcaption><ul>{items}</ul></figure>\n'


def _thumbnail(caption: str, example: Example) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(example.image).save(stream, "JPEG", quality=THUMBNAIL_QUALITY)
    height, width, _ = example.image.shape
    picture = (
        f'<img src="{_data_uri(stream.getvalue(), "jpeg")}" width="{width}" height="{height}" loading="lazy" '
        f'alt="{caption}: {shown(example.name)}" title="{shown(example.name)}">'
    )
    sure = "" if example.confidence is None else f"<span>{example.confidence:.0%} sure</span>"
    return f"<li>{picture}{sure}</li>"


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _coded(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")
