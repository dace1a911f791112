"""What a graph says of a clip, and the way of the hand in it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from signary.landmarks.sequence import HAND_SLOTS, LEFT, RIGHT, Points
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND

SLOTS = (LEFT_HAND, RIGHT_HAND)
SIGHTINGS = 60  # the hand's size is the median of as many
LEAST_SIZE = 1e-6

Read = TypeVar("Read")


def one_handed(points: Points, hand: str) -> Points:
    """Return points float32 (T, 543, 3) without the signer's other hand; ``auto`` leaves both."""
    if hand == "auto":
        return points
    points = points.copy()
    points[:, HAND_SLOTS[RIGHT if hand == LEFT else LEFT]] = np.nan
    return points


def hand_seen(points: Points) -> NDArray[np.bool_]:
    """Say in which frames some point of a hand was seen: points float32 (T, 543, 3) to bool (T,)."""
    left, right = (np.isfinite(points[:, slot, :2]).all(2).any(1) for slot in SLOTS)
    return np.asarray(left | right)


def hand_lowered(points: Points) -> NDArray[np.float64]:
    """Return how far below its usual place the upper hand is, in its heights.

    Parameters
    ----------
    points : float32 (T, 543, 3)

    Returns
    -------
    float64 (T,)
        Below 0 where it is higher; infinite where no hand was seen.
    """
    heights = np.stack([points[:, slot, 1] for slot in SLOTS])
    known = np.isfinite(heights)
    tops, bottoms = np.where(known, heights, np.inf).min(2), np.where(known, heights, -np.inf).max(2)
    upper = tops.argmin(0)[None]
    top, bottom = (np.take_along_axis(edges, upper, 0)[0] for edges in (tops, bottoms))
    below, seen = np.full(len(points), np.inf), np.isfinite(top)
    if seen.any():
        top, bottom = top[seen], bottom[seen]
        middle, size = (top + bottom) / 2, np.median(bottom - top)
        below[seen] = (middle - np.median(middle)) / max(size, LEAST_SIZE)
    return below


class Way:
    """Follow a hand, in hand sizes: each step by the size seen up to then, so that no later frame changes it."""

    def __init__(self) -> None:
        self._sizes: deque[float] = deque(maxlen=SIGHTINGS)
        self._center: NDArray[np.float64] | None = None
        self._at = np.zeros(2)

    def step(self, place: NDArray[np.float32]) -> NDArray[np.float64]:
        """Go on by one frame.

        Parameters
        ----------
        place : float32 (4,)
            As in `Reading`.

        Returns
        -------
        float64 (2,)
            From where the hand was first seen; NaN where it is not.
        """
        if place[3] <= 0.5:
            return np.full(2, np.nan)
        self._sizes.append(float(place[2]))
        center = place[:2].astype(np.float64)
        if self._center is not None:
            self._at = self._at + (center - self._center) / max(median(self._sizes), LEAST_SIZE)
        self._center = center
        return self._at


class Lead:
    """Choose between two hands, frame by frame: the one that was larger and seen longer up to now signs.

    `signary.features.hand.DominantHand` does so over a whole clip.
    """

    def __init__(self) -> None:
        self._sizes = np.zeros(len(SLOTS))

    def of(self, points: Points, aspect: float | None = None) -> Points:
        """Return points float32 (543, 3), of a picture of that aspect, in which at most one hand is seen."""
        hands = np.stack([points[slot, :2] for slot in SLOTS]).astype(np.float64)
        sizes = np.sqrt((hands.var(axis=1) / [1, (aspect or 1) ** 2]).sum(-1))
        self._sizes += np.nan_to_num(sizes)
        if not np.isfinite(sizes).all():
            return points
        points = points.copy()
        points[SLOTS[int(self._sizes.argmin())]] = np.nan
        return points


@dataclass(frozen=True, slots=True)
class Reading:
    """What the graph says of a clip.

    Parameters
    ----------
    probabilities : float32 (T, V)
        Calibrated.
    place : float32 (T, 4)
        Center x, y and size of the hand in picture widths, and 1 where it was seen.
    """

    probabilities: NDArray[np.float32]
    place: NDArray[np.float32]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Frames in which the hand was seen: bool (T,)."""
        return self.place[:, 3] > 0.5

    @property
    def position(self) -> NDArray[np.float64]:
        """Center of the hand in hand sizes, float64 (T, 2), see `Way`; NaN where it was not seen."""
        way = Way()
        return np.array([way.step(place) for place in self.place], np.float64).reshape(-1, 2)

    def averaged(self) -> Reading:
        """Return one row: the mean of the rows in which the hand was seen."""
        if not self.seen.any():
            return Reading(self.probabilities[:1], self.place[:1])
        return Reading(*(rows[self.seen].mean(0, keepdims=True) for rows in (self.probabilities, self.place)))


@dataclass(frozen=True, slots=True)
class WindowReading:
    """What the graph says of windows over a clip.

    Parameters
    ----------
    probabilities : float32 (W, V)
        Calibrated.
    first, last : int64 (W,)
        First and last frame in which a hand was seen in each window.
    seen : bool (T,)
        Frames in which a hand was seen.
    """

    probabilities: NDArray[np.float32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    seen: NDArray[np.bool_]

    def __getitem__(self, windows: NDArray[np.bool_]) -> WindowReading:
        """Return some of the windows."""
        return WindowReading(self.probabilities[windows], self.first[windows], self.last[windows], self.seen)

    def averaged(self) -> WindowReading:
        """Return the reading of a clip whose frames are all one moment."""
        moment = np.zeros_like(self.first)
        return WindowReading(self.probabilities, moment, moment, self.seen.any(keepdims=True))


@dataclass(frozen=True, slots=True)
class Clip(Generic[Read]):
    """A source as it was read.

    Parameters
    ----------
    reading : Reading or WindowReading
        T frames.
    times_s, ends_s : float64 (T,)
        From when to when the frames stand; all at one time: looks at one photo.
    fps : float
        Frames a second; 0 = not known.
    warnings : tuple of str
        What the source said.
    """

    reading: Read
    times_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    fps: float
    warnings: tuple[str, ...] = ()

    @property
    def is_photo(self) -> bool:
        """Whether all frames are looks at one moment."""
        return len(self.times_s) > 0 and self.times_s[-1] == self.times_s[0]
