"""Pictures of any shape to squares of one size, the same for training and reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Scale the shorter edge to ``side`` pixels and crop to the middle.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    side : int
        S in pixels.

    Returns
    -------
    uint8 (S, S, 3)
    """
    height, width = image.shape[:2]
    if height == width == side:
        return image
    least = min(height, width)
    left, top = (width - least) / 2, (height - least) / 2
    box = (left, top, left + least, top + least)
    return _resized(image, (side, side), box)


def letterbox(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Scale the longer edge to ``side`` pixels and pad the shorter one with black; parameters as for `square`."""
    height, width = image.shape[:2]
    if height == width:
        return square(image, side)
    size = max(1, round(side * width / max(height, width))), max(1, round(side * height / max(height, width)))
    whole = np.zeros((side, side, 3), np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    whole[top : top + size[1], left : left + size[0]] = _resized(image, size)
    return whole


def _resized(
    image: NDArray[np.uint8], size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, box=box))
