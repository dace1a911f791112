"""Arrays as pictures: the meaning of their axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import ShapeError
from signary.video.frame import Picture

CHANNELS = (1, 3, 4)  # grey, RGB, RGBA
SHAPES = "uint8 (H, W), (H, W, 3) or (H, W, 4), of a clip (T, H, W, 3)"


def as_pictures(array: NDArray[Any], *, timed: bool = False) -> Picture:
    """Return an array of any layout as one RGB picture or a clip.

    Parameters
    ----------
    array : uint8 (H, W), (H, W, C), (C, H, W), (T, H, W), (T, H, W, C) or (T, C, H, W)
        C is 1 (grey), 3 (RGB) or 4 (RGBA, over white). The first axis is C only if the last cannot be.
    timed : bool
        It is a clip, so that three axes are grey pictures.

    Returns
    -------
    uint8 (H, W, 3) or (T, H, W, 3)

    Raises
    ------
    ShapeError
        If it has another dtype or shape, is empty, or is ambiguous.
    """
    check_values(array)
    shape, axes = array.shape, array.ndim
    last, first = axes > 2 and shape[-1] in CHANNELS, axes > 2 and shape[-3] in CHANNELS
    if axes == 2 or (axes == 3 and not last and (timed or not first)):
        return _as_rgb(array[..., None])
    if axes in (3, 4) and (last or first):
        return _as_rgb(array if last else np.moveaxis(array, -3, -1))
    raise ShapeError(f"array {array.dtype} {shape}, must be {SHAPES}", hint="give RGB pictures with values 0 to 255")


def check_values(array: NDArray[Any]) -> None:
    """Raise `ShapeError`, with the missing conversion, for an array that is empty or not uint8."""
    what = f"array {array.dtype} {array.shape}"
    if not array.size:
        raise ShapeError(f"{what}, must be {SHAPES}", hint="it is empty")
    if array.dtype == np.uint8:
        return
    hints = {
        "f": "of values 0 to 1: (255 * array).round().astype('uint8'); of 0 to 255: array.round().astype('uint8')",
        "u": "of 16 bits: (array // 257).astype('uint8'); of values 0 to 255: array.astype('uint8')",
        "i": "of values 0 to 255: array.astype('uint8')",
        "b": "white and black: 255 * array.astype('uint8')",
    }
    raise ShapeError(f"{what}, must be {SHAPES}", hint=hints.get(array.dtype.kind, "give pictures of values 0 to 255"))


def _as_rgb(array: NDArray[Any]) -> Picture:
    """Return pictures uint8 (..., H, W, C) as (..., H, W, 3)."""
    if array.shape[-1] == 3:
        return np.asarray(array)
    if array.shape[-1] == 1:
        return np.repeat(array, 3, axis=-1)
    colors, alpha = array[..., :3].astype(np.uint16), array[..., 3:].astype(np.uint16)
    return np.asarray((colors * alpha + 255 * (255 - alpha) + 127) // 255, np.uint8)
