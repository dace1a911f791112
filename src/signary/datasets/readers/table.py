"""Rows of a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

from signary.errors import InputError


def read_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a CSV file.

    Parameters
    ----------
    path : Path
        UTF-8, column names in the first line.
    columns : tuple of str
        Required columns.

    Raises
    ------
    InputError
        If it cannot be read, lacks a required column, or has a row of another length.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream, restkey="", strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no readable CSV ({error})", hint="save it as UTF-8, with commas") from error
    if missing := [name for name in columns if not rows or name not in rows[0]]:
        raise InputError(f"{path}: lacks columns {', '.join(missing)}", hint="name them in its first line")
    for line, row in enumerate(rows, 2):
        if "" in row or None in row.values():
            raise InputError(f"{path}: line {line} has not as many cells as the first", hint="one cell a column")
    return rows
