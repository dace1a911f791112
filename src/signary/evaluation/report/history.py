"""The history of a training, read from its run."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Curve(NamedTuple):
    """One logged value over a training.

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
    """Accuracy (0 to 1) on ``n`` clips outside the training data, after training on ``clips``."""

    clips: int
    accuracy: float
    n: int


def read_learning(run: Path) -> list[Step]:
    """Read the accuracy by number of training clips, ``learning_curve`` of a run's ``metrics.json``.

    Parameters
    ----------
    run : Path
        A run folder, or the ``bundle`` in it.

    Returns
    -------
    list of Step
        Fewest clips first; empty if there is none, or it cannot be read.
    """
    try:
        steps = json.loads((_run_of(run) / "metrics.json").read_text(encoding="utf-8"))["learning_curve"]
        found = sorted(Step(int(step["clips"]), float(step["accuracy"]), int(step["n"])) for step in steps)
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [step for step in found if step.clips > 0 and step.n > 0 and 0 <= step.accuracy <= 1]


def read_history(run: Path) -> dict[str, dict[str, Curve]]:
    """Read the log of a training that Lightning's CSV logger wrote, as far as possible.

    Parameters
    ----------
    run : Path
        As of `read_learning`.

    Returns
    -------
    dict of str to dict of str to Curve
        Stage (a folder of ``logs/csv``) -> column -> curve; empty if there is none. A stage is counted in epochs if
        all its columns hold one value an epoch, else in steps. Cells without a finite number are left out.
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
    # one axis for all, so that training and validation can be compared
    by_epoch = all(map(_is_by_epoch, logged.values()))
    return {column: _curve(cells, by_epoch) for column, cells in logged.items()}


def _logged(rows: Sequence[Mapping[str, Any]], column: str) -> list[tuple[float, float, float]]:
    """Return step, epoch (NaN if not known) and value of each row where the column holds a finite number."""
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
    # a resumed training may have logged an epoch twice: the last entry counts
    found = {epoch + 1 if by_epoch else step: value for step, epoch, value in cells}
    return Curve(sorted(found), [found[place] for place in sorted(found)], "epoch" if by_epoch else "step")


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan
