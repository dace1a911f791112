"""One picture with its time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signary.errors import ShapeError

Picture = NDArray[np.uint8]

DEFAULT_FPS = 30.0
LIVE_SHOWN_S = 0.1  # a picture of a camera is valid for this long


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a source.

    Parameters
    ----------
    image : uint8 (H, W, 3), RGB
    index : int
        From 0.
    time_s : float
        Since the first frame.
    shown_s : float, optional
        Longest duration; by default until the next frame.

    Raises
    ------
    ShapeError
        As `check_picture`.
    """

    image: Picture
    index: int = 0
    time_s: float = 0.0
    shown_s: float | None = None

    def __post_init__(self) -> None:
        check_picture(self.image)

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        return self.image.shape[1] / self.image.shape[0]


def check_picture(image: Picture) -> None:
    """Raise `ShapeError` unless a picture is uint8 (H, W, 3) with at least one pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        hint = "give RGB pictures with values 0 to 255, of one pixel or more"
        raise ShapeError(f"image {image.dtype} {image.shape}, must be uint8 (H, W, 3)", hint=hint)
