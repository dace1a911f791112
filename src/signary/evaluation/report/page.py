"""The page of a report: one HTML file with its pictures inside, which loads and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np

from signary.evaluation.metrics import wilson_interval
from signary.evaluation.report.markup import Section, beside, named, shown, table
from signary.evaluation.wording import counted

EVALUATION = "evaluation.json"
MOST_SKIPPED = 50
IN_TILES = ("accuracy", "top5", "balanced_accuracy", "f1_weighted", "score", "cer", "exact")
MOST_TILES = 4


def write_page(evaluation: Mapping[str, Any], sections: Iterable[Section | None]) -> str:
    """Return the whole page.

    Parameters
    ----------
    evaluation : mapping
        See `signary.evaluation.report.write.write_report`.
    sections : iterable of Section or None
        In order; those that are None are left out. After them come all figures of the evaluation, and what was
        skipped.
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


def size_of(value: Any) -> int:
    """Return a number unchanged, and the length of anything else."""
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
        accuracy = rest["metrics"].get("accuracy", rest["metrics"].get("exact"))  # spelling is right without an error
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
