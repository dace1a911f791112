"""Values that must lie in a range, and the sentence that says so; None was not given, and is not looked at."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from signary.errors import InputError

FPS = "frames a second, 30 for example"


def above_zero(hint: str, **values: float | None) -> None:
    """Refuse what is not above 0 and finite.

    Parameters
    ----------
    hint : str
    **values : float or None
        By their names.

    Raises
    ------
    InputError

    Examples
    --------
    >>> above_zero("frames a second", fps=-5)
    Traceback (most recent call last):
    signary.errors.InputError: fps=-5, must be above 0 (frames a second)
    """
    for name, value in values.items():
        if value is not None and not 0 < value < math.inf:
            raise InputError(f"{name}={value}, must be above 0", hint=hint)


def at_least(least: float, hint: str, **values: float | None) -> None:
    """Refuse what is below ``least`` or not finite; parameters and errors as of `above_zero`."""
    for name, value in values.items():
        if value is not None and not least <= value < math.inf:
            raise InputError(f"{name}={value}, must be {least:g} or more", hint=hint)


def within(low: float, high: float, hint: str, **values: float | None) -> None:
    """Refuse what is not from ``low`` to ``high``; parameters and errors as of `above_zero`."""
    for name, value in values.items():
        if value is not None and not low <= value <= high:
            raise InputError(f"{name}={value}, must be {low:g} to {high:g}", hint=hint)


def one_of(known: Collection[Any], hint: str, **values: Any) -> None:
    """Refuse what is not among ``known``; parameters and errors as of `above_zero`."""
    for name, value in values.items():
        if value is not None and value not in known:
            raise InputError(f"{name}={value!r}, must be one of {', '.join(map(str, known))}", hint=hint)
