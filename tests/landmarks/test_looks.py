"""Every look leads back to the picture it was made of."""

from __future__ import annotations

import numpy as np
import pytest

from signary.landmarks.looks import LAST_LOOKS, LOOKS, VIDEO_LOOK, Look, turned, view_of


@pytest.mark.parametrize("look", [*LOOKS, *LAST_LOOKS, VIDEO_LOOK], ids=repr)
@pytest.mark.parametrize("shape", [(240, 320), (500, 300)])
def test_a_mark_is_taken_back_to_its_place(look: Look, shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 40, np.uint8)
    top, left = shape[0] // 2 + 9, shape[1] // 2 - 17  # near the middle, so that no border reflects it
    image[top : top + 9, left : left + 9] = 255
    view = view_of(image, look)
    bright = view.image[..., 0] > max(120, view.image.max() * 0.7)
    rows, columns = np.nonzero(bright)
    place = [(columns.mean() + 0.5) / view.image.shape[1], (rows.mean() + 0.5) / view.image.shape[0], 0.0]
    found = view.taken_back(np.array([place], np.float32))[0]
    expected = ((left + 4.5) / shape[1], (top + 4.5) / shape[0])
    assert found[:2] == pytest.approx(expected, abs=0.01)


def test_depth_is_in_widths_of_the_picture() -> None:
    view = view_of(np.zeros((480, 640, 3), np.uint8), Look(border=0.5))
    assert view.image.shape == (1120, 1280, 3)
    assert view.taken_back(np.array([[0.5, 0.5, 0.1]], np.float32))[0] == pytest.approx([0.5, 0.5, 0.2])


def test_turned_twice_is_the_picture() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert (turned(turned(image)) == image).all()
    assert (turned(image)[:, 0] == image[:, -1]).all()
