"""Plots of a training: learning curve, loss and accuracy. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError
from signary.evaluation.report.figure import GRID, INK, RIGHT, WRONG, drawn, shown_name, tidy
from signary.evaluation.report.history import Curve, History, Step
from signary.evaluation.report.plots import reach_of

FEWEST_SMOOTHED = 20  # a line of fewer values looks smooth enough
SMOOTHED_SHARE = 0.05
CURVES = ("loss", "accuracy")


def plot_learning(steps: Sequence[Step], path: Path) -> None:
    """Draw accuracy, with its 95 % interval (Wilson), against the number of training clips.

    Parameters
    ----------
    steps : sequence of Step
        From `read_learning`.
    path : Path
        PNG to write; for its errors see `drawn`.

    Raises
    ------
    InputError
        If there are no steps.
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


def plot_curves(history: History, path: Path) -> None:
    """Draw loss and accuracy side by side, training against validation, one row for each stage of the training.

    Parameters
    ----------
    history : mapping of str to mapping of str to Curve
        Stage -> column -> curve, from `read_history`. Columns with ``loss`` or ``accuracy`` in their name are drawn.
        A single loss gets a smoothed line, too.
    path : Path
        PNG to write; for its errors see `drawn`.

    Raises
    ------
    InputError
        If there is neither loss nor accuracy.
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
    """Return moving averages, float64 (N,).

    Parameters
    ----------
    values : sequence of float (N,)
    reach : int
        Neighbors on each side; at the ends as many as the shorter side has.

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
