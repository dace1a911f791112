"""What Kaggle's two landmark data sets share: a table of clips, a map of labels, a licence."""

from __future__ import annotations

import json
from pathlib import Path

from signary.errors import InputError

LICENCE = "CC BY 4.0"


def check_table(table: Path, reader: str, layout: str) -> None:
    """Raise `InputError` if there is no table of clips; its hint is the layout that the reader expects."""
    if not table.is_file():
        raise InputError(f"{table}: no such file", hint=f"{reader} expects {layout}")


def read_map(path: Path) -> list[str] | None:
    """Return the labels of a JSON map of label to number, in order, or None if there is no such file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if not path.is_file():
        return None
    try:
        return list(dict(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: no readable map ({error})", hint="download it again, or remove it") from error
