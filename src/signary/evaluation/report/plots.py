"""Plots of how well a model reads classes. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError, ShapeError
from signary.evaluation.metrics import ClassScore, wilson_interval
from signary.evaluation.report.figure import GRID, INK, RIGHT, WRONG, draw_bars, drawn, shown_name, tidy
from signary.text.calibrate import ReliabilityTable

MOST_COUNTED = 40  # above so many classes the numbers in the cells are too small to read
MOST_NAMED = 120

Picture = NDArray[np.uint8]


def plot_confusion(targets: Sequence[str], predictions: Sequence[str], labels: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix: one row for each true class, one column for each prediction, counts in the cells.

    Parameters
    ----------
    targets, predictions : sequence of str (N,)
    labels : sequence of str
        Order of the classes. Predictions outside them (``""``: nothing) get columns of their own at the end.
    path : Path
        PNG to write; for its errors see `drawn`.

    Raises
    ------
    InputError
        If there are no clips, or a target is not among ``labels``.
    ShapeError
        If targets and predictions differ in length.
    """
    rows = list(dict.fromkeys(labels))
    columns = [*rows, *sorted(set(predictions) - set(rows))]
    counts = confusion_counts(targets, predictions, rows, columns)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = int(np.trace(counts))
    few = len(columns) <= MOST_COUNTED
    size = float(np.clip(2.2 + 0.3 * len(columns), 4.6, 16)), float(np.clip(1.5 + 0.3 * len(rows), 3.4, 15))
    with drawn(path, *size) as figure:
        axes = figure.add_subplot()
        # without numbers in the cells, a single error must show by its color alone
        picture = axes.imshow(share, cmap="Blues", norm=_color_scale(1.0 if few else 0.4), aspect="auto")
        _name_ticks(axes, rows, columns)
        if few:
            _write_counts(axes, counts, share)
        axes.set(xlabel="read as", ylabel="true class")
        axes.set_title(f"{right} of {len(targets)} read right", fontsize=10, loc="left")
        if not few:
            figure.colorbar(picture, ax=axes, label="share of the true class", fraction=0.03, pad=0.02)


def plot_reliability(table: ReliabilityTable, path: Path) -> None:
    """Draw accuracy against confidence: a calibrated model lies on the diagonal.

    Parameters
    ----------
    table : ReliabilityTable
    path : Path
        PNG to write; for its errors see `drawn`.
    """
    width = np.diff(table.edges)
    filled = table.count > 0
    bins = {"x": table.edges[:-1][filled], "width": width[filled], "align": "edge", "edgecolor": "white"}
    with drawn(path, 5, 5.6) as figure:
        above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="as sure as right")
        above.bar(height=table.accuracy[filled], color=RIGHT, alpha=0.85, label="right", **bins)
        above.plot(table.mean_confidence[filled], table.accuracy[filled], "o", color=WRONG, label="at mean confidence")
        above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share right")
        above.legend(loc="upper left", frameon=False)
        below.bar(height=table.count[filled], color=INK, alpha=0.6, **bins)
        below.set(xlabel="confidence", ylabel="readings")
        tidy(above, below)


def plot_per_class(scores: Mapping[str, ClassScore], path: Path) -> None:
    """Draw the accuracy of every class, worst first, with the number of clips.

    Parameters
    ----------
    scores : mapping of str to ClassScore
        From `signary.evaluation.metrics.per_class`.
    path : Path
        PNG to write; for its errors see `drawn`.

    Raises
    ------
    InputError
        If there are no classes.
    """
    if not scores:
        raise InputError("0 classes: nothing to draw", hint="score at least one clip")
    ordered = sorted(scores.items(), key=lambda item: (item[1]["accuracy"], item[0]))
    notes = [f"{score['correct']}/{score['n']}" for _, score in ordered]
    shares = [score["accuracy"] for _, score in ordered]
    draw_bars(path, [label for label, _ in ordered], shares, notes, axis="share read right")


def plot_groups(groups: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw the accuracy of every group with its 95 % interval (Wilson), and the accuracy over all as a line.

    Parameters
    ----------
    groups : mapping of str to mapping
        Group -> its figures. ``n`` and ``accuracy`` are drawn, in order.
    path : Path
        PNG to write; for its errors see `drawn`.

    Raises
    ------
    InputError
        If there are no groups.
    """
    if not groups:
        raise InputError("0 groups: nothing to draw", hint="group by a column of the manifest")
    n, share = (np.array([group[name] for group in groups.values()], float) for name in ("n", "accuracy"))
    draw_bars(
        path,
        list(groups),
        share.tolist(),
        [f"of {count:,.0f}" for count in n],
        axis="share read right, with its 95 % interval",
        notes_at=1.02,
        reach=reach_of(share, n).tolist(),
        whole=float(n @ share / n.sum()),
    )


def plot_examples(rows: Sequence[tuple[str, Sequence[Picture], str, Sequence[Picture]]], path: Path) -> None:
    """Draw a contact sheet: each row has pictures that were read wrong, then pictures to compare them with.

    Parameters
    ----------
    rows : sequence of (str, pictures, str, pictures)
        Title and pictures, uint8 (H, W, 3) RGB, of the left half and of the right half.
    path : Path
        PNG to write; for its errors see `drawn`.

    Raises
    ------
    InputError
        If there are no pictures.
    """
    if not any(left or right for _, left, _, right in rows):
        raise InputError("0 pictures: nothing to draw", hint="give at least one")
    most = max(max(len(left), len(right)) for _, left, _, right in rows)
    with drawn(path, 1.3 * 2 * most, 1.5 * len(rows)) as figure:
        grid = figure.subplots(len(rows), 2 * most, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for line, (wrong, left, right, others) in zip(grid, rows, strict=True):
            for name, pictures, start, color in ((wrong, left, 0, WRONG), (right, others, most, RIGHT)):
                for axes, picture in zip(line[start:], pictures, strict=False):
                    axes.imshow(picture)
                if len(pictures):
                    title = {"fontsize": 9, "loc": "left", "color": color, "parse_math": False}
                    line[start].set_title(shown_name(name, 60), **title)


def reach_of(share: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the 95 % interval of each share reaches down and up: float64 (2, N), 0 to 1.

    Parameters
    ----------
    share : float64 (N,)
        Accuracy, 0 to 1.
    n : float64 (N,)
        Number of clips.
    """
    low, high = np.transpose([wilson_interval(round(part * of), int(of)) for part, of in zip(share, n, strict=True)])
    # rounding may put a share just outside its interval
    return np.maximum([share - low, high - share], 0)


def confusion_counts(
    targets: Sequence[str], predictions: Sequence[str], rows: Sequence[str], columns: Sequence[str]
) -> NDArray[np.int64]:
    """Count how often each true class (``rows``) was read as each of ``columns``: int64 (rows, columns).

    Raises
    ------
    InputError
        If there are no clips, a target is not among ``rows`` or a prediction not among ``columns``.
    ShapeError
        If targets and predictions differ in length.
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


def _color_scale(gamma: float) -> Any:
    from matplotlib.colors import PowerNorm

    return PowerNorm(gamma, vmin=0, vmax=1)


def _name_ticks(axes: Any, rows: Sequence[str], columns: Sequence[str]) -> None:
    size = 9 if len(columns) <= MOST_COUNTED else 5
    for axis, labels in ((axes.xaxis, columns), (axes.yaxis, rows)):
        step = -(-len(labels) // MOST_NAMED)
        shown = [shown_name(label) for label in labels[::step]]
        axis.set_ticks(range(0, len(labels), step), shown, fontsize=size, parse_math=False)
    for tick in axes.get_xticklabels():
        tick.set_rotation(90 if len(tick.get_text()) > 2 else 0)
    if len(columns) <= MOST_COUNTED:
        axes.set_xticks(np.arange(-0.5, len(columns)), minor=True)
        axes.set_yticks(np.arange(-0.5, len(rows)), minor=True)
        axes.grid(which="minor", color=GRID, linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Any, counts: NDArray[np.int64], share: NDArray[np.float64]) -> None:
    size = 10 - 1.2 * len(str(counts.max()))  # so that four digits stay in their cell
    for row, column in zip(*np.nonzero(counts), strict=True):
        wrong = row != column
        color = "white" if share[row, column] > 0.55 else WRONG if wrong and share[row, column] < 0.25 else INK
        weight = "bold" if wrong else "normal"
        axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=size, color=color, weight=weight)
