"""What was said of frames as a text with times: twins told apart, each letter until halfway to the next."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from signary.text.characters import CHARACTERS
from signary.text.spelled import spelled_text


def table(frames: str, sure: float = 0.95) -> NDArray[np.float64]:
    """Return logarithms in which each frame says its symbol; - is no character."""
    blank = len(CHARACTERS)
    said = [blank if symbol == "-" else CHARACTERS.index(symbol) for symbol in frames]
    rows = np.full((len(said), blank + 1), (1 - sure) / blank)
    rows[np.arange(len(said)), said] = sure
    return np.log(rows)


def test_letters_last_until_halfway_to_their_neighbors() -> None:
    found = spelled_text(table("--c---a--tt-"), CHARACTERS)
    assert found.text == "cat"
    assert found.first.tolist() == [0, 5, 8]
    assert found.last.tolist() == [4, 7, 11]


def test_symbols_of_one_shape_are_told_apart_and_as_sure_as_the_shape() -> None:
    found = spelled_text(table("b-0-b--2-0-6--5"), CHARACTERS)
    assert found.text.startswith("bob")
    assert found.rows[1, CHARACTERS.index("o")] == pytest.approx(0.95)
    assert found.rows[1, CHARACTERS.index("0")] < 0.01


def test_what_is_said_surely_is_trusted_more() -> None:
    sure, unsure = (spelled_text(table("c--a--t", share), CHARACTERS).confidence for share in (0.99, 0.5))
    assert 0 <= unsure < 0.5 < sure <= 1


def test_other_characters_have_no_twins() -> None:
    rows = np.log(np.full((3, 3), 0.1) + 0.7 * np.eye(3)[[0, 2, 1]])
    assert spelled_text(rows, "0f").text == "0f"


def test_nothing_is_a_text_too() -> None:
    found = spelled_text(table("-----"), CHARACTERS)
    assert (found.text, len(found.first), found.rows.shape[0]) == ("", 0, 0)
