"""Where hands are in a clip."""

from __future__ import annotations

import numpy as np
import pytest

from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.recognition.spelling.reader import hand_lowered


def test_the_upper_hand_is_lowered_by_its_heights() -> None:
    points = np.full((6, 543, 3), np.nan, np.float32)
    points[:, LEFT_HAND, 1] = np.linspace(0.8, 1.0, 21)  # at rest all the time
    points[:5, RIGHT_HAND, 1] = np.linspace(0.3, 0.4, 21)
    points[4, RIGHT_HAND, 1] += 0.15
    np.testing.assert_allclose(hand_lowered(points), [0, 0, 0, 0, 1.5, 5.5], atol=1e-5)


@pytest.mark.filterwarnings("error")
def test_no_hand_is_as_low_as_can_be() -> None:
    points = np.full((3, 543, 3), np.nan, np.float32)
    assert np.isinf(hand_lowered(points)).all()
    points[1, RIGHT_HAND, 1] = 0.5  # all points in one place
    assert hand_lowered(points).tolist() == [np.inf, 0, np.inf]
