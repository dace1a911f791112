"""Values out of their range are named, with the way out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from signary.errors import InputError
from signary.ranges import above_zero, at_least, one_of, within

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    "check, good, bad, said",
    [
        (above_zero, (1, 0.5, None), (0, -1, NAN, INFINITE), "must be above 0"),
        (partial(at_least, 1), (1, 7.5, None), (0, NAN, INFINITE), "must be 1 or more"),
        (partial(within, 0, 1), (0, 0.5, 1, None), (-0.1, 1.1, NAN), "must be 0 to 1"),
        (partial(one_of, ("a", "b")), ("a", "b", None), ("c", ""), "must be one of a, b"),
    ],
)
def test_ranges(check: Callable[..., None], good: tuple[object], bad: tuple[object], said: str) -> None:
    for value in good:
        check("the way out", name=value)
    for value in bad:
        with pytest.raises(InputError, match=said) as caught:
            check("the way out", other=good[0], name=value)
        assert caught.value.message.startswith(f"name={value!r}")
        assert caught.value.hint == "the way out"
