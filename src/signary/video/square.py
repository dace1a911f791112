"""Pictures of any shape to squares of one size, the same way for training and for reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Scale the shorter edge to ``side`` pixels and cut the middle out.

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
    from PIL import Image

    least = min(height, width)
    left, top = (width - least) / 2, (height - least) / 2
    box = (left, top, left + least, top + least)
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR, box=box))


def letterbox(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Scale the longer edge to ``side`` pixels and put black beside the shorter one.

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
    if height == width:
        return square(image, side)
    from PIL import Image

    size = max(1, round(side * width / max(height, width))), max(1, round(side * height / max(height, width)))
    whole = np.zeros((side, side, 3), np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    whole[top : top + size[1], left : left + size[0]] = resized
    return whole
