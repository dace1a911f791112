"""Draw landmarks and captions over pictures."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from signary.errors import ShapeError
from signary.landmarks.sequence import Points
from signary.landmarks.skeleton import Skeleton, find_skeleton
from signary.video.frame import check_picture

Image = NDArray[np.uint8]
Color = tuple[int, int, int]

# Blue and orange stay apart with every kind of color blindness; a hand runs from dark (thumb) to light (little finger).
BLUES: tuple[Color, ...] = ((0, 84, 150), (0, 114, 178), (40, 145, 210), (86, 180, 233), (165, 217, 247))
ORANGES: tuple[Color, ...] = ((168, 66, 0), (213, 94, 0), (230, 128, 0), (240, 165, 30), (250, 210, 110))
BODY_COLOR: Color = (225, 225, 225)
FACE_COLOR: Color = (190, 190, 190)
RIM_COLOR: Color = (20, 20, 20)
HAND_COLORS = {"left_hand": BLUES, "right_hand": ORANGES, "hand": ORANGES}

SMALLEST_PX = 9.0  # smallest legible letters
_SHIFT = 4  # OpenCV draws at sixteenths of a pixel
_FAR = 8  # points are drawn at most this many picture sizes away


@dataclass(frozen=True, slots=True)
class _Stroke:
    """Edges (E, 2) and joints (J,), indices of points, drawn in one color."""

    edges: NDArray[np.int64]
    joints: NDArray[np.int64]
    color: Color
    thin: bool = False


def draw_landmarks(
    image: Image, points: Points, skeleton: Skeleton | str = "HOLISTIC_543", *, thickness: int | None = None
) -> Image:
    """Draw a skeleton over a picture: left hand blue, right hand (or the only one) orange, body and face grey.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        RGB; not changed.
    points : float32 (P, 3)
        x / width, y / height, z (not used), possibly outside the picture. NaN points and their edges are not drawn.
    skeleton : Skeleton or str
        Of the P points.
    thickness : int, optional
        Line width of the hands in pixels, 1 or more; by default it follows the size of the picture.

    Returns
    -------
    uint8 (H, W, 3)
        A new picture.

    Raises
    ------
    ShapeError
        If the picture, the points or the thickness have a wrong shape or range.
    SkeletonMismatch
        If the skeleton is unknown.
    """
    skeleton = find_skeleton(skeleton)
    points = np.asarray(points, np.float32)
    check_picture(image)
    if points.shape != (len(skeleton), 3):
        raise ShapeError(f"points.shape={points.shape}, must be ({len(skeleton)}, 3)", hint="the points of one frame")
    if thickness is not None and thickness < 1:
        raise ShapeError(f"thickness={thickness}, must be 1 or more", hint="pixels")
    width = thickness or max(1, round(max(image.shape[:2]) / 320))
    canvas = np.ascontiguousarray(image).copy()
    places = _places(points, image.shape)
    seen = np.isfinite(points[:, :2]).all(axis=1)
    for stroke in _strokes(skeleton):
        _draw(canvas, places, seen, stroke, width)
    return canvas


def draw_label(image: Image, text: str) -> Image:
    """Write a caption, white on a dark band, at the bottom of a picture; a long text is shrunk, then cut.

    Picture, result and errors are as for `draw_landmarks`. Line breaks in ``text`` become spaces; an empty text changes
    nothing. The font has ASCII letters only: accents are dropped, other letters become "?".
    """
    check_picture(image)
    text = _ascii(" ".join(text.split()))
    canvas = np.ascontiguousarray(image).copy()
    height, width = image.shape[:2]
    if not text:
        return canvas
    size = max(SMALLEST_PX, height / 12)
    text, font = _fitted(text, size, 0.94 * width)
    band = min(height, round(1.5 * size))
    canvas[height - band :] //= 4
    picture = PillowImage.fromarray(canvas)
    ImageDraw.Draw(picture).text((width / 2, height - band / 2), text, fill="white", font=font, anchor="mm")
    return np.array(picture)


def contact_sheet(images: Sequence[Image], columns: int = 8) -> Image:
    """Lay pictures of one size in rows; the rest of the last row is white.

    Parameters
    ----------
    images : sequence of uint8 (H, W, 3)
    columns : int

    Returns
    -------
    uint8 (R * H, columns * W, 3)

    Raises
    ------
    ShapeError
        If there is no picture, or their sizes differ.
    """
    if not images or len({image.shape for image in images}) != 1:
        raise ShapeError(f"{len(images)} pictures, must be one or more of one size", hint="resize them first")
    height, width, depth = images[0].shape
    rows = -(-len(images) // columns)
    sheet = np.full((rows * columns, height, width, depth), 255, np.uint8)
    sheet[: len(images)] = images
    sheet = sheet.reshape(rows, columns, height, width, depth).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(sheet).reshape(rows * height, columns * width, depth)


def _ascii(text: str) -> str:
    letters = [letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)]
    return "".join(letter if letter.isascii() else "?" for letter in letters)


def _fitted(text: str, size: float, width: float) -> tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """Return a text and a font, at most ``size`` pixels tall, that together are at most ``width`` pixels wide."""
    font = ImageFont.load_default(size)
    length = font.getlength(text)
    if length <= width:
        return text, font
    font = ImageFont.load_default(max(SMALLEST_PX, size * width / length))
    kept = text[: int(width)]  # no letter is narrower than a pixel
    while kept and font.getlength(text) > width:
        kept = kept[:-1]
        text = f"{kept}..."
    return text, font


def _places(points: Points, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return where the points lie in OpenCV's fixed-point pixels, int32 (P, 2); those far outside are drawn nearer."""
    size = np.array([shape[1], shape[0]])
    near = np.clip(np.nan_to_num(points[:, :2], nan=0.0), -_FAR, _FAR).astype(np.float64)
    # the middle of the first pixel is at 0 for OpenCV, its edge is at 0 for landmarks
    places: NDArray[np.int32] = np.round((near * size - 0.5) * 2**_SHIFT).astype(np.int32)
    return places


def _strokes(skeleton: Skeleton) -> Iterator[_Stroke]:
    """Yield what to draw, from the back to the front."""
    edges, hands = np.array(skeleton.edges), []
    for name, part in skeleton.parts.items():
        inside = edges[(edges[:, 0] >= part.start) & (edges[:, 0] < part.stop)]
        if name == "face":
            yield _Stroke(inside, np.empty(0, np.int64), FACE_COLOR, thin=True)
        elif name == "pose":
            yield _Stroke(inside, np.unique(inside), BODY_COLOR)
        else:
            hands.append((inside, part.start, HAND_COLORS[name]))
    for hand in hands:
        yield from _fingers(*hand)


def _fingers(edges: NDArray[np.int64], wrist: int, colors: tuple[Color, ...]) -> Iterator[_Stroke]:
    """Yield a hand's fingers; an edge of the palm goes with the finger it leads to."""
    finger = (edges.max(axis=1) - wrist - 1) // 4
    for number, color in enumerate(colors):
        joints = wrist + 1 + 4 * number + np.arange(4)
        yield _Stroke(edges[finger == number], np.append(joints, wrist) if number == 0 else joints, color)


def _draw(canvas: Image, places: NDArray[np.int32], seen: NDArray[np.bool_], stroke: _Stroke, width: int) -> None:
    """Draw lines and joints, first with a dark rim so that they show on any ground."""
    lines = list(places[stroke.edges[seen[stroke.edges].all(axis=1)]])
    joints = [(int(x), int(y)) for x, y in places[stroke.joints[seen[stroke.joints]]]]
    radius = round(1.5 * width * 2**_SHIFT)
    rim = max(1, width // 2)
    if stroke.thin:
        cv2.polylines(canvas, lines, False, stroke.color, max(1, width // 2), cv2.LINE_AA, _SHIFT)
        return
    for color, extra in ((RIM_COLOR, rim), (stroke.color, 0)):
        cv2.polylines(canvas, lines, False, color, width + 2 * extra, cv2.LINE_AA, _SHIFT)
        for joint in joints:
            cv2.circle(canvas, joint, radius + extra * 2**_SHIFT, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)
