"""Checks that values lie in a range; None stands for a value that was not given and always passes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from signary.errors import InputError

FPS = "frames a second, 30 for example"


def above_zero(hint: str, **values: float | None) -> None:
    """Raise `InputError` with the name and ``hint`` for a value that is not above 0 and finite.

    Examples
    --------
    >>> above_zero("frames a second", fps=-5)
    Traceback (most recent call last):
    signary.errors.InputError: fps=-5, must be above 0 (frames a second)
    """
    _refuse(values, lambda value: 0 < value < math.inf, "above 0", hint)


def at_least(least: float, hint: str, **values: float | None) -> None:
    """Raise as `above_zero` for a value below ``least`` or not finite."""
    _refuse(values, lambda value: least <= value < math.inf, f"{least:g} or more", hint)


def within(low: float, high: float, hint: str, **values: float | None) -> None:
    """Raise as `above_zero` for a value outside ``low`` to ``high``."""
    _refuse(values, lambda value: low <= value <= high, f"{low:g} to {high:g}", hint)


def one_of(known: Collection[Any], hint: str, **values: Any) -> None:
    """Raise as `above_zero` for a value that is not in ``known``."""
    _refuse(values, lambda value: value in known, f"one of {', '.join(map(str, known))}", hint)


def _refuse(values: Mapping[str, Any], fits: Callable[[Any], bool], must: str, hint: str) -> None:
    for name, value in values.items():
        if value is not None and not fits(value):
            said = repr(value) if isinstance(value, str) else value
            raise InputError(f"{name}={said}, must be {must}", hint=hint)
