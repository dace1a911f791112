"""Track hands from frame to frame: the path of a hand, and which of two hands signs."""

from __future__ import annotations

from collections import deque
from statistics import median

import numpy as np
from numpy.typing import NDArray

from signary.landmarks.sequence import Points
from signary.recognition.reading import LEAST_SIZE, SLOTS

SIGHTINGS = 60  # frames over whose median the size of the hand is taken


class HandPath:
    """The path of a hand in hand sizes.

    Each step is divided by the median size up to that frame, so that later frames change nothing.
    """

    def __init__(self) -> None:
        self._sizes: deque[float] = deque(maxlen=SIGHTINGS)
        self._center: NDArray[np.float64] | None = None
        self._at = np.zeros(2)

    def step(self, place: NDArray[np.float32]) -> NDArray[np.float64]:
        """Add one frame.

        Parameters
        ----------
        place : float32 (4,)
            As in `signary.recognition.held.reader.Reading`.

        Returns
        -------
        float64 (2,)
            Position relative to the first sighting; NaN where the hand was not seen.
        """
        if place[3] <= 0.5:
            return np.full(2, np.nan)
        self._sizes.append(float(place[2]))
        center = place[:2].astype(np.float64)
        if self._center is not None:
            self._at = self._at + (center - self._center) / max(median(self._sizes), LEAST_SIZE)
        self._center = center
        return self._at


class LeadingHand:
    """Choose one of two hands in each frame: the one that was larger and seen in more frames so far.

    `signary.features.hand.DominantHand` does the same over a whole clip.
    """

    def __init__(self) -> None:
        self._sizes = np.zeros(len(SLOTS))

    def of(self, points: Points, aspect: float | None = None) -> Points:
        """Return points float32 (543, 3) with the other hand removed; ``aspect`` is width / height of the picture."""
        hands = np.stack([points[slot, :2] for slot in SLOTS]).astype(np.float64)
        sizes = np.sqrt((hands.var(axis=1) / [1, (aspect or 1) ** 2]).sum(-1))
        self._sizes += np.nan_to_num(sizes)
        if not np.isfinite(sizes).all():
            return points
        points = points.copy()
        points[SLOTS[int(self._sizes.argmin())]] = np.nan
        return points
