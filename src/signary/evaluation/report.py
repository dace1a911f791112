"""An evaluation as a folder to read: ``report.html``, its pictures and ``evaluation.json``. Needs matplotlib."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import ShapeError, SignaryError
from signary.evaluation.page import (
    EVALUATION,
    Example,
    Mistake,
    Section,
    beside,
    counted,
    named,
    pairs,
    paragraph,
    plot,
    shown,
    table,
    write_page,
)
from signary.evaluation.plots import (
    CURVES,
    Curve,
    History,
    plot_confusion,
    plot_curves,
    plot_examples,
    plot_per_class,
    plot_reliability,
)
from signary.output import whole_folder
from signary.text.calibrate import expected_calibration_error, reliability
from signary.video.source import PHOTO_ENDINGS, VIDEO_ENDINGS, open_source

REPORT = "report.html"
MOST_MISTAKES = 20
MOST_PAIRS = 6
MOST_EXAMPLES = 3
THUMBNAIL_PX = 120
THUMBNAIL_ASPECT = 0.5, 2.0

Confidence = NDArray[np.float64]


def write_report(
    folder: Path,
    evaluation: Mapping[str, Any],
    targets: Sequence[str],
    predictions: Sequence[str],
    confidence: ArrayLike | None = None,
    *,
    paths: Sequence[Path] = (),
    history: History | None = None,
    force: bool = False,
) -> Path:
    """Write an evaluation into a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        To be made; the one above it exists.
    evaluation : mapping
        What ``signary evaluate --json`` says: ``model``, ``data``, ``n``, ``skipped``, ``trained_on``, ``metrics``,
        ``per_class`` (empty for spelling: then there are no pictures of classes), ``by``: what it was split by
        (``signer``) -> each of its groups -> their figures, and, where reading was timed, ``speed``.
    targets, predictions : sequence of str (N,)
        What was expected and what was read.
    confidence : (N,), optional
        Of each reading (0 to 1), for the reliability diagram.
    paths : sequence of Path (N,), optional
        The files, to show pictures of those that were read wrong.
    history : mapping, optional
        Of the model's training, from `read_history`.
    force : bool
        Put it in the place of an existing report.

    Returns
    -------
    Path
        ``folder``, which now holds ``report.html`` (all in one file), ``evaluation.json`` and, as far as they apply,
        the plots ``confusion.png``, ``per-class.png``, ``reliability.png``, ``confused-pairs.png``, ``curves.png``.

    Raises
    ------
    InputError
        If the folder exists and ``force`` is false, or holds something else than a report.
    ShapeError
        If targets, predictions, confidence and paths are not of one length.
    ExtraMissing
        If matplotlib is not installed.
    """
    sure = np.zeros(0) if confidence is None else np.asarray(confidence, np.float64)
    uneven = len(targets) != len(predictions) or (confidence is not None and sure.shape != (len(targets),))
    if uneven or len(paths) not in (0, len(targets)):
        sizes = f"{len(targets)} targets, {len(predictions)} predictions, confidence {sure.shape}, {len(paths)} paths"
        raise ShapeError(f"{sizes}: not of one length", hint="give one of each a clip")
    with whole_folder(folder, force=force, marks=(EVALUATION,)) as draft:
        classes = evaluation.get("per_class") or {}
        sections = [
            _pairs(draft, confused_pairs(targets, predictions, sure, paths)) if classes else None,
            _confusion(draft, classes, targets, predictions) if classes else None,
            _classes(draft, classes) if classes else None,
            _mistakes(targets, predictions),
            _reliability(draft, targets, predictions, sure) if sure.size else None,
            _training(draft, history or {}),
        ]
        (draft / REPORT).write_text(write_page(evaluation, sections), encoding="utf-8")
        content = json.dumps(evaluation, ensure_ascii=False, indent=2, default=_plain) + "\n"
        (draft / EVALUATION).write_text(content, encoding="utf-8", errors="backslashreplace")
    return folder


def worst_confusions(targets: Sequence[str], predictions: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return what was read wrong: expected, read, how often; the most frequent first, then by name."""
    wrong = Counter(pair for pair in zip(targets, predictions, strict=True) if pair[0] != pair[1])
    return sorted(((*pair, count) for pair, count in wrong.items()), key=lambda row: (-row[2], row[:2]))


def confused_pairs(
    targets: Sequence[str],
    predictions: Sequence[str],
    confidence: Sequence[float] | Confidence = (),
    paths: Sequence[Path] = (),
) -> list[tuple[Mistake, ...]]:
    """Find the classes that are most often taken for each other, in both directions together.

    Parameters
    ----------
    targets, predictions : sequence of str (N,)
        A prediction of ``""``, no answer, is no confusion.
    confidence : (N,), optional
        The surest readings are shown, which tell most; without it the first ones.
    paths : sequence of Path (N,), optional
        Without them there are no pictures.

    Returns
    -------
    list of tuples of Mistake
        Most frequent pair first. In a tuple the one or two directions, the more frequent first.
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, pair in enumerate(zip(targets, predictions, strict=True)):
        places[pair].append(place)
    totals, merged = Counter(targets), Counter[tuple[str, ...]]()
    for target, read, count in worst_confusions(targets, predictions):
        if read:
            merged[tuple(sorted((target, read)))] += count

    def mistake(target: str, read: str) -> Mistake:
        wrong, right = (_examples(places.get(pair, ()), confidence, paths) for pair in ((target, read), (read, read)))
        return Mistake(target, read, len(places[target, read]), totals[target], wrong, right)

    most = sorted(merged, key=lambda pair: (-merged[pair], pair))[:MOST_PAIRS]
    both = ([way for way in ((a, b), (b, a)) if way in places] for a, b in most)
    return [tuple(mistake(*way) for way in sorted(ways, key=lambda way: -len(places[way]))) for ways in both]


def thumbnail(path: Path) -> NDArray[np.uint8] | None:
    """Return a photo, or the first frame of a video, small: uint8 (120, W, 3) RGB, 60 <= W <= 240 (cut to that).

    What cannot be shown, a landmark file or a broken picture, is None.
    """
    from PIL import Image, ImageOps

    if path.suffix.lower() not in (*PHOTO_ENDINGS, *VIDEO_ENDINGS):
        return None
    try:
        with open_source(path) as frames:
            frame = next(iter(frames), None)
    except (SignaryError, OSError):
        return None
    if frame is None:
        return None
    width = round(THUMBNAIL_PX * float(np.clip(frame.aspect, *THUMBNAIL_ASPECT)))
    return np.asarray(ImageOps.fit(Image.fromarray(frame.image), (width, THUMBNAIL_PX)))


def read_history(run: Path) -> dict[str, dict[str, Curve]]:
    """Read what Lightning's CSV logger wrote of a training, as far as it can be read.

    Parameters
    ----------
    run : Path
        A run folder, or the ``bundle`` in it.

    Returns
    -------
    dict of str to dict of str to Curve
        Stage (a folder of ``logs/csv``) -> column -> curve; empty where there is none. A stage lies over epochs where
        all its columns hold one value an epoch, else over steps. Cells that hold no finite number are left out.
    """
    run = run.absolute()
    logs = (run.parent if run.name == "bundle" else run) / "logs" / "csv"
    stages = {path.parent.name: _read_curves(path) for path in sorted(logs.glob("*/metrics.csv"))}
    return {stage: curves for stage, curves in stages.items() if curves}


def _read_curves(path: Path) -> dict[str, Curve]:
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as stream:
            rows = list(csv.DictReader(stream, restkey=""))
    except (OSError, csv.Error):
        return {}
    columns = [column for column in (rows[0] if rows else ()) if column not in ("", "step", "epoch")]
    logged = {column: cells for column in columns if (cells := _logged(rows, column))}
    # one axis for all, so that training and validation lie over each other
    by_epoch = all(map(_is_by_epoch, logged.values()))
    return {column: _curve(cells, by_epoch) for column, cells in logged.items()}


def _logged(rows: Sequence[Mapping[str, Any]], column: str) -> list[tuple[float, float, float]]:
    """Return step, epoch (NaN if not known) and value of each row in which a column holds a finite number."""
    cells = [(place, *(_number(row.get(name)) for name in ("step", "epoch", column))) for place, row in enumerate(rows)]
    return [
        (step if math.isfinite(step) else place, epoch, value)
        for place, step, epoch, value in cells
        if math.isfinite(value)
    ]


def _is_by_epoch(cells: Sequence[tuple[float, float, float]]) -> bool:
    steps, epochs, _ = (set(column) for column in zip(*cells, strict=True))
    return all(map(math.isfinite, epochs)) and len(epochs) == len(steps)


def _curve(cells: Sequence[tuple[float, float, float]], by_epoch: bool) -> Curve:
    # a resumed training may have logged an epoch twice: what it logged last is what went on
    found = {epoch + 1 if by_epoch else step: value for step, epoch, value in cells}
    return Curve(sorted(found), [found[place] for place in sorted(found)], "epoch" if by_epoch else "step")


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan


def _examples(
    places: Iterable[int], confidence: Sequence[float] | Confidence, paths: Sequence[Path]
) -> tuple[Example, ...]:
    found: list[Example] = []
    for place in sorted(places, key=lambda place: -confidence[place] if len(confidence) else 0) if paths else ():
        if (image := thumbnail(paths[place])) is not None:
            found.append(Example(image, paths[place].name, confidence[place] if len(confidence) else None))
        if len(found) == MOST_EXAMPLES:
            break
    return tuple(found)


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
            "The surest readings of each kind. These are pictures from the data: pass this page on only as the data "
            "may be passed on.", kind="quiet",
        )  # fmt: skip
    return Section("pairs", "Most confused pairs", said + pairs(confused))


def _confusion(
    draft: Path, per_class: Mapping[str, Any], targets: Sequence[str], predictions: Sequence[str]
) -> Section:
    labels = [*per_class, *sorted(set(targets) - set(per_class))]
    plot_confusion(targets, predictions, labels, draft / "confusion.png")
    right = sum(target == read for target, read in zip(targets, predictions, strict=True))
    alt = f"Confusion matrix of {counted(len(labels), 'class')}: {right} of {len(targets)} read right"
    said = paragraph("A row holds the files of one true class, a column what was read.", kind="quiet")
    return Section("confusion", "Confusion matrix", said + plot(draft / "confusion.png", alt, wide=len(labels) > 12))


def _classes(draft: Path, per_class: Mapping[str, Any]) -> Section:
    plot_per_class(per_class, draft / "per-class.png")
    columns = ("n", "correct", "precision", "recall", "f1")
    ordered = sorted(per_class.items(), key=lambda item: (item[1]["accuracy"], item[0]))
    rows = [(shown(label), *(shown(score[column]) for column in columns)) for label, score in ordered]
    figures = table(("class", *map(named, columns)), rows, "Every class, worst first")
    alt = f"Share read right of each class, from {ordered[0][1]['accuracy']:.0%} to {ordered[-1][1]['accuracy']:.0%}"
    return Section("classes", "Classes", beside(figures, plot(draft / "per-class.png", alt)))


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
