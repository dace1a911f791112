"""Landmarks to shaded pictures: a signer's hands in front of the upper body."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from signary.avatar.flesh import FOREARM_RADIUS, Cones, flesh_of, hand_length
from signary.avatar.hand import Floats
from signary.avatar.look import Look
from signary.avatar.scene import cuff_of, draw_body, point_of
from signary.avatar.surface import shade
from signary.errors import InputError
from signary.landmarks.sequence import HAND_SLOTS, RIGHT, LandmarkSequence
from signary.video.frame import Frame

Image = NDArray[np.uint8]

SMALLEST_PX, LARGEST_PX = 16, 4096
SHUTTER_STEPS = 4
GRAIN_SHIFT = 64  # sensor noise is drawn once and shifted in each frame


def render(
    sequence: LandmarkSequence, *, size: tuple[int, int] = (480, 480), look: Look | None = None
) -> Iterator[Frame]:
    """Draw a clip frame by frame.

    Parameters
    ----------
    sequence : LandmarkSequence
        ``HOLISTIC_543``; NaN is not drawn. The depth of a hand is relative to its wrist.
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
    """Draws single frames; keeps what is the same in all of them.

    Parameters
    ----------
    size : (int, int)
    look : Look
    aspect : float, optional
        Width / height of the picture of the points; that of ``size`` by default.
    """

    def __init__(self, size: tuple[int, int], look: Look, aspect: float | None = None) -> None:
        if not all(SMALLEST_PX <= side <= LARGEST_PX for side in size):
            raise InputError(f"size={size}, must be {SMALLEST_PX} to {LARGEST_PX} pixels", hint="480, 480 for example")
        self.size, self.look = size, look
        self._aspect = aspect or size[0] / size[1]
        self._backdrop = look.backdrop_image(size)
        self._turn = look.turn()
        self._random = np.random.default_rng(look.seed)
        shape = (size[1] + GRAIN_SHIFT, size[0] + GRAIN_SHIFT, 3)
        self._grain = np.float32(look.noise) * self._random.standard_normal(shape if look.noise else 0, np.float32)

    def exposed(self, points: Floats, before: Floats | None = None) -> Image:
        """Draw one frame; ``before`` are the previous points, for motion blur."""
        if not self.look.shutter or before is None:
            placed = self.placed(points)
            return self._finished(self._with_hands(self._with_body(placed), placed))
        way = np.nan_to_num(np.float32(self.look.shutter) * (before - points))  # new points stand still
        body = self._with_body(self.placed(points + way / 2))  # it moves too little for visible blur
        light = np.zeros_like(body)
        for share in np.linspace(0, 1, SHUTTER_STEPS, dtype=np.float32):
            light += self._with_hands(body.copy(), self.placed(points + share * way))
        return self._finished(light / SHUTTER_STEPS)

    def _with_body(self, placed: Floats) -> Floats:
        return draw_body(self._backdrop, placed, self.look)

    def _with_hands(self, image: Floats, placed: Floats) -> Floats:
        """Draw the hands into a picture, in place, the farther one first."""
        hands = [(side, placed[slot]) for side, slot in HAND_SLOTS.items()]
        seen = [(side, hand) for side, hand in hands if np.isfinite(hand).all()]
        for side, hand in sorted(seen, key=lambda item: -float(item[1][:, 2].mean())):
            cones = flesh_of(hand, right=side == RIGHT)
            shade(_with_forearm(cones, hand, cuff_of(placed, side)), hand, image, self.look)
        return image

    def _finished(self, image: Floats) -> Image:
        if not self.look.noise:
            return np.asarray(cv2.convertScaleAbs(image))
        height, width = self.size[1], self.size[0]
        top, left = self._random.integers(0, GRAIN_SHIFT, 2)
        grain = self._grain[top : top + height, left : left + width]
        return np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U))

    def placed(self, points: Floats) -> Floats:
        """Project points (543, 3) to pixels; hands get the depth of their wrists."""
        width, height = self.size
        placed = points * np.array([1, 1 / self._aspect, 1], np.float32)
        for side, slot in HAND_SLOTS.items():
            wrist = point_of(placed, f"{side}_wrist")
            placed[slot, 2] += wrist[2] if np.isfinite(wrist[2]) else 0
        middle = np.array([0.5, 0.5 / self._aspect, 0], np.float32)
        placed = (placed - middle) @ self._turn.T * (width * self.look.zoom)
        return np.asarray(placed + np.array([width / 2, height / 2, 0], np.float32), np.float32)


def _with_forearm(cones: Cones, hand: Floats, cuff: Floats) -> Cones:
    """Add the forearm from the wrist, into the sleeve if the position of its cuff is known."""
    size = hand_length(hand)
    palm = hand[[5, 9, 13, 17]].mean(0) - hand[0]
    away = cuff - hand[0] if np.isfinite(cuff).all() else -1.125 * palm
    length = max(float(np.linalg.norm(away)), 1e-6)
    end = hand[0] + away / length * min(max(length - 0.65 * FOREARM_RADIUS * size, 0.1 * size), 0.75 * size)
    return Cones(
        np.concatenate([[hand[0] + 0.02 * palm], cones.start]).astype(np.float32),
        np.concatenate([[end], cones.end]).astype(np.float32),
        np.append(0.105 * size, cones.start_radius).astype(np.float32),
        np.append(FOREARM_RADIUS * size, cones.end_radius).astype(np.float32),
        np.concatenate([cones.back[:1], cones.back]),
        np.append(0, cones.part),
        np.append(False, cones.last),
    )
