"""The wording of counts and of missing text."""

from __future__ import annotations

NOTHING = "(nothing)"


def counted(number: int, noun: str) -> str:
    """Return ``1 file`` or ``2 files``.

    Examples
    --------
    >>> counted(1, "file"), counted(1200, "class")
    ('1 file', '1,200 classes')
    """
    ending = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else ending}"
