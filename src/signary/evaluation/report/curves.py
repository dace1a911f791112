"""How a model learned: read from its run, and drawn. Drawing needs matplotlib."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError
from signary.evaluation.report.figure import GRID, INK, RIGHT, WRONG, drawn, shown_name, tidy
from signary.evaluation.report.plots import reach_of

FEWEST_SMOOTHED = 20  # a line of fewer values is smooth enough to the eye
SMOOTHED_SHARE = 0.05
CURVES = ("loss", "accuracy")


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


class Step(NamedTuple):
    """How well was read what was not learned from, after learning from ``clips``: ``accuracy`` (0 to 1) of ``n``."""

    clips: int
    accuracy: float
    n: int


def read_learning(run: Path) -> list[Step]:
    """Read accuracy against the number of clips learned from, ``learning_curve`` of a run's ``metrics.json``.

    Parameters
    ----------
    run : Path
        A run folder, or the ``bundle`` in it.

    Returns
    -------
    list of Step
        Fewest clips first; empty where there is none, or none that can be read.
    """
    try:
        steps = json.loads((_run_of(run) / "metrics.json").read_text(encoding="utf-8"))["learning_curve"]
        found = sorted(Step(int(step["clips"]), float(step["accuracy"]), int(step["n"])) for step in steps)
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [step for step in found if step.clips > 0 and step.n > 0 and 0 <= step.accuracy <= 1]


def plot_learning(steps: Sequence[Step], path: Path) -> None:
    """Draw accuracy, with its 95 % interval (Wilson), against the number of training clips.

    Parameters
    ----------
    steps : sequence of Step
        From `read_learning`.
    path : Path
        PNG to write.

    Raises
    ------
    InputError
        If there are no steps, or the file exists.
    ExtraMissing
        If matplotlib is not installed.
    """
    if not steps:
        raise InputError("0 steps: nothing to draw", hint="name a run with a learning curve")
    clips, share, n = np.array(steps, float).T
    with drawn(path, 6, 3.8) as figure:
        axes = figure.add_subplot()
        axes.errorbar(clips, share, yerr=reach_of(share, n).tolist(), color=RIGHT, ecolor=INK, capsize=3, marker="o")
        axes.set_xscale("log")
        axes.set_xticks(clips, [f"{count:,.0f}" for count in clips], fontsize=8, rotation=45)
        axes.minorticks_off()
        axes.set(ylim=(0, 1.02), xlabel="clips learned from", ylabel="share read right, with its 95 % interval")
        axes.grid(color=GRID, linewidth=0.6)
        tidy(axes)


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
    logs = _run_of(run) / "logs" / "csv"
    stages = {path.parent.name: _read_curves(path) for path in sorted(logs.glob("*/metrics.csv"))}
    return {stage: curves for stage, curves in stages.items() if curves}


def _run_of(run: Path) -> Path:
    run = run.absolute()
    return run.parent if run.name == "bundle" else run


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


def plot_curves(history: History, path: Path) -> None:
    """Draw loss and accuracy side by side, training against validation, one row for each stage of the training.

    Parameters
    ----------
    history : mapping of str to mapping of str to Curve
        Stage -> column -> curve, from `read_history`. Columns with ``loss`` or ``accuracy`` in their name are drawn.
        A single loss gets a smoothed line, too.
    path : Path
        PNG to write.

    Raises
    ------
    InputError
        If there is no loss and no accuracy, or the file exists.
    ExtraMissing
        If matplotlib is not installed.
    """
    stages = {stage: curves for stage, columns in history.items() if (curves := _kinds(columns))}
    if not stages:
        raise InputError("0 curves: nothing to draw", hint="name a run with a loss in logs/csv")
    kinds = [kind for kind in CURVES if any(kind in curves for curves in stages.values())]
    with drawn(path, 5.2 * len(kinds), 3.1 * len(stages) + 0.2) as figure:
        grid = figure.subplots(len(stages), len(kinds), squeeze=False)
        for line, (stage, curves) in zip(grid, stages.items(), strict=True):
            for axes, kind in zip(line, kinds, strict=True):
                if kind not in curves:
                    axes.set_axis_off()
                    continue
                _draw_curves(axes, curves[kind])
                axes.set_ylabel(kind)
                if kind == "accuracy":
                    axes.set_ylim(0, 1.02)
                axes.set_title(shown_name(stage), fontsize=10, loc="left", parse_math=False)
                tidy(axes)


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


def _kinds(columns: Mapping[str, Curve]) -> dict[str, dict[str, Curve]]:
    """Sort the columns of a stage into losses and accuracies, training first."""
    ordered = sorted(columns, key=lambda name: (not name.startswith("train"), name))
    found = {kind: {name: columns[name] for name in ordered if kind in name.split("_")} for kind in CURVES}
    return {kind: curves for kind, curves in found.items() if curves}


def _draw_curves(axes: Any, curves: Mapping[str, Curve]) -> None:
    others = [INK, "#7a6aa8", "#4f8a5b", "#b58a2c"]
    for place, (column, (places, values, unit)) in enumerate(curves.items()):
        name = shown_name(column.replace("_", " ").strip())
        color = RIGHT if name.startswith("val") else WRONG if name.startswith("test") else others[place % len(others)]
        alone = len(curves) == 1 and "loss" in name.split() and len(values) >= FEWEST_SMOOTHED
        look = {"marker": "o" if len(values) == 1 else "", "color": color, "alpha": 0.3 if alone else 1}
        axes.plot(places, values, label=name, linewidth=1.4, **look)
        if alone:
            line = smoothed(values, max(2, round(SMOOTHED_SHARE * len(values))))
            axes.plot(places, line, color=RIGHT, linewidth=1.8, label=f"{name}, smoothed")
        axes.set_xlabel(unit)
    axes.grid(color=GRID, linewidth=0.6)
    for text in axes.legend(frameon=False, fontsize=8).get_texts():
        text.set_parse_math(False)
