"""Letters that are drawn."""

from __future__ import annotations

import numpy as np

from signary.text.strokes import as_photo, drawn_labels, join_hooks, read_strokes, runs_of, zigzags
from signary.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("A", "D", "I", "J", "Z"))
A, D, EYE, J, Z = range(5)
TIMES = np.arange(40) / 20


def still() -> np.ndarray:
    """Return a hand (40, 2) that does not move."""
    return np.zeros((40, 2))


def test_runs() -> None:
    assert runs_of(np.array([-1, 3, 3, -1, 2])) == [(3, 1, 3), (2, 4, 5)]
    assert runs_of(np.array([], np.int64)) == []


def test_an_i_that_becomes_a_j_is_one_j() -> None:
    runs = [(EYE, 0, 10), (J, 11, 20), (A, 22, 40)]
    assert join_hooks(runs, TIMES, VOCABULARY, 0.15) == [(J, 0, 20), (A, 22, 40)]
    apart = [(EYE, 0, 10), (J, 20, 30)]
    assert join_hooks(apart, TIMES, VOCABULARY, 0.15) == apart


def test_an_i_that_goes_down_and_aside_is_a_j() -> None:
    position = still()
    position[:, 1] = np.interp(TIMES, [0.2, 0.6], [0, 2])
    assert read_strokes([(EYE, 0, 40)], TIMES, position, VOCABULARY, 0.15) == [(EYE, 0, 40)]
    position[:, 0] = np.interp(TIMES, [0.6, 1.0], [0, 2])
    assert read_strokes([(EYE, 0, 40)], TIMES, position, VOCABULARY, 0.15) == [(J, 0, 40)]


def test_a_zigzag_is_a_z_whatever_it_looks_like() -> None:
    position = still()
    position[:, 0] = np.interp(TIMES, [0, 0.4, 0.8, 1.2, 2], [0, 2, 0, 2, 2])
    ((label, first, end),) = read_strokes([(D, 0, 12), (Z, 12, 40)], TIMES, position, VOCABULARY, 0.15)
    assert label == Z
    assert first <= 1
    assert 20 <= end <= 28
    assert read_strokes([(A, 0, 40)], TIMES, position, VOCABULARY, 0.15) == [(A, 0, 40)]


def test_a_pointing_finger_that_slides_once_stays_what_it_is() -> None:
    position = still()
    position[:, 0] = np.interp(TIMES, [0.5, 0.8], [0, 2])
    assert read_strokes([(D, 0, 40)], TIMES, position, VOCABULARY, 0.15) == [(D, 0, 40)]


def test_two_zigzags() -> None:
    x = np.interp(np.arange(80) / 20, np.arange(8) * 0.5, [0, 2, 0, 2, 0, 2, 0, 2])
    assert len(zigzags(np.arange(80) / 20, x)) == 2
    assert zigzags(TIMES, np.full(40, np.nan)) == []


def test_photos_show_no_movement() -> None:
    assert drawn_labels(VOCABULARY) == {J: [EYE], Z: [D]}
    weighed = as_photo(np.array([0.1, 0.35, 0.0, 0.0, 0.55]), VOCABULARY)
    assert weighed.argmax() == D
    assert abs(weighed.sum() - 1) < 1e-9
    digits = Vocabulary(("1", "2"))
    np.testing.assert_array_equal(as_photo(np.array([0.4, 0.6]), digits), [0.4, 0.6])
