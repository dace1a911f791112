"""Repair brief detector errors: hands lost for some frames, and exchanged sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, RIGHT_HAND

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

# Distances in hand sizes: the median diagonal of the box around a hand in this clip.
STAY = 0.5  # a hand moves less than this between two sightings
JUMP = 0.75  # exchanging the sides must reduce the distance by at least this
APART = 1.0  # hands nearer than this can be confused
# Seconds.
MAX_LINK_S = 0.25  # sightings further apart are unrelated
MAX_RUN_S = 1.0  # a longer exchange is a movement of the signer
_TOLERANCE_S = 1e-6


def repair(sequence: LandmarkSequence) -> LandmarkSequence:
    """Return a clip after `keep_sides`, then `fill_gaps`."""
    return fill_gaps(keep_sides(sequence))


def fill_gaps(sequence: LandmarkSequence, *, max_gap_s: float = 0.2) -> LandmarkSequence:
    """Return a clip with short gaps of each part (hand, body, face) interpolated linearly; idempotent.

    A part is missing in a frame if all of its points are NaN. A point that is missing in one of the two sightings stays
    NaN, as do gaps at the ends.

    Parameters
    ----------
    sequence : LandmarkSequence
        Not changed.
    max_gap_s : float
        Longest time between the two sightings around a gap; 0 fills nothing.

    Raises
    ------
    InputError
        If ``max_gap_s`` is negative or NaN.
    """
    if not max_gap_s >= 0:
        raise InputError(f"max_gap_s={max_gap_s}, must be 0 or more", hint="seconds, for example 0.2")
    points = sequence.points.copy()
    for part in sequence.skeleton.parts.values():
        _fill(points[:, part], sequence.times_s, max_gap_s)
    return sequence.with_points(points)


def keep_sides(sequence: LandmarkSequence) -> LandmarkSequence:
    """Return a clip with the hands' sides exchanged where a detector confused them briefly; idempotent.

    A flip is when both hands jump to each other's place between two sightings, or one hand stays in its place but
    changes its side. Between long pauses, flips divide a clip into stretches of two kinds. The kind with more frames
    (or the first) is correct; stretches of the other kind that last at most `MAX_RUN_S` are exchanged. Touching hands
    are not changed, since they cannot be told apart. The given clip is not changed; one of ``HAND_21`` is returned.
    """
    if sequence.skeleton is not HOLISTIC_543:
        return sequence
    wrists = _wrists(sequence)
    seen = np.flatnonzero(np.isfinite(wrists[..., 0]).any(axis=1))
    if len(seen) < 2:
        return sequence
    swapped = seen[_confused(wrists[seen], sequence.times_s[seen])]
    points = sequence.points.copy()
    points[swapped] = _exchanged(points[swapped])
    return sequence.with_points(points)


class Sides:
    """`keep_sides` for a live source: the kind of stretch with more frames so far is correct."""

    def __init__(self) -> None:
        self._last: tuple[Points, float] | None = None
        self._touched_s = self._turned_s = -np.inf
        self._kind, self._frames = 0, [0, 0]

    def of(self, points: Points, time_s: float, aspect: float | None = None) -> Points:
        """Return points float32 (543, 3) of the next frame with the hands on their own sides."""
        if not np.isfinite(points[[LEFT_HAND.start, RIGHT_HAND.start], 0]).any():
            return points
        if self._last is None or time_s - self._last[1] > MAX_LINK_S:
            self._turned_s, self._kind, self._frames = time_s, 0, [0, 0]
        elif self._flipped(self._last[0], points, time_s, aspect):
            self._turned_s, self._kind = time_s, 1 - self._kind
        self._last = points, time_s
        self._frames[self._kind] += 1
        believed = int(self._frames[1] > self._frames[0])
        if self._kind == believed or time_s - self._turned_s > MAX_RUN_S:
            return points
        return _exchanged(points)

    def _flipped(self, before: Points, points: Points, time_s: float, aspect: float | None) -> bool:
        clip = LandmarkSequence(np.stack([before, points]), [0, 1], aspect=aspect)
        wrists = _wrists(clip)
        both = np.isfinite(wrists[..., 0]).all(1)
        if (np.linalg.norm(wrists[both, 0] - wrists[both, 1], axis=-1) < APART).any():
            self._touched_s = time_s
        known = bool(both.all()) or time_s - self._touched_s > MAX_RUN_S
        return known and bool(_flips(wrists, clip.times_s)[0])


def _exchanged(points: Points) -> Points:
    """Return points float32 (..., 543, 3) with left and right hand exchanged."""
    exchanged = points.copy()
    exchanged[..., LEFT_HAND, :], exchanged[..., RIGHT_HAND, :] = points[..., RIGHT_HAND, :], points[..., LEFT_HAND, :]
    return exchanged


def _fill(part: Points, times_s: Floats, max_gap_s: float) -> None:
    """Fill one part float32 (T, p, 3) in place."""
    seen = ~np.isnan(part).all(axis=(1, 2))
    before, after = _last(seen), _next(seen)
    missing = np.flatnonzero(~seen & (before >= 0) & (after < len(seen)))
    first, last = before[missing], after[missing]
    span = times_s[last] - times_s[first]
    short = (span > 0) & (span <= max_gap_s + _TOLERANCE_S * (max_gap_s > 0))
    missing, first, last, span = missing[short], first[short], last[short], span[short]
    share = ((times_s[missing] - times_s[first]) / span)[:, None, None]
    start, stop = part[first].astype(np.float64), part[last].astype(np.float64)
    part[missing] = start + share * (stop - start)


def _last(flags: Flags) -> Integers:
    """Return, for each of T frames, the last index up to it with a true flag; -1 for none."""
    return np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1))


def _next(flags: Flags) -> Integers:
    """Return, for each of T frames, the first index from it on with a true flag; T for none."""
    return len(flags) - 1 - _last(flags[::-1])[::-1]


def _wrists(sequence: LandmarkSequence) -> Floats:
    """Return positions of the left and right wrist in hand sizes, float64 (T, 2, 2); NaN = not seen."""
    hands = np.stack([sequence.points[:, slot, :2] for slot in (LEFT_HAND, RIGHT_HAND)], axis=1).astype(np.float64)
    hands[..., 0] *= sequence.aspect or 1.0
    seen = hands[np.isfinite(hands).all(axis=(2, 3))]
    sizes = np.linalg.norm(np.ptp(seen, axis=1), axis=-1) if len(seen) else np.zeros(1)
    size = float(np.median(sizes))
    return hands[:, :, 0] / size if size > 0 else np.full(hands[:, :, 0].shape, np.nan)


def _confused(wrists: Floats, times_s: Floats) -> Flags:
    """Return which of N frames with wrists (N, 2, 2) have left and right exchanged, bool (N,)."""
    linked = np.diff(times_s) <= MAX_LINK_S
    flips = linked & _flips(wrists, times_s)
    chain, flipped, run = (np.concatenate([[0], np.cumsum(flags)]) for flags in (~linked, flips, flips | ~linked))
    kind = (flipped - flipped[np.flatnonzero(np.diff(chain, prepend=-1))][chain]) % 2
    frames = np.bincount(2 * chain + kind, minlength=2 * chain[-1] + 2).reshape(-1, 2)
    believed = (frames[:, 1] > frames[:, 0]).astype(np.int64)
    firsts = np.flatnonzero(np.diff(run, prepend=-1))
    lasts = np.append(firsts[1:], len(run)) - 1
    short = times_s[lasts] - times_s[firsts] <= MAX_RUN_S
    wrong: Flags = (kind != believed[chain]) & short[run]
    return wrong


def _flips(wrists: Floats, times_s: Floats) -> Flags:
    """Return between which of N frames the hands exchange sides, bool (N - 1,)."""
    now, then = wrists[:-1], wrists[1:]
    kept = _mean_distance(now, then)
    exchanged = _mean_distance(now, then[:, ::-1])
    both_known = (exchanged < STAY) & (kept > exchanged + JUMP)
    one_known = (exchanged < STAY) & np.isnan(kept) & ~_touching(wrists, times_s)
    flips: Flags = both_known | one_known
    return flips


def _mean_distance(a: Floats, b: Floats) -> Floats:
    """Return the mean distance (N,) of the hands that are in both a and b (N, 2, 2); NaN for none."""
    distances = np.linalg.norm(a - b, axis=-1)
    known = np.isfinite(distances)
    total = np.where(known, distances, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _touching(wrists: Floats, times_s: Floats) -> Flags:
    """Return between which of N frames the hands touch where both were last or are next seen, bool (N - 1,)."""
    gaps = np.linalg.norm(wrists[:, 0] - wrists[:, 1], axis=-1)
    both = np.isfinite(gaps)
    before, after = _last(both)[:-1], _next(both)[1:]
    steps = np.arange(len(before))
    near = np.append(gaps < APART, False)  # the last element is "never", also for index -1
    recent = np.append(times_s, np.inf)
    touched_before = near[before] & (times_s[steps] - recent[before] <= MAX_RUN_S)
    touching_after = near[after] & (recent[after] - times_s[steps + 1] <= MAX_RUN_S)
    flags: Flags = touched_before | touching_after
    return flags
