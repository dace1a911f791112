"""An evaluation as a folder to read: ``report.md``, its pictures and ``evaluation.json``. Needs matplotlib."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import ShapeError
from signary.evaluation.metrics import wilson_interval
from signary.evaluation.plots import NOTHING, plot_confusion, plot_per_class, plot_reliability
from signary.output import whole_folder
from signary.text.calibrate import expected_calibration_error, reliability

REPORT, EVALUATION = "report.md", "evaluation.json"
MOST_MISTAKES = 20
MOST_SKIPPED = 50

Confidence = NDArray[np.float64]


def write_report(
    folder: Path,
    evaluation: Mapping[str, Any],
    targets: Sequence[str],
    predictions: Sequence[str],
    confidence: ArrayLike | None = None,
    *,
    force: bool = False,
) -> Path:
    """Write an evaluation into a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        To be made; the one above it exists.
    evaluation : mapping
        What ``signary evaluate --json`` says: ``model``, ``data``, ``n``, ``skipped``, ``trained_on``, ``metrics``,
        ``per_class`` (empty for spelling: then there are no pictures of classes) and ``by``: what it was split by
        (``signer``) -> each of its groups -> their figures.
    targets, predictions : sequence of str (N,)
        What was expected and what was read.
    confidence : (N,), optional
        Of each reading (0 to 1), for the reliability diagram.
    force : bool
        Put it in the place of an existing report.

    Returns
    -------
    Path
        ``folder``, which now holds ``report.md``, ``evaluation.json`` and, as far as they apply, ``confusion.png``,
        ``per-class.png`` and ``reliability.png``.

    Raises
    ------
    InputError
        If the folder exists and ``force`` is false, or holds something else than a report.
    ShapeError
        If targets, predictions and confidence are not of one length.
    ExtraMissing
        If matplotlib is not installed.
    """
    sure = np.zeros(0) if confidence is None else np.asarray(confidence, np.float64)
    if len(targets) != len(predictions) or (confidence is not None and sure.shape != (len(targets),)):
        sizes = f"{len(targets)} targets, {len(predictions)} predictions, confidence {sure.shape}"
        raise ShapeError(f"{sizes}: not of one length", hint="give one of each a clip")
    with whole_folder(folder, force=force, marks=(EVALUATION,)) as draft:
        _fill(draft, evaluation, targets, predictions, sure)
    return folder


def worst_confusions(targets: Sequence[str], predictions: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return what was read wrong: expected, read, how often; the most frequent first, then by name."""
    wrong = Counter(pair for pair in zip(targets, predictions, strict=True) if pair[0] != pair[1])
    return sorted(((*pair, count) for pair, count in wrong.items()), key=lambda row: (-row[2], row[:2]))


def _fill(
    draft: Path, evaluation: Mapping[str, Any], targets: Sequence[str], predictions: Sequence[str], sure: Confidence
) -> None:
    parts = [_summary(evaluation)]
    if sure.size:
        parts.append(_reliability_part(draft, targets, predictions, sure))
    if evaluation.get("per_class"):
        parts.append(_class_part(draft, evaluation["per_class"], targets, predictions))
    parts += [_mistakes(targets, predictions), *_groups(evaluation.get("by") or {}), _skipped(evaluation)]
    (draft / REPORT).write_text("\n".join(filter(None, parts)), encoding="utf-8")
    content = json.dumps(evaluation, ensure_ascii=False, indent=2, default=_plain) + "\n"
    (draft / EVALUATION).write_text(content, encoding="utf-8", errors="backslashreplace")


def _summary(evaluation: Mapping[str, Any]) -> str:
    metrics, n = evaluation.get("metrics") or {}, int(evaluation.get("n", 0))
    lines = [f"# {_cell(evaluation.get('model', ''))} on {_cell(evaluation.get('data', ''))}", ""]
    trained_on = _count(evaluation.get("trained_on"))
    lines.append(f"{n} clips read, {_count(evaluation.get('skipped'))} skipped.")
    if trained_on:
        lines.append("")
        lines.append(f"**{trained_on} of these files were part of the model's training: the figures flatter it.**")
    return "\n".join([*lines, "", *_table(("figure", "value"), _summary_rows(metrics, n))])


def _summary_rows(metrics: Mapping[str, Any], n: int) -> list[tuple[str, str]]:
    rows = [(name.replace("_", " "), _figure(value)) for name, value in metrics.items()]
    if n and (accuracy := metrics.get("accuracy")) is not None:
        low, high = wilson_interval(min(n, round(float(accuracy) * n)), n)
        rows.insert(1, ("accuracy, 95 % interval", f"{low:.4f} to {high:.4f}"))
    return rows


def _class_part(draft: Path, per_class: Mapping[str, Any], targets: Sequence[str], predictions: Sequence[str]) -> str:
    labels = [*per_class, *sorted(set(targets) - set(per_class))]
    plot_confusion(targets, predictions, labels, draft / "confusion.png")
    plot_per_class(per_class, draft / "per-class.png")
    heads = ("class", "clips", "right", "accuracy", "precision", "recall", "F1")
    names = ("n", "correct", "accuracy", "precision", "recall", "f1")
    ordered = sorted(per_class.items(), key=lambda item: (item[1]["accuracy"], item[0]))
    rows = [(_cell(label), *(_figure(score[name]) for name in names)) for label, score in ordered]
    pictures = ["![which class was read as which](confusion.png)", "", "![classes, worst first](per-class.png)", ""]
    return "\n".join(["## Classes", "", *pictures, *_table(heads, rows)])


def _reliability_part(draft: Path, targets: Sequence[str], predictions: Sequence[str], sure: Confidence) -> str:
    correct = np.array([target == read for target, read in zip(targets, predictions, strict=True)])
    plot_reliability(reliability(sure, correct), draft / "reliability.png")
    error = expected_calibration_error(sure, correct)
    said = f"Mean confidence {sure.mean():.4f}, right {correct.mean():.4f}, expected calibration error {error:.4f}."
    return "\n".join(["## Confidence", "", said, "", "![confidence against accuracy](reliability.png)", ""])


def _mistakes(targets: Sequence[str], predictions: Sequence[str]) -> str:
    worst = worst_confusions(targets, predictions)
    if not worst:
        return ""
    totals = Counter(targets)
    rows = [
        (_cell(expected), _cell(read), str(count), f"{count / totals[expected]:.0%}")
        for expected, read, count in worst[:MOST_MISTAKES]
    ]
    more = [f"and {len(worst) - MOST_MISTAKES} more kinds", ""] if len(worst) > MOST_MISTAKES else []
    heads = ("expected", "read", "times", "share of the expected")
    return "\n".join(["## Most frequent mistakes", "", *_table(heads, rows), *more])


def _groups(by: Mapping[str, Any]) -> list[str]:
    parts = []
    for field, groups in by.items():
        heads = list(dict.fromkeys(name for figures in groups.values() for name in figures))
        rows = [(_cell(group), *(_figure(figures.get(name)) for name in heads)) for group, figures in groups.items()]
        table = _table((_cell(field), *(head.replace("_", " ") for head in heads)), rows)
        parts.append("\n".join([f"## By {_cell(field)}", "", *table]))
    return parts


def _skipped(evaluation: Mapping[str, Any]) -> str:
    skipped = evaluation.get("skipped")
    if not isinstance(skipped, Sequence) or isinstance(skipped, str) or not skipped:
        return ""
    lines = [f"- {_skipped_line(item)}" for item in skipped[:MOST_SKIPPED]]
    more = [f"- and {len(skipped) - MOST_SKIPPED} more: see {EVALUATION}"] if len(skipped) > MOST_SKIPPED else []
    return "\n".join(["## Skipped", "", *lines, *more, ""])


def _skipped_line(item: Any) -> str:
    return ": ".join(_cell(value) for value in item.values()) if isinstance(item, Mapping) else _cell(item)


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | np.integer) else len(value or ())


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    heads = list(heads)
    marks = ["---", *["---:"] * (len(heads) - 1)]
    return [*(f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows)), ""]


def _figure(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.4f}"
    return "" if value is None else _cell(value)


def _cell(value: Any) -> str:
    """Return a value as it stands in a Markdown table: one line, nothing in it taken for markup."""
    text = " ".join(str(value).splitlines())
    if not text.strip():
        return f"`{text}`" if text else NOTHING
    escaped = "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in text)
    return escaped.encode("utf-8", "backslashreplace").decode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)
