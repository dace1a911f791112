"""Frames: valid and invalid pictures."""

from __future__ import annotations

import numpy as np
import pytest

from signary.errors import InputError, ShapeError
from signary.video.frame import Frame


def test_a_frame_knows_its_aspect_and_place() -> None:
    frame = Frame(np.zeros((48, 64, 3), np.uint8), index=2, time_s=0.08)
    assert (frame.aspect, frame.index, frame.time_s) == (4 / 3, 2, 0.08)


def test_one_pixel_is_a_picture() -> None:
    assert Frame(np.zeros((1, 1, 3), np.uint8)).aspect == 1


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
    ],
)
def test_anything_else_is_refused_with_its_shape(image: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"must be uint8 \(H, W, 3\)") as caught:
        Frame(image)
    assert isinstance(caught.value, InputError)
    assert str(image.shape) in caught.value.message
    assert caught.value.hint
