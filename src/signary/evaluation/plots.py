"""Pictures of how well a model reads and of how it learned to. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from signary.errors import ExtraMissing, InputError, ShapeError
from signary.evaluation.metrics import ClassScore
from signary.evaluation.page import NOTHING
from signary.output import whole_file
from signary.text.calibrate import ReliabilityTable

DPI = 120
MOST_COUNTED = 40  # above so many classes the numbers in the cells are too small to read
MOST_NAMED = 120
LONGEST_NAME = 28  # a longer one would leave the plot no room

FEWEST_SMOOTHED = 20  # a line of fewer values is smooth enough to the eye
SMOOTHED_SHARE = 0.05

RIGHT, WRONG, INK = "#2f6f9f", "#c8553d", "#333333"
CURVES = ("loss", "accuracy")

Picture = NDArray[np.uint8]


class Curve(NamedTuple):
    """One figure over a training.

    Parameters
    ----------
    places : list of float (N,)
        Steps, or epochs counted from 1, in order.
    values : list of float (N,)
        Finite.
    unit : {"step", "epoch"}
    """

    places: list[float]
    values: list[float]
    unit: str = "step"


History = Mapping[str, Mapping[str, Curve]]


def plot_confusion(
    targets: Sequence[str], predictions: Sequence[str], labels: Sequence[str], path: Path, *, force: bool = False
) -> None:
    """Draw which class was read as which: a row a true class, its readings along it, counts in the cells.

    Parameters
    ----------
    targets, predictions : sequence of str (N,)
    labels : sequence of str
        Order of the classes; what is read beside them (``""``: nothing) gets columns of its own at the end.
    path : Path
        PNG to write.
    force : bool
        Write over an existing file.

    Raises
    ------
    InputError
        If there are no clips, a target is not among ``labels``, or the file exists and ``force`` is false.
    ShapeError
        If targets and predictions are not of one length.
    ExtraMissing
        If matplotlib is not installed.
    """
    rows = list(dict.fromkeys(labels))
    columns = [*rows, *sorted(set(predictions) - set(rows))]
    counts = confusion_counts(targets, predictions, rows, columns)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _figure(float(np.clip(2.2 + 0.3 * len(columns), 4.6, 16)), float(np.clip(1.5 + 0.3 * len(rows), 3.4, 15)))
    axes = figure.add_subplot()
    few = len(columns) <= MOST_COUNTED
    # Without numbers in the cells, single errors must show by their color alone.
    picture = axes.imshow(share, cmap="Blues", norm=_color_scale(1.0 if few else 0.4), aspect="auto")
    _name_ticks(axes, rows, columns)
    if few:
        _write_counts(axes, counts, share)
    axes.set_xlabel("read as")
    axes.set_ylabel("true class")
    right = int(sum(counts[row, row] for row in range(len(rows))))
    axes.set_title(f"{right} of {len(targets)} read right", fontsize=10, loc="left")
    if not few:
        figure.colorbar(picture, ax=axes, label="share of the true class", fraction=0.03, pad=0.02)
    _save(figure, path, force=force)


def plot_reliability(table: ReliabilityTable, path: Path, *, force: bool = False) -> None:
    """Draw confidence against accuracy: on the diagonal a model is as often right as it says.

    Parameters
    ----------
    table : ReliabilityTable
    path : Path
        PNG to write.
    force : bool
        Write over an existing file.

    Raises
    ------
    InputError
        If the file exists and ``force`` is false.
    ExtraMissing
        If matplotlib is not installed.
    """
    figure = _figure(5, 5.6)
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    width = np.diff(table.edges)
    filled = table.count > 0
    bins = {"x": table.edges[:-1][filled], "width": width[filled], "align": "edge", "edgecolor": "white"}
    above.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="as sure as right")
    above.bar(height=table.accuracy[filled], color=RIGHT, alpha=0.85, label="right", **bins)
    above.plot(table.mean_confidence[filled], table.accuracy[filled], "o", color=WRONG, label="at mean confidence")
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share right")
    above.legend(loc="upper left", frameon=False)
    below.bar(height=table.count[filled], color=INK, alpha=0.6, **bins)
    below.set(xlabel="confidence", ylabel="readings")
    _tidy(above, below)
    _save(figure, path, force=force)


def plot_per_class(scores: Mapping[str, ClassScore], path: Path, *, force: bool = False) -> None:
    """Draw the share read right of every class, worst first, with the number of clips.

    Parameters
    ----------
    scores : mapping of str to ClassScore
        From `signary.evaluation.metrics.per_class`.
    path : Path
        PNG to write.
    force : bool
        Write over an existing file.

    Raises
    ------
    InputError
        If there are no classes, or the file exists and ``force`` is false.
    ExtraMissing
        If matplotlib is not installed.
    """
    if not scores:
        raise InputError("0 classes: nothing to draw", hint="score at least one clip")
    ordered = sorted(scores.items(), key=lambda item: (item[1]["accuracy"], item[0]))
    figure = _figure(6, float(np.clip(1.1 + 0.22 * len(ordered), 2, 60)))
    axes = figure.add_subplot()
    places = np.arange(len(ordered))
    axes.barh(places, [score["accuracy"] for _, score in ordered], color=RIGHT, height=0.75)
    for place, (_, score) in enumerate(ordered):
        axes.text(1.01, place, f"{score['correct']}/{score['n']}", va="center", fontsize=7, color=INK)
    axes.set_yticks(places, [_shown(label) for label, _ in ordered], fontsize=8, parse_math=False)
    axes.set(xlim=(0, 1), ylim=(len(ordered) - 0.4, -0.6), xlabel="share read right")
    axes.grid(axis="x", color="white", linewidth=0.8)
    _tidy(axes)
    _save(figure, path, force=force)


def plot_curves(history: History, path: Path, *, force: bool = False) -> None:
    """Draw loss and accuracy side by side, training against validation, a row a stage of the training.

    Parameters
    ----------
    history : mapping of str to mapping of str to Curve
        Stage -> column -> curve, from `signary.evaluation.report.read_history`. Columns that hold a loss or an
        accuracy by their name are drawn; a loss that stands alone gets a smoothed line.
    path : Path
        PNG to write.
    force : bool
        Write over an existing file.

    Raises
    ------
    InputError
        If there is no loss and no accuracy, or the file exists and ``force`` is false.
    ExtraMissing
        If matplotlib is not installed.
    """
    stages = {stage: drawn for stage, columns in history.items() if (drawn := _kinds(columns))}
    if not stages:
        raise InputError("0 curves: nothing to draw", hint="name a run with a loss in logs/csv")
    kinds = [kind for kind in CURVES if any(kind in drawn for drawn in stages.values())]
    figure = _figure(5.2 * len(kinds), 3.1 * len(stages) + 0.2)
    grid = figure.subplots(len(stages), len(kinds), squeeze=False)
    for line, (stage, drawn) in zip(grid, stages.items(), strict=True):
        for axes, kind in zip(line, kinds, strict=True):
            if kind not in drawn:
                axes.set_axis_off()
                continue
            _draw_curves(axes, drawn[kind])
            axes.set_ylabel(kind)
            if kind == "accuracy":
                axes.set_ylim(0, 1.02)
            axes.set_title(_shown(stage), fontsize=10, loc="left", parse_math=False)
            _tidy(axes)
    _save(figure, path, force=force)


def plot_examples(
    rows: Sequence[tuple[str, Sequence[Picture], str, Sequence[Picture]]], path: Path, *, force: bool = False
) -> None:
    """Draw a contact sheet: in each row pictures that were read wrong, and beside them pictures to compare.

    Parameters
    ----------
    rows : sequence of (str, pictures, str, pictures)
        What the pictures on the left are and they themselves, uint8 (H, W, 3) RGB; the same for those on the right.
    path : Path
        PNG to write.
    force : bool
        Write over an existing file.

    Raises
    ------
    InputError
        If there are no pictures, or the file exists and ``force`` is false.
    ExtraMissing
        If matplotlib is not installed.
    """
    if not any(left or right for _, left, _, right in rows):
        raise InputError("0 pictures: nothing to draw", hint="give at least one")
    most = max(max(len(left), len(right)) for _, left, _, right in rows)
    figure = _figure(1.3 * 2 * most, 1.5 * len(rows))
    grid = figure.subplots(len(rows), 2 * most, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for line, (wrong, left, right, others) in zip(grid, rows, strict=True):
        for name, pictures, start, color in ((wrong, left, 0, WRONG), (right, others, most, RIGHT)):
            for axes, picture in zip(line[start:], pictures, strict=False):
                axes.imshow(picture)
            if len(pictures):
                line[start].set_title(_shown(name, 60), fontsize=9, loc="left", color=color, parse_math=False)
    _save(figure, path, force=force)


def smoothed(values: Sequence[float], reach: int) -> NDArray[np.float64]:
    """Return the mean of each value and its neighbors, float64 (N,).

    Parameters
    ----------
    values : sequence of float (N,)
    reach : int
        Neighbors on each side; at the ends as many as there are on the shorter side.

    Examples
    --------
    >>> smoothed([0, 3, 0, 3], 1).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    near = np.minimum(reach, np.minimum(places, len(values) - 1 - places))
    return np.asarray((sums[places + near + 1] - sums[places - near]) / (2 * near + 1))


def confusion_counts(
    targets: Sequence[str], predictions: Sequence[str], rows: Sequence[str], columns: Sequence[str]
) -> NDArray[np.int64]:
    """Count how often each true class (``rows``) was read as each of ``columns``: int64 (rows, columns).

    Raises
    ------
    InputError
        If there are no clips, or a target or prediction is not among them.
    ShapeError
        If targets and predictions are not of one length.
    """
    if len(targets) != len(predictions):
        raise ShapeError(f"{len(targets)} targets, {len(predictions)} predictions", hint="give one of each a clip")
    if not targets:
        raise InputError("0 clips: nothing to draw", hint="give at least one")
    down, across = ({label: place for place, label in enumerate(side)} for side in (rows, columns))
    if strange := sorted((set(targets) - set(down)) | (set(predictions) - set(across))):
        raise InputError(f"{strange}: not among the labels", hint="name every class")
    counts = np.zeros((len(rows), len(columns)), np.int64)
    np.add.at(counts, ([down[target] for target in targets], [across[read] for read in predictions]), 1)
    return counts


def _figure(width: float, height: float) -> Any:
    """Return a figure (inches) that draws with Agg, whatever windows the caller has open."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExtraMissing.named("train", "matplotlib") from error
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: Path, *, force: bool) -> None:
    with whole_file(path, force=force) as draft:
        figure.savefig(draft, format="png", facecolor="white")


def _shown(label: str, longest: int = LONGEST_NAME) -> str:
    text = label if label.strip() else NOTHING if not label else repr(label)
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _color_scale(gamma: float) -> Any:
    from matplotlib.colors import PowerNorm

    return PowerNorm(gamma, vmin=0, vmax=1)


def _name_ticks(axes: Any, rows: Sequence[str], columns: Sequence[str]) -> None:
    size = 9 if len(columns) <= MOST_COUNTED else 5
    for axis, labels in ((axes.xaxis, columns), (axes.yaxis, rows)):
        step = -(-len(labels) // MOST_NAMED)
        shown = [_shown(label) for label in labels[::step]]
        axis.set_ticks(range(0, len(labels), step), shown, fontsize=size, parse_math=False)
    for tick in axes.get_xticklabels():
        tick.set_rotation(90 if len(tick.get_text()) > 2 else 0)
    if len(columns) <= MOST_COUNTED:
        axes.set_xticks(np.arange(-0.5, len(columns)), minor=True)
        axes.set_yticks(np.arange(-0.5, len(rows)), minor=True)
        axes.grid(which="minor", color="#e6e6e6", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Any, counts: NDArray[np.int64], share: NDArray[np.float64]) -> None:
    size = 10 - 1.2 * len(str(counts.max()))  # so that four digits stay in their cell
    for row, column in zip(*np.nonzero(counts), strict=True):
        wrong = row != column
        color = "white" if share[row, column] > 0.55 else WRONG if wrong and share[row, column] < 0.25 else INK
        weight = "bold" if wrong else "normal"
        axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=size, color=color, weight=weight)


def _kinds(columns: Mapping[str, Curve]) -> dict[str, dict[str, Curve]]:
    """Sort the columns of a stage into losses and accuracies, training first."""
    ordered = sorted(columns, key=lambda name: (not name.startswith("train"), name))
    found = {kind: {name: columns[name] for name in ordered if kind in name.split("_")} for kind in CURVES}
    return {kind: curves for kind, curves in found.items() if curves}


def _draw_curves(axes: Any, curves: Mapping[str, Curve]) -> None:
    others = [INK, "#7a6aa8", "#4f8a5b", "#b58a2c"]
    for place, (column, (places, values, unit)) in enumerate(curves.items()):
        name = _shown(column.replace("_", " ").strip())
        color = RIGHT if name.startswith("val") else WRONG if name.startswith("test") else others[place % len(others)]
        alone = len(curves) == 1 and "loss" in name.split() and len(values) >= FEWEST_SMOOTHED
        look = {"marker": "o" if len(values) == 1 else "", "color": color, "alpha": 0.3 if alone else 1}
        axes.plot(places, values, label=name, linewidth=1.4, **look)
        if alone:
            line = smoothed(values, max(2, round(SMOOTHED_SHARE * len(values))))
            axes.plot(places, line, color=RIGHT, linewidth=1.8, label=f"{name}, smoothed")
        axes.set_xlabel(unit)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    for text in axes.legend(frameon=False, fontsize=8).get_texts():
        text.set_parse_math(False)


def _tidy(*axes: Any) -> None:
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
