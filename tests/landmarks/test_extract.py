"""Extraction with a detector that returns made points."""

from __future__ import annotations

import numpy as np
import pytest
from made_reader import MadeDetector, MadeFrames, make_points

from signary.errors import InputError
from signary.landmarks.extract import extract, look_closely
from signary.landmarks.skeleton import RIGHT_HAND
from signary.video.source import open_source


def test_a_clip_keeps_its_times_and_short_gaps_are_filled() -> None:
    points = make_points("AA--AA----------AA")
    told: list[tuple[int, int | None]] = []
    sequence = extract(MadeFrames(len(points), fps=30), MadeDetector(points), lambda done, of: told.append((done, of)))
    assert told == [(done, 18) for done in range(1, 19)]
    np.testing.assert_allclose(sequence.times_s, np.arange(18) / 30)
    assert sequence.aspect == 1.0
    seen = np.isfinite(sequence.points[:, RIGHT_HAND]).all((1, 2))
    assert seen.tolist() == [True] * 6 + [False] * 10 + [True] * 2
    np.testing.assert_array_equal(sequence.points[[0, 1, 4, 5]], points[[0, 1, 4, 5]])


def test_a_still_is_left_as_it_is() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    sequence = extract(open_source(image), MadeDetector(make_points("A")))
    assert (len(sequence), sequence.aspect, sequence.times_s.tolist()) == (1, 1.5, [0.0])


def test_no_frames_are_an_error() -> None:
    with pytest.raises(InputError, match="made: no frames") as caught:
        extract(MadeFrames(0, fps=30), MadeDetector(make_points("")))
    assert caught.value.hint


def test_looks_at_a_photo_share_its_time() -> None:
    class Looker(MadeDetector):
        def looks(self, frame: object) -> np.ndarray:
            return self.points

    points = make_points("AAB")
    sequence = look_closely(open_source(np.zeros((20, 30, 3), np.uint8)), Looker(points))
    assert sequence.times_s.tolist() == [0.0] * 3
    assert sequence.aspect == 1.5
    np.testing.assert_array_equal(sequence.points, points)
    with pytest.raises(InputError, match="no frames"):
        look_closely(MadeFrames(0, fps=30), Looker(points))
