"""Write an evaluation as a folder: ``report.html``, its plots and ``evaluation.json``. Needs matplotlib."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from signary.errors import ShapeError
from signary.evaluation.labeled import Source
from signary.evaluation.readings import ReadPhrase
from signary.evaluation.report.curves import CURVES, plot_curves, plot_learning
from signary.evaluation.report.examples import Confidence, confused_pairs, worst_confusions
from signary.evaluation.report.history import History, Step
from signary.evaluation.report.markup import Section, beside, folded, named, paragraph, plot, shown, table
from signary.evaluation.report.page import EVALUATION, write_page
from signary.evaluation.report.pairs import Mistake, pairs
from signary.evaluation.report.plots import (
    MOST_COUNTED,
    plot_confusion,
    plot_examples,
    plot_groups,
    plot_per_class,
    plot_reliability,
)
from signary.evaluation.report.readings import chosen_readings, plot_error_rates, plot_readings
from signary.evaluation.wording import counted
from signary.output import whole_folder
from signary.text.calibrate import expected_calibration_error, reliability

REPORT = "report.html"
MOST_MISTAKES = 20
FEWEST_FOLDED = 41  # rows of a table that is folded away
MOST_SIGNS = 20
CLASS_COLUMNS = ("n", "correct", "precision", "recall", "f1")
OTHERS = "(others)"


def write_report(
    folder: Path,
    evaluation: Mapping[str, Any],
    targets: Sequence[str],
    predictions: Sequence[str],
    confidence: ArrayLike | None = None,
    *,
    sources: Sequence[Source] = (),
    readings: Sequence[ReadPhrase] = (),
    history: History | None = None,
    learning: Sequence[Step] = (),
    force: bool = False,
) -> Path:
    """Write an evaluation into a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        A new folder; its parent exists.
    evaluation : mapping
        The output of ``signary evaluate --json``: ``model``, ``data``, ``n``, ``skipped``, ``trained_on``, ``metrics``,
        ``per_class`` (empty for spelling: then there are no plots of classes), ``by``: column (``signer``) -> group ->
        its figures, and, where they apply, ``speed``, ``unit`` (``file`` or ``clip``), ``n_skipped``, ``held_out``.
    targets, predictions : sequence of str (N,)
    confidence : (N,), optional
        Of each prediction (0 to 1), for the reliability diagram.
    sources : sequence of Path, StoredClip or SpelledClip (N,), optional
        The files or clips, to show pictures of those that were read wrong.
    readings : sequence of ReadPhrase (N,), optional
        For spelling, to show how some clips were read.
    history : mapping, optional
        Of the model's training, from `signary.evaluation.report.history.read_history`.
    learning : sequence of Step, optional
        Accuracy by number of training clips, from `signary.evaluation.report.history.read_learning`.
    force : bool
        Replace an existing report.

    Returns
    -------
    Path
        ``folder``, which now holds ``report.html`` (all in one file), ``evaluation.json`` and, as far as they apply,
        the plots ``confusion.png``, ``confusion-most.png`` (with more than 40 classes: those confused most),
        ``per-class.png``, ``reliability.png``, ``confused-pairs.png``, ``by-0.png``, ``curves.png``, ``learning.png``,
        ``readings.png``.

    Raises
    ------
    InputError
        If the folder exists and ``force`` is false, or it holds something other than a report.
    ShapeError
        If targets, predictions, confidence and sources differ in length.
    ExtraMissing
        If matplotlib is not installed.
    """
    sure = np.zeros(0) if confidence is None else np.asarray(confidence, np.float64)
    uneven = len(targets) != len(predictions) or (confidence is not None and sure.shape != (len(targets),))
    if uneven or len(sources) not in (0, len(targets)):
        sizes = (
            f"{len(targets)} targets, {len(predictions)} predictions, confidence {sure.shape}, {len(sources)} sources"
        )
        raise ShapeError(f"{sizes}: not of one length", hint="give one of each a clip")
    with whole_folder(folder, force=force, marks=(EVALUATION,)) as draft:
        classes = evaluation.get("per_class") or {}
        sections = [
            _pairs(draft, confused_pairs(targets, predictions, sure, sources)) if classes else None,
            _confusion(draft, classes, targets, predictions) if classes else None,
            _classes(draft, classes, worst_confusions(targets, predictions)) if classes else None,
            _readings(draft, readings, sources),
            _mistakes(targets, predictions),
            _reliability(draft, targets, predictions, sure) if sure.size else None,
            _training(draft, history or {}),
            _learning(draft, learning),
            *_groups(draft, evaluation.get("by") or {}),
        ]
        (draft / REPORT).write_text(write_page(evaluation, sections), encoding="utf-8")
        content = json.dumps(evaluation, ensure_ascii=False, indent=2, default=_plain) + "\n"
        (draft / EVALUATION).write_text(content, encoding="utf-8", errors="backslashreplace")
    return folder


def _readings(draft: Path, readings: Sequence[ReadPhrase], sources: Sequence[Source]) -> Section | None:
    shown = [place for place in chosen_readings(readings) if sources and not isinstance(sources[place], Path)]
    if not shown:
        return None
    clips = [source.sequence() for place in shown if not isinstance(source := sources[place], Path)]
    plot_readings([readings[place] for place in shown], clips, draft / "readings.png")
    said = "; ".join(f"{readings[place].text!r} read as {readings[place].found.text!r}" for place in shown)
    told = paragraph("Well, middling and badly read ones. Red: read wrong. Gray: no hand was seen.", kind="quiet")
    picture = plot(draft / "readings.png", f"How clips were read: {said}", wide=True)
    return Section("readings", "Some clips", told + picture)


def _pairs(draft: Path, confused: Sequence[Sequence[Mistake]]) -> Section | None:
    if not confused:
        return None
    rows = [
        (f"{way.target} read as {way.read}", [one.image for one in way.wrong],
         f"{way.read} read right", [one.image for one in way.right])
        for ways in confused for way in ways if way.wrong
    ]  # fmt: skip
    said = ""
    if rows:
        plot_examples(rows, draft / "confused-pairs.png")
        said = paragraph(
            "The surest readings of each kind; of a stored clip, its skeleton at three moments. They show the data: "
            "pass this page on only as the data may be passed on.", kind="quiet",
        )  # fmt: skip
    return Section("pairs", "Most confused pairs", said + pairs(confused))


def _confusion(
    draft: Path, per_class: Mapping[str, Any], targets: Sequence[str], predictions: Sequence[str]
) -> Section:
    labels = [*per_class, *sorted(set(targets) - set(per_class))]
    plot_confusion(targets, predictions, labels, draft / "confusion.png")
    right = sum(target == read for target, read in zip(targets, predictions, strict=True))
    alt = f"Confusion matrix of {counted(len(labels), 'class')}: {right} of {len(targets)} read right"
    said = paragraph("A row holds what is of one true class, a column what was read.", kind="quiet")
    whole = plot(draft / "confusion.png", alt, wide=len(labels) > 12)
    if len(labels) > MOST_COUNTED and right < len(targets):
        near = _most_confused(draft, targets, predictions)
        whole = near + folded(f"The whole matrix of {counted(len(labels), 'class')}", whole)
    return Section("confusion", "Confusion matrix", said + whole)


def _most_confused(draft: Path, targets: Sequence[str], predictions: Sequence[str]) -> str:
    """Draw only the classes that are confused most; other predictions share one column."""
    true = set(targets)
    names = (name for target, read, _ in worst_confusions(targets, predictions) for name in (target, read))
    chosen = list(dict.fromkeys(name for name in names if name in true))[: MOST_COUNTED - 2]
    kept = [place for place, target in enumerate(targets) if target in chosen]
    said = [read if (read := predictions[place]) in chosen or not read else OTHERS for place in kept]
    plot_confusion([targets[place] for place in kept], said, sorted(chosen), draft / "confusion-most.png")
    alt = f"Confusion matrix of the {counted(len(chosen), 'class')} that are confused most"
    return plot(draft / "confusion-most.png", alt, wide=True)


def _classes(draft: Path, per_class: Mapping[str, Any], wrong: Sequence[tuple[str, str, int]]) -> Section:
    plot_per_class(per_class, draft / "per-class.png")
    readings: dict[str, str] = {}
    for target, read, count in wrong:  # the most frequent comes first
        readings.setdefault(target, f"{shown(read)} ({count})")
    ordered = sorted(per_class, key=lambda label: (per_class[label]["accuracy"], -per_class[label]["n"], label))
    best = sorted(per_class, key=lambda label: (-per_class[label]["accuracy"], -per_class[label]["n"], label))

    def figures(labels: Sequence[str], caption: str) -> str:
        rows = [
            (shown(label), *(shown(per_class[label][name]) for name in CLASS_COLUMNS), readings.get(label, ""))
            for label in labels
        ]
        return table(("class", *map(named, CLASS_COLUMNS), "most often mistaken for"), rows, caption)

    worst, top = per_class[ordered[0]]["accuracy"], per_class[ordered[-1]]["accuracy"]
    picture = plot(draft / "per-class.png", f"Share read right of each class, from {worst:.0%} to {top:.0%}")
    whole = beside(figures(ordered, "Every class, worst first"), picture)
    if len(ordered) < FEWEST_FOLDED:
        return Section("classes", "Classes", whole)
    ends = (figures(ordered[:MOST_SIGNS], "Read worst"), figures(best[:MOST_SIGNS], "Read best"))
    return Section("classes", "Classes", beside(*ends) + folded(f"All {counted(len(ordered), 'class')}", whole))


def _groups(draft: Path, by: Mapping[str, Mapping[str, Any]]) -> list[Section]:
    sections = []
    for place, (field, groups) in enumerate(by.items()):
        columns = list(dict.fromkeys(name for figures in groups.values() for name in figures))
        rows = [(shown(group), *(shown(figures.get(name)) for name in columns)) for group, figures in groups.items()]
        html = table((shown(field), *map(named, columns)), rows, f"Figures of each {shown(field)}")
        if all({"n", "accuracy"} <= figures.keys() for figures in groups.values()):
            path = draft / f"by-{place}.png"
            plot_groups(groups, path)
            html = beside(html, plot(path, f"Share read right of each {field} with its 95% interval"))
        elif all({"n", "cer"} <= figures.keys() for figures in groups.values()):
            path = draft / f"by-{place}.png"
            plot_error_rates(groups, path)
            html = beside(html, plot(path, f"Character error rate by {field}"))
        if len(groups) >= FEWEST_FOLDED:
            html = folded(f"All {len(groups):,}", html)
        sections.append(Section(f"by-{place}", f"By {field}", html))
    return sections


def _learning(draft: Path, steps: Sequence[Step]) -> Section | None:
    if not steps:
        return None
    plot_learning(steps, draft / "learning.png")
    said = "; ".join(f"{step.clips:,} clips: {step.accuracy:.1%} of {step.n:,}" for step in steps)
    return Section("learning", "Learning curve", plot(draft / "learning.png", f"Read right after learning from {said}"))


def _reliability(draft: Path, targets: Sequence[str], predictions: Sequence[str], sure: Confidence) -> Section:
    correct = np.array([target == read for target, read in zip(targets, predictions, strict=True)])
    plot_reliability(reliability(sure, correct), draft / "reliability.png")
    error = expected_calibration_error(sure, correct)
    said = f"Mean confidence {sure.mean():.4f}, right {correct.mean():.4f}, expected calibration error {error:.4f}."
    alt = f"Reliability diagram, confidence against accuracy. {said}"
    return Section("confidence", "Confidence", paragraph(said) + plot(draft / "reliability.png", alt))


def _training(draft: Path, history: History) -> Section | None:
    drawn = {
        stage: {column: curve for column, curve in curves.items() if set(CURVES) & set(column.split("_"))}
        for stage, curves in history.items()
    }
    said = [
        f"{stage}, {column}: {curve.values[0]:.3g} to {curve.values[-1]:.3g}"
        for stage, curves in drawn.items()
        for column, curve in curves.items()
    ]
    if not said:
        return None
    plot_curves(history, draft / "curves.png")
    alt = f"Curves of the training, first to last value. {'; '.join(said)}"
    kinds = {kind for curves in drawn.values() for column in curves for kind in CURVES if kind in column.split("_")}
    return Section("training", "Training", plot(draft / "curves.png", alt, wide=len(kinds) > 1))


def _mistakes(targets: Sequence[str], predictions: Sequence[str]) -> Section | None:
    worst = worst_confusions(targets, predictions)
    if not worst:
        return None
    totals = Counter(targets)
    rows = [
        (shown(expected), shown(read), str(count), f"{count / totals[expected]:.0%}")
        for expected, read, count in worst[:MOST_MISTAKES]
    ]
    more = len(worst) - MOST_MISTAKES
    figures = table(
        ("expected", "read", "times", "share"),
        rows,
        "What was read wrong, how often, and in which share of what was expected",
    )
    said = paragraph(f"and {counted(more, 'kind')} more", kind="quiet") if more > 0 else ""
    return Section("mistakes", "Most frequent mistakes", figures + said)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)
