"""Landmarks to shaded pictures: a signer's hands before an upper body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from signary.avatar.flesh import FOREARM_RADIUS, Cones, flesh_of, hand_length
from signary.avatar.hand import Floats
from signary.avatar.look import Look
from signary.avatar.surface import shade
from signary.errors import InputError
from signary.landmarks.face import (
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    NOSE,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
)
from signary.landmarks.sequence import HAND_SLOTS, RIGHT, LandmarkSequence
from signary.landmarks.skeleton import FACE, POSE, POSE_NAMES
from signary.video.frame import Frame

Image = NDArray[np.uint8]

SMALLEST_PX, LARGEST_PX = 16, 4096
SHUTTER_STEPS = 4
_SHIFT = 4
_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
         150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_BROWS = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))


def render(
    sequence: LandmarkSequence, *, size: tuple[int, int] = (480, 480), look: Look | None = None
) -> Iterator[Frame]:
    """Draw a clip frame by frame.

    Parameters
    ----------
    sequence : LandmarkSequence
        ``HOLISTIC_543``; what is NaN is not drawn. The depth of a hand counts from its wrist.
    size : (int, int)
        Width and height in pixels, 16 to 4096.
    look : Look, optional

    Yields
    ------
    Frame

    Raises
    ------
    InputError
        If the size is out of range.
    """
    painter = Painter(size, look or Look(), sequence.as_holistic().aspect)
    before = None
    for index, (points, time_s) in enumerate(zip(sequence.as_holistic().points, sequence.times_s, strict=True)):
        yield Frame(painter.exposed(points, before), index, float(time_s))
        before = points


class Painter:
    """Draws single frames; holds what stays the same.

    Parameters
    ----------
    size : (int, int)
    look : Look
    aspect : float, optional
        Width / height that the points were made for; that of ``size`` by default.
    """

    def __init__(self, size: tuple[int, int], look: Look, aspect: float | None = None) -> None:
        if not all(SMALLEST_PX <= side <= LARGEST_PX for side in size):
            raise InputError(f"size={size}, must be {SMALLEST_PX} to {LARGEST_PX} pixels", hint="480, 480 for example")
        self.size, self.look = size, look
        self._aspect = aspect or size[0] / size[1]
        self._backdrop = look.backdrop_image(size)
        self._turn = look.turn()
        self._noise = np.random.default_rng(look.seed)

    def exposed(self, points: Floats, before: Floats | None = None) -> Image:
        """Draw one frame; ``before`` is where the points were, for the motion blur."""
        if not self.look.shutter or before is None:
            return self._finished(self._drawn(points))
        shares = np.linspace(self.look.shutter, 0, SHUTTER_STEPS)
        return self._finished(
            np.mean([self._drawn(points + np.float32(share) * (before - points)) for share in shares], 0)
        )

    def _drawn(self, points: Floats) -> Floats:
        points = self.placed(points)
        canvas = self._backdrop.copy()
        _draw_body(canvas, points, self.look)
        image = canvas.astype(np.float32)
        hands = [(side, points[slot]) for side, slot in HAND_SLOTS.items()]
        seen = [(side, hand) for side, hand in hands if np.isfinite(hand).all()]
        for side, hand in sorted(seen, key=lambda item: -float(item[1][:, 2].mean())):
            cones = flesh_of(hand, right=side == RIGHT)
            shade(_with_forearm(cones, hand, _pose(points, f"{side}_elbow")), hand, image, self.look)
        return image

    def _finished(self, image: Floats) -> Image:
        if self.look.noise:
            image = image + self._noise.normal(0, self.look.noise, image.shape).astype(np.float32)
        return np.clip(image, 0, 255).astype(np.uint8)

    def placed(self, points: Floats) -> Floats:
        """Put points (543, 3) into pixels as the camera stands; hands lie as deep as their wrists."""
        width, height = self.size
        placed = points * np.array([1, 1 / self._aspect, 1], np.float32)
        for side, slot in HAND_SLOTS.items():
            wrist = placed[POSE.start + POSE_NAMES.index(f"{side}_wrist")]
            placed[slot, 2] += wrist[2] if np.isfinite(wrist[2]) else 0
        middle = np.array([0.5, 0.5 / self._aspect, 0], np.float32)
        placed = (placed - middle) @ self._turn.T * (width * self.look.zoom)
        return np.asarray(placed + np.array([width / 2, height / 2, 0], np.float32), np.float32)


def _pose(points: Floats, name: str) -> Floats:
    return np.asarray(points[POSE.start + POSE_NAMES.index(name)])


def _with_forearm(cones: Cones, hand: Floats, elbow: Floats) -> Cones:
    """Let the arm go on behind the wrist, to the elbow if it is known."""
    size = hand_length(hand)
    palm = hand[[5, 9, 13, 17]].mean(0) - hand[0]
    away = elbow - hand[0] if np.isfinite(elbow).all() else -1.5 * palm
    length = np.linalg.norm(away)
    end = hand[0] + away / max(float(length), 1e-6) * min(float(length), 0.75 * size)
    start = hand[0] + 0.02 * palm
    return Cones(
        np.concatenate([[start], cones.start]).astype(np.float32),
        np.concatenate([[end], cones.end]).astype(np.float32),
        np.append(0.105 * size, cones.start_radius).astype(np.float32),
        np.append(FOREARM_RADIUS * size, cones.end_radius).astype(np.float32),
        np.concatenate([cones.back[:1], cones.back]),
        np.append(0, cones.part),
        np.append(False, cones.last),
    )


def _draw_body(canvas: Image, points: Floats, look: Look) -> None:
    """Draw shirt, arms, neck, head and face, as far as their points are there."""
    left, right = _pose(points, "left_shoulder"), _pose(points, "right_shoulder")
    if np.isfinite(left).all() and np.isfinite(right).all():
        _draw_shirt(canvas, points, left, right, look)
    face = points[FACE]
    if np.isfinite(face).all():
        _draw_head(canvas, face, look)


def _draw_shirt(canvas: Image, points: Floats, left: Floats, right: Floats, look: Look) -> None:
    width = float(np.linalg.norm((left - right)[:2]))
    middle, side = (left + right)[:2] / 2, (left - right)[:2] / width
    down = np.array([-side[1], side[0]])
    neck = [middle + 0.16 * width * side - 0.22 * width * down, middle - 0.16 * width * side - 0.22 * width * down]
    skin = _shade(look, 0.82)
    _fill(canvas, [neck[0], neck[1], middle - 0.19 * width * side, middle + 0.19 * width * side], skin)
    outline = [
        middle - 0.17 * width * side - 0.14 * width * down,
        right[:2] - 0.08 * width * side - 0.02 * width * down,
        right[:2] - 0.17 * width * side + 0.14 * width * down,
        middle - 0.55 * width * side + 2.2 * width * down,
        middle + 0.55 * width * side + 2.2 * width * down,
        left[:2] + 0.17 * width * side + 0.14 * width * down,
        left[:2] + 0.08 * width * side - 0.02 * width * down,
        middle + 0.17 * width * side - 0.14 * width * down,
        middle + 0.04 * width * down,
    ]
    _fill(canvas, outline, look.shirt)
    darker = tuple(0.88 * value for value in look.shirt)
    for name in ("left", "right"):
        joints = [_pose(points, f"{name}_{joint}") for joint in ("shoulder", "elbow", "wrist")]
        if np.isfinite(joints).all():
            _draw_sleeve(canvas, joints, width, darker)


def _draw_sleeve(canvas: Image, joints: list[Floats], width: float, color: tuple[float, ...]) -> None:
    shoulder, elbow, wrist = (joint[:2] for joint in joints)
    cuff = elbow + 0.62 * (wrist - elbow)
    for start, end, thick in ((shoulder, elbow, 0.26), (elbow, cuff, 0.2)):
        cv2.line(canvas, _pixel(start), _pixel(end), color, max(1, round(thick * width)), cv2.LINE_AA, _SHIFT)


def _draw_head(canvas: Image, face: Floats, look: Look) -> None:
    flat = face[:, :2]
    oval = flat[list(_OVAL)]
    middle = oval.mean(0)
    size = float(np.linalg.norm(flat[10] - flat[152]))
    up = (flat[10] - flat[152]) / size
    _fill(canvas, _ellipse(middle + 0.12 * size * up, 0.47 * size, 0.62 * size, up), look.hair)
    _fill(canvas, oval, _shade(look, 1.0))
    hairline = [point for point in oval if (point - middle) @ up > 0.33 * size]
    if len(hairline) > 2:
        _fill(canvas, hairline, look.hair)
    dark = _shade(look, 0.55)
    for brow in _BROWS:
        cv2.polylines(canvas, [_pixels(flat[list(brow)])], False, look.hair, max(1, round(0.022 * size)), 16, _SHIFT)
    for upper, lower in ((LEFT_EYE_UPPER, LEFT_EYE_LOWER), (RIGHT_EYE_UPPER, RIGHT_EYE_LOWER)):
        eye = flat[[*upper, *lower[::-1]]]
        _fill(canvas, eye, (238, 236, 232))
        _fill(canvas, _ellipse(eye.mean(0), 0.026 * size, 0.026 * size, up), (44, 32, 28))
    cv2.polylines(canvas, [_pixels(flat[list(NOSE)])], False, dark, max(1, round(0.012 * size)), 16, _SHIFT)
    red, green, blue = _shade(look, 0.85)
    _fill(canvas, flat[[*LIPS_OUTER_UPPER, *LIPS_OUTER_LOWER[::-1]]], (min(255, 1.08 * red), 0.72 * green, 0.74 * blue))


def _shade(look: Look, factor: float) -> tuple[float, float, float]:
    red, green, blue = (255 * np.clip(look.tone * factor, 0, 1)).tolist()
    return red, green, blue


def _ellipse(middle: Floats, half_width: float, half_height: float, up: Floats) -> Floats:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)[:, None]
    side = np.array([up[1], -up[0]])
    return np.asarray(middle + half_width * np.cos(angle) * side + half_height * np.sin(angle) * up)


def _fill(canvas: Image, outline: NDArray[np.floating[Any]] | list[Floats], color: tuple[float, ...]) -> None:
    cv2.fillPoly(canvas, [_pixels(np.asarray(outline))], tuple(color), cv2.LINE_AA, _SHIFT)


def _pixels(points: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
    return np.asarray(np.round(np.clip(points, -8192, 8192) * 2**_SHIFT), np.int32)


def _pixel(point: Floats) -> tuple[int, int]:
    x, y = _pixels(point).tolist()
    return x, y
