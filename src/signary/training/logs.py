"""Training logs: CSV and TensorBoard always, MLflow on request."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from signary.errors import ExtraMissing
from signary.output import whole_file

CSV, ROWS, MLFLOW = "csv", "metrics.csv", "mlflow.db"
Row = dict[str, str]


def open_loggers(folder: Path, stage: str, *, mlflow: bool = False) -> list[Any]:
    """Return the loggers of a stage.

    Parameters
    ----------
    folder : Path
        The run's ``logs/``.
    stage : str
    mlflow : bool
        Also log to ``MLFLOW_TRACKING_URI``, or to an SQLite file beside the runs.

    Raises
    ------
    ExtraMissing
        If MLflow is requested but not installed.
    """
    loggers: list[Any] = [CSVLogger(folder, name=CSV, version=stage), TensorBoardLogger(folder, stage)]
    if mlflow:
        from lightning.pytorch.loggers import MLFlowLogger

        run = folder.parent
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{run.parent / MLFLOW}")
        try:
            loggers.append(MLFlowLogger("signary", run_name=f"{run.name}/{stage}", tracking_uri=uri))
        except ModuleNotFoundError as error:
            raise ExtraMissing.named("mlflow", "MLflow") from error
    return loggers


@contextlib.contextmanager
def joined_rows(folder: Path, stage: str) -> Iterator[None]:
    """Keep the CSV rows of a resumed stage: its logger starts an empty file.

    At the end they are put before its rows, without those of repeated steps. If it is killed, the next resume finds
    them in a file.
    """
    log = folder / CSV / stage / ROWS
    aside = folder / CSV / f"{stage}-earlier.csv"
    before = _in_order(_read_rows(aside), _read_rows(log))
    if not before:
        yield
        return
    _write_rows(aside, before)
    try:
        yield
    finally:
        _write_rows(log, _in_order(before, _read_rows(log)))
        aside.unlink()


def _in_order(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """Append rows to earlier ones, without those whose steps were repeated."""
    first = min((int(row["step"]) for row in after), default=sys.maxsize)
    return [*(row for row in before if int(row["step"]) < first), *after]


def _read_rows(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        # a kill may have cut the last row
        return [
            row for row in csv.DictReader(stream) if (row.get("step") or "").isdecimal() and None not in row.values()
        ]


def _write_rows(path: Path, rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with whole_file(path, force=True) as draft, draft.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
