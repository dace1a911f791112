"""Pictures of readings, as far as pictures can be tested: which clips are shown, and that colors are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_phrases import reading
from made_report import GRID, RIGHT, WRONG, colored

from signary.errors import InputError
from signary.evaluation.report.readings import chosen_readings, plot_error_rates, plot_readings, signing_hand
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND

pytest.importorskip("matplotlib")


def clip(seconds: float, *, seen: float = 1.0) -> LandmarkSequence:
    frames = int(20 * seconds) + 1
    points = np.full((frames, 543, 3), np.nan, np.float32)
    hand = np.random.default_rng(0).normal(0.5, 0.05, (21, 3))
    way = np.linspace(0, 0.1, frames)[: round(frames * seen), None, None]
    points[: len(way), RIGHT_HAND] = hand + way
    return LandmarkSequence(points, np.arange(frames) / 20, aspect=4 / 3)


def test_a_right_one_and_better_and_worse_ones_are_chosen() -> None:
    readings = [reading("anna", read) for read in ("xxxx", "anna", "anxa", "anna", "axxa")]
    assert chosen_readings(readings) == [1, 2, 4, 0]
    assert chosen_readings(readings[1:2]) == [0]
    assert chosen_readings([reading("a" * 30, "b"), reading("anna", "x")]) == [1]
    assert chosen_readings([reading("a" * 30, "b")]) == [0]
    assert chosen_readings([]) == []


def test_right_and_wrong_letters_and_gaps_are_drawn(tmp_path: Path) -> None:
    plot_readings([reading("oak", "oak")], [clip(1.0)], tmp_path / "right.png")
    plot_readings([reading("o$k", "x^{k", timed=False)], [clip(1.0, seen=0.5)], tmp_path / "wrong.png")
    assert colored(tmp_path / "right.png", RIGHT, near=7) > 20
    assert colored(tmp_path / "right.png", GRID, near=7) < 2000
    assert colored(tmp_path / "wrong.png", WRONG, near=7) > 20
    assert colored(tmp_path / "wrong.png", GRID, near=7) > 10_000
    nothing = LandmarkSequence(np.full((3, 543, 3), np.nan), np.arange(3) / 20)
    plot_readings([reading("oak", "")], [nothing], tmp_path / "nothing.png")
    with pytest.raises(InputError, match="0 readings"):
        plot_readings([], [], tmp_path / "none.png")


def test_the_hand_seen_more_is_shown() -> None:
    sequence = clip(1.0, seen=0.5)
    sequence.points[3, LEFT_HAND] = 0.2
    hand = signing_hand(sequence)
    np.testing.assert_allclose(hand[3, :, 0], sequence.points[3, RIGHT_HAND, 0])
    np.testing.assert_allclose(hand[3, :, 1], sequence.points[3, RIGHT_HAND, 1] * 3 / 4, rtol=1e-6)


def test_rates_of_groups_are_drawn(tmp_path: Path) -> None:
    groups = {" ": {"n": 4, "cer": 0.25}, "$": {"n": 2, "cer": 0.0}}
    plot_error_rates(groups, tmp_path / "rates.png")
    assert colored(tmp_path / "rates.png", RIGHT, near=7) > 1000
    with pytest.raises(InputError, match="0 groups"):
        plot_error_rates({}, tmp_path / "none.png")
