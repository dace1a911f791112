"""The interface of landmark detectors, and what they share."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np

from signary.errors import InputError
from signary.landmarks.sequence import LEFT, RIGHT, Points
from signary.landmarks.skeleton import HOLISTIC_543
from signary.video.frame import Frame

OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}


class Detector(AbstractContextManager["Detector"], Protocol):
    """Finds landmarks in frames; a context manager."""

    def detect(self, frame: Frame) -> Points:
        """Return float32 (543, 3) in the order of ``HOLISTIC_543``: x / width, y / height, z / width, NaN if not seen.

        x and y may lie outside 0 to 1: a point can be estimated beyond the edge of the picture.
        """
        ...

    def looks(self, frame: Frame) -> Points:
        """Detect in one or more views of a photo: float32 (K, 543, 3), a row per view, as from `detect`."""
        ...

    def reset(self) -> None:
        """Clear the tracking state between clips."""
        ...

    def close(self) -> None:
        """Free the networks."""
        ...


def check_max_hands(max_hands: int) -> None:
    """Raise `InputError` unless the number of hands is 1 or 2."""
    if max_hands not in (1, 2):
        raise InputError(f"max_hands={max_hands}, must be 1 or 2", hint="a signer has two hands at most")


def nothing_seen() -> Points:
    """Return float32 (543, 3) of NaN."""
    return np.full((len(HOLISTIC_543), 3), np.nan, np.float32)
