"""Letters and digits of one handshape, told apart by their neighbors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import ShapeError
from signary.text.characters import CHARACTERS
from signary.text.twins import TWINS, told_apart, twin_odds

TO_LETTERS = str.maketrans(TWINS)
TO_DIGITS = str.maketrans({letter: digit for digit, letter in TWINS.items()})


@pytest.mark.parametrize(
    "text",
    [
        "202-555-0126",
        "+1-960-220-6692",
        "6 wolfville road",
        "90210 willow view",
        "frank o'fowl",
        "www.wolf-woo.com",
        "https://flow.info/of_wool",
        "route 210",
        "apt 19",
        "alice w voorhees",
        "house of wood",
        "switch off",
        "606 vow street",
    ],
)
def test_phrases_come_back_however_they_were_read(text: str) -> None:
    assert told_apart(text.translate(TO_LETTERS)) == text
    assert told_apart(text.translate(TO_DIGITS)) == text


def test_a_reader_that_is_sure_is_believed() -> None:
    assert told_apart("of") == "of"
    assert told_apart("of", odds=[9, 9]) == "09"
    assert told_apart("of", odds=[0, 0]) == "of"
    with pytest.raises(ShapeError, match=r"odds \(3,\), must be \(2,\)"):
        told_apart("of", odds=[0, 0, 0])


@given(st.text(CHARACTERS, max_size=20))
def test_only_twins_change(text: str) -> None:
    told = told_apart(text)
    assert told.translate(TO_LETTERS) == text.translate(TO_LETTERS)
    assert told_apart(told) == told


def test_odds_are_those_of_the_rows() -> None:
    rows = np.full((3, 60), 0.001)
    rows[0, [CHARACTERS.index("v"), CHARACTERS.index("2")]] = 0.2, 0.8
    rows[1, CHARACTERS.index("a")] = 0.9
    rows[2, [CHARACTERS.index("o"), CHARACTERS.index("0")]] = 0.5, 0.0
    said = twin_odds("2ao", rows, CHARACTERS)
    assert said == pytest.approx([np.log(4), 0, np.log(1e-9 / 0.5)])
