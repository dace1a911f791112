"""Landmarks over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import ShapeError, SkeletonMismatch
from signary.landmarks.skeleton import HAND_21, HOLISTIC_543, LEFT_HAND, RIGHT_HAND, Skeleton, find_skeleton

Points = NDArray[np.float32]

LEFT, RIGHT = "left", "right"
HAND_SLOTS = {LEFT: LEFT_HAND, RIGHT: RIGHT_HAND}


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkSequence:
    """Points of one clip (or one picture: T = 1).

    Parameters
    ----------
    points : float32 (T, P, 3)
        x / width, y / height, z / width of the picture; NaN if not seen, never zero. Sides are the signer's own left
        and right in an unmirrored picture.
    times_s : float64 (T,)
        Seconds, not falling.
    skeleton : Skeleton or str
        Of the P points.
    aspect : float, optional
        Width / height of the picture; None if unknown.
    ends_s : float64 (T,), optional
        End of each frame in seconds; by default as `shown_until`.

    Raises
    ------
    ShapeError
        If the shapes do not match, times fall, or a frame ends before it begins.
    SkeletonMismatch
        If the skeleton is unknown.

    Examples
    --------
    >>> clip = LandmarkSequence(np.zeros((2, 543, 3)), [0.0, 0.04], "HOLISTIC_543", aspect=16 / 9)
    >>> len(clip), clip.duration_s
    (2, 0.04)
    """

    points: Points
    times_s: NDArray[np.float64]
    skeleton: Skeleton
    aspect: float | None
    ends_s: NDArray[np.float64]

    def __init__(
        self,
        points: ArrayLike,
        times_s: ArrayLike,
        skeleton: Skeleton | str = HOLISTIC_543,
        aspect: float | None = None,
        ends_s: ArrayLike | None = None,
    ) -> None:
        skeleton = find_skeleton(skeleton)
        array, times = np.asarray(points, np.float32), np.asarray(times_s, np.float64)
        if array.ndim != 3 or array.shape[1:] != (len(skeleton), 3):
            raise ShapeError(
                f"points.shape={array.shape}, must be (T, {len(skeleton)}, 3)", hint=f"points of {skeleton.name}"
            )
        if times.shape != array.shape[:1]:
            raise ShapeError(f"times_s.shape={times.shape}, must be ({len(array)},)", hint="one time a frame, seconds")
        if not np.isfinite(times).all() or (np.diff(times) < 0).any():
            raise ShapeError("times_s falls or is not finite, must rise", hint="sort the frames by time")
        if aspect is not None and not 0 < aspect < np.inf:
            raise ShapeError(f"aspect={aspect}, must be above 0", hint="width / height, or None where it is not known")
        ends = shown_until(times) if ends_s is None else np.asarray(ends_s, np.float64)
        if ends.shape != times.shape or not (ends >= times).all():
            raise ShapeError(f"ends_s {ends.shape}, must be ({len(array)},), none before its time", hint="seconds")
        for field, value in zip(fields(self), (array, times, skeleton, aspect, ends), strict=True):
            object.__setattr__(self, field.name, value)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last frame."""
        return float(self.times_s[-1] - self.times_s[0]) if len(self) else 0.0

    @property
    def fps(self) -> float:
        """Median frames a second; 0 for fewer than two frames."""
        steps = np.diff(self.times_s)
        step = float(np.median(steps)) if len(steps) else 0.0
        return 1 / step if step > 0 else 0.0

    @property
    def hand_rate(self) -> float:
        """Share of frames with a point of a hand (0 to 1)."""
        if not len(self):
            return 0.0
        slots = (slice(None),) if self.skeleton is HAND_21 else (LEFT_HAND, RIGHT_HAND)
        seen = [np.isfinite(self.points[:, slot, :2]).all(axis=2).any(axis=1) for slot in slots]
        return float(np.logical_or.reduce(seen).mean())

    def mirrored(self) -> LandmarkSequence:
        """Return the mirror image: x flipped, sides exchanged. An involution."""
        points = self.points[:, list(self.skeleton.mirror)].copy()
        points[..., 0] = 1 - points[..., 0]
        return self.with_points(points)

    def with_points(self, points: Points) -> LandmarkSequence:
        """Return the clip with other points."""
        return LandmarkSequence(points, self.times_s, self.skeleton, self.aspect, self.ends_s)

    def part(self, name: str) -> Points:
        """Return the points float32 (T, p, 3) of one part: ``face``, ``left_hand``, ``pose``, ``right_hand``."""
        if name not in self.skeleton.parts:
            hint = f"known: {', '.join(self.skeleton.parts)}"
            raise SkeletonMismatch(f"{name!r}: no such part of {self.skeleton.name}", hint=hint)
        return self.points[:, self.skeleton.parts[name]]

    def as_holistic(self, side: str = RIGHT) -> LandmarkSequence:
        """Return the clip in ``HOLISTIC_543``; a single hand goes to its ``side``."""
        if self.skeleton is HOLISTIC_543:
            return self
        if side not in HAND_SLOTS:
            raise ShapeError(f"side={side!r}, must be 'left' or 'right'", hint="the signer's own side")
        points = scattered(self.points, np.arange(len(HOLISTIC_543))[HAND_SLOTS[side]])
        return LandmarkSequence(points, self.times_s, HOLISTIC_543, self.aspect, self.ends_s)

    def __getitem__(self, frames: slice) -> LandmarkSequence:
        """Return a slice of the frames."""
        return LandmarkSequence(
            self.points[frames], self.times_s[frames], self.skeleton, self.aspect, self.ends_s[frames]
        )


def shown_until(times_s: ArrayLike, shown_s: Sequence[float | None] | None = None) -> NDArray[np.float64]:
    """Return the end time of each frame.

    Parameters
    ----------
    times_s : float64 (T,)
        Rising.
    shown_s : sequence of float, optional
        Longest duration of each frame; None: until the next one.

    Returns
    -------
    float64 (T,)
        Time of the next frame, or earlier by ``shown_s``. The last frame has its ``shown_s``, or the median step.

    Examples
    --------
    >>> shown_until([0.0, 0.1, 0.9], [None, 0.2, None]).round(3).tolist()
    [0.1, 0.3, 1.35]
    """
    times = np.asarray(times_s, np.float64)
    if not len(times):
        return times
    steps = np.diff(times)
    own = times + np.array([np.inf] * len(times) if shown_s is None else shown_s, np.float64)
    own[np.isnan(own)] = np.inf
    if not np.isfinite(own[-1]):
        # rounded, so that the last frames alone give the same as the whole clip
        own[-1] = times[-1] + (np.median(steps).round(9) if len(steps) else 0.0)
    return np.minimum(own, np.append(times[1:], np.inf))


def scattered(values: Points, points: Sequence[int] | NDArray[np.int64]) -> Points:
    """Place values (..., P, 3) at the indices ``points`` (P,) of float32 (..., 543, 3); the others are NaN."""
    placed = np.full((*values.shape[:-2], len(HOLISTIC_543), 3), np.nan, np.float32)
    placed[..., points, :] = values
    return placed


def join_sequences(parts: Sequence[LandmarkSequence]) -> LandmarkSequence:
    """Join clips of one skeleton in time; the aspect is that of the first.

    Raises
    ------
    ShapeError
        If there is no clip, or times fall.
    SkeletonMismatch
        If their skeletons differ.
    """
    if not parts:
        raise ShapeError("no sequences to join, must be one or more", hint="give at least one sequence")
    first = parts[0]
    for part in parts:
        if part.skeleton is not first.skeleton:
            hint = "as_holistic() brings them together"
            raise SkeletonMismatch(f"{part.skeleton.name} cannot be joined to {first.skeleton.name}", hint=hint)
    points, times, ends = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("points", "times_s", "ends_s")
    )
    return LandmarkSequence(points, times, first.skeleton, first.aspect, ends)
