"""Views of one photo: padded, blurred, rotated, mirrored; and the map back to its coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """How a view of a photo is made, and the detection threshold in it.

    Parameters
    ----------
    threshold : float
        Lowest palm score (0 to 1).
    border : float
        Padding on each side, as a share of the longer side: a hand that fills the photo is found only with padding.
    edge : int
        OpenCV's border type of the padding.
    blur_px : float
        Standard deviation of a Gaussian blur, after enlargement to `ENLARGED_PX`; hides grain and compression.
    squeeze : float
        Factor on the width, for stretched photos.
    turn_deg : float
        Rotation, counterclockwise.
    mirror : bool
        Mirror the photo.
    """

    threshold: float = 0.5
    border: float = 0.0
    edge: int = cv2.BORDER_REPLICATE
    blur_px: float = 0.0
    squeeze: float = 1.0
    turn_deg: float = 0.0
    mirror: bool = False


ENLARGED_PX = 480
# Errors differ between these views: reading all of them beats reading the best.
LOOKS = (
    Look(threshold=0.3),
    Look(border=0.25, threshold=0.3),
    Look(border=0.25, mirror=True, threshold=0.3),
    Look(border=0.25, turn_deg=15, threshold=0.3),
    Look(border=0.25, turn_deg=-15, threshold=0.3),
    Look(border=0.5, blur_px=2.0, threshold=0.3),
    Look(border=0.5, mirror=True, threshold=0.3),
)
# Tried in this order if all of those find no hand.
LAST_LOOKS = (
    Look(border=0.25, blur_px=3.0, threshold=0.1),
    Look(border=0.25, squeeze=0.75, threshold=0.1),
    Look(border=0.25, edge=cv2.BORDER_REFLECT_101, threshold=0.1),
    Look(border=0.5, edge=cv2.BORDER_CONSTANT, threshold=0.1),
    Look(border=1.0, threshold=0.1),
)
VIDEO_LOOK = Look()


@dataclass(frozen=True, slots=True)
class View:
    """A view of a picture, made by `view_of`.

    Parameters
    ----------
    image : uint8 (H, W, 3), RGB
    back : float32 (2, 3)
        Affine map from its pixels to those of the picture.
    size : (int, int)
        Width and height of the picture in pixels.
    """

    image: Image
    back: Floats
    size: tuple[int, int]

    def taken_back(self, points: Floats) -> Floats:
        """Map points float32 (P, 3) of the view to coordinates of the picture."""
        height, width = self.image.shape[:2]
        pixels = points * np.array([width, height, width], np.float32)
        flat = pixels[:, :2] @ self.back[:, :2].T + self.back[:, 2]
        depth = pixels[:, 2] * np.linalg.norm(self.back[:, 0])
        return np.column_stack([flat[:, 0] / self.size[0], flat[:, 1] / self.size[1], depth / self.size[0]])


def view_of(image: Image, look: Look) -> View:
    """Return the view of a picture, uint8 (H, W, 3), that ``look`` describes."""
    size = (image.shape[1], image.shape[0])
    if look in (VIDEO_LOOK, LOOKS[0]):
        return View(np.ascontiguousarray(image), np.eye(2, 3, dtype=np.float32), size)
    factor = max(1.0, ENLARGED_PX / min(size))
    width, height = (max(1, round(side * factor)) for side in (size[0] * look.squeeze, size[1]))
    view: Any = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    if look.blur_px:
        view = cv2.GaussianBlur(view, (0, 0), look.blur_px)
    pad = round(look.border * max(width, height))
    view = cv2.copyMakeBorder(view, pad, pad, pad, pad, look.edge)
    forth = np.array([[width / size[0], 0, pad], [0, height / size[1], pad], [0, 0, 1]])
    return View(*_moved(view, forth, look), size)


def turned(image: Image) -> Image:
    """Return the mirror image."""
    return np.ascontiguousarray(image[:, ::-1])


def _moved(view: Any, forth: NDArray[np.float64], look: Look) -> tuple[Image, Floats]:
    """Rotate and mirror a view; ``forth`` (3, 3) maps the picture to it."""
    height, width = view.shape[:2]
    if look.turn_deg:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), look.turn_deg, 1)
        view = cv2.warpAffine(view, turn, (width, height), borderMode=look.edge)
        forth = np.vstack([turn, [0, 0, 1]]) @ forth
    if look.mirror:
        view = turned(view)
        forth = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]]) @ forth
    return view, np.linalg.inv(forth)[:2].astype(np.float32)
