"""MediaPipe's detectors on a photo of the avatar."""

from __future__ import annotations

import numpy as np
import pytest

from signary.avatar.look import Look
from signary.avatar.motion import plan_spelling
from signary.avatar.spell import spelled_frames
from signary.landmarks.detect import ENGINES, open_detector
from signary.landmarks.skeleton import RIGHT_HAND


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_view_of_a_photo_is_what_is_detected(engine: str) -> None:
    frames = list(spelled_frames(plan_spelling("B"), fps=5, look=Look(skin=6), size=(480, 480)))
    photo = frames[len(frames) // 2]
    with open_detector(engine, still=True) as detector:
        looks = detector.looks(photo)
        detector.reset()
        found = detector.detect(photo)
    assert looks.shape[1:] == found.shape == (543, 3)
    assert np.isfinite(found[RIGHT_HAND]).all()
    np.testing.assert_allclose(looks[0], found, atol=1e-6)
