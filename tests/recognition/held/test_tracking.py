"""Hands that are tracked from frame to frame."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.recognition.held.reader import Reading
from signary.recognition.held.tracking import LeadingHand


def test_the_hand_that_leads_stays_the_same() -> None:
    points = np.full((4, 543, 3), np.nan, np.float32)
    shape = np.random.default_rng(0).random((21, 3))
    for frame, (left, right) in enumerate([(1.0, 0.8), (0.9, 1.0), (0.9, 0.0), (0.1, 1.0)]):
        for slot, size in ((LEFT_HAND, left), (RIGHT_HAND, right)):
            points[frame, slot] = size * shape if size else np.nan
    before, lead = points.copy(), LeadingHand()
    kept = np.stack([lead.of(row) for row in points])
    np.testing.assert_array_equal(points, before)
    np.testing.assert_array_equal(kept[:, LEFT_HAND], points[:, LEFT_HAND])
    assert np.isnan(kept[:, RIGHT_HAND]).all()
    np.testing.assert_array_equal(LeadingHand().of(points[2]), points[2])
    many = np.repeat(points[3:], 9, axis=0)
    assert np.isfinite([lead.of(row) for row in many][-1][RIGHT_HAND]).all()


@given(
    centers=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 0.5)), min_size=1, max_size=20),
    factor=st.floats(0.5, 2),
)
def test_the_way_is_in_hand_sizes(centers: list[tuple[float, float, float]], factor: float) -> None:
    place = np.array([(*center, 1.0) for center in centers])
    near = place * [factor, factor, factor, 1]
    none = np.zeros((len(place), 0), np.float32)
    position = Reading(none, place).position
    np.testing.assert_allclose(Reading(none, near).position, position, atol=1e-9)
    for frames in range(1, len(place)):
        np.testing.assert_array_equal(Reading(none[:frames], place[:frames]).position, position[:frames])
    place[0, 3] = 0
    assert np.isnan(Reading(none, place).position[0]).all()
