"""Text to timed key poses: hold, transition, hold; strokes of J and Z; slides and dips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.avatar.body import HAND_LENGTH
from signary.avatar.hand import Floats, quaternion_times, vector_quaternion
from signary.avatar.handshapes import JOINTS

LONGEST_CHANGE_S = 0.24
RISE_S, FALL_S = 0.7, 0.6
AT_EASE = np.array([0.5, 0.4, 1.1, 0.0, 0.3, 0.3, *[0.0, 0.45, 0.6, 0.3] * 4], np.float32)
# Positions of the wrist: shoulder widths from the middle of the shoulders.
SPELLING, RESTING = np.array([-0.58, 0.14, -0.8], np.float32), np.array([-0.58, 1.9, -0.4], np.float32)
SLIDE = np.array([-0.55, -0.05, 0.0], np.float32) * HAND_LENGTH
DIP = np.array([0.0, 0.3, 0.0], np.float32) * HAND_LENGTH
# Strokes of a right hand as the viewer sees them, hand lengths from the letter's start: (x, y), share of time.
J_STROKE = (((0.0, 0.55), 0.4), ((0.35, 0.6), 0.35), ((0.5, 0.35), 0.25))
Z_STROKE = (((-0.4, 0.0), 0.33), ((0.2, 0.55), 0.34), ((-0.4, 0.55), 0.33))
BEGIN_AT = {"Z": np.array([0.2, -0.1, 0.0], np.float32) * HAND_LENGTH}
DRAWN_WITH = {"J": "I", "Z": "1"}
TIME_OF = {"J": 1.8, "Z": 2.0}


@dataclass(frozen=True, slots=True)
class SpelledLetter:
    """A letter with its start (its shape is reached) and end (its shape is left) in seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class Keys:
    """Key poses of one text.

    Parameters
    ----------
    times : float64 (K,)
        Seconds, rising.
    poses : float32 (K, 26)
        Angles and a quaternion, as `HandshapeBank.mean`.
    places : float32 (K, 3)
        Wrist positions, shoulder widths.
    """

    times: NDArray[np.float64]
    poses: Floats
    places: Floats

    def filled(self, length: int) -> Keys:
        """Return the keys padded to a length with the last one."""
        more = length - len(self.times)
        times = np.concatenate([self.times, self.times[-1] + 1e-3 * np.arange(1, more + 1)])
        return Keys(times, *(np.pad(values, ((0, more), (0, 0)), mode="edge") for values in (self.poses, self.places)))


def lay_out(
    text: str, speed: float, poses_of: Callable[[Sequence[str]], Floats]
) -> tuple[Keys, tuple[SpelledLetter, ...]]:
    """Return the keys of one text, and its letters.

    Parameters
    ----------
    text : str
        Capitals, digits, single spaces.
    speed : float
        Letters a second.
    poses_of : callable(N handshapes)
        Returns their poses, float32 (N, 26).
    """
    shapes = [letter for letter in text if letter != " "]
    starts = [DRAWN_WITH.get(letter, letter) for letter in shapes]
    poses = _pulled(_twins_alike(poses_of(starts), starts), speed)
    ends = iter(poses_of(["J"] * shapes.count("J")))
    unit = 1 / speed
    change = min(unit * float(np.clip(0.3 + 0.06 * speed, 0.4, 0.8)), LONGEST_CHANGE_S)
    place, clock = SPELLING, RISE_S
    rows = [(0.0, _eased(poses[0]), RESTING), (0.5 * RISE_S, poses[0], (RESTING + SPELLING) / 2)]
    letters = []
    before, row = "", 0
    for letter in text:
        if letter == " ":
            clock += unit * 0.6 + 0.15
            rows.append((clock - change, _mixed(poses[row - 1], poses[row], 0.5), place + DIP))
            before = letter
            continue
        slides = letter == before and letter not in TIME_OF
        place = place + SLIDE if slides else SPELLING + BEGIN_AT.get(letter, 0)
        pose, start = poses[row], clock
        rows.append((clock, pose, place))
        clock += unit * TIME_OF.get(letter, 1.0) - change
        if letter in TIME_OF:
            rows.extend(_stroke(letter, start, clock, pose, place, next(ends) if letter == "J" else pose))
            pose, place = rows[-1][1:]
        rows.append((clock, pose, place))
        letters.append(SpelledLetter(letter, start, clock))
        clock, before, row = clock + change, letter, row + 1
    down = clock - change + FALL_S
    rows.extend([(down - 0.3 * FALL_S, rows[-1][1], (RESTING + place) / 2), (down, _eased(rows[-1][1]), RESTING)])
    times, key_poses, places = zip(*rows, strict=True)
    return Keys(np.array(times), np.stack(key_poses), np.stack(places).astype(np.float32)), tuple(letters)


def _stroke(
    letter: str, start: float, end: float, pose: Floats, place: Floats, last: Floats
) -> Iterator[tuple[float, Floats, Floats]]:
    """Yield the keys of a drawn letter after its first: J changes from I to its last shape, Z keeps its shape."""
    strokes = J_STROKE if letter == "J" else Z_STROKE
    clock = start + 0.12 * (end - start)
    yield clock, pose, place
    share = 0.0
    for (x, y), part in strokes:
        clock += part * 0.8 * (end - start)
        share += part
        turned = _mixed(pose, last, share)
        yield clock, turned, place + np.array([x, y, 0], np.float32) * np.float32(HAND_LENGTH)


def _mixed(first: Floats, last: Floats, share: float) -> Floats:
    if first[JOINTS:] @ last[JOINTS:] < 0:
        last = np.concatenate([last[:JOINTS], -last[JOINTS:]])
    return first + np.float32(share) * (last - first)


def _twins_alike(poses: Floats, shapes: Sequence[str]) -> Floats:
    """Give both letters of a double the same pose: the hand slides without changing."""
    for row in range(1, len(shapes)):
        if shapes[row] == shapes[row - 1]:
            poses[row] = poses[row - 1]
    return poses


def _pulled(poses: Floats, speed: float) -> Floats:
    """Apply coarticulation, stronger at higher speed, none up to 3 letters a second."""
    pull = np.float32(np.clip(0.06 * (speed - 3), 0, 0.35))
    turns = near_sides(poses[None, :, JOINTS:])[0]
    poses = np.concatenate([poses[:, :JOINTS], turns], 1)
    around = (np.concatenate([poses[:1], poses[:-1]]) + np.concatenate([poses[1:], poses[-1:]])) / 2
    return np.asarray(poses + pull * (around - poses), np.float32)


def _eased(pose: Floats) -> Floats:
    """Return a relaxed hand, leaning forward, on the way to or from a pose."""
    lean = quaternion_times(vector_quaternion(np.array([0.7, 0, 0], np.float32)), pose[JOINTS:])
    return np.concatenate([0.75 * AT_EASE + 0.25 * pose[:JOINTS], lean])


def near_sides(turns: Floats) -> Floats:
    """Negate quaternions (B, K, 4) where needed so that each is near the one before."""
    dots = (turns[:, 1:] * turns[:, :-1]).sum(-1)
    signs = np.cumprod(np.where(dots < 0, -1, 1), axis=1)
    return np.asarray(np.concatenate([turns[:, :1], turns[:, 1:] * signs[..., None]], 1), np.float32)


def smooth_step(share: Any) -> Any:
    """Return the progress of a minimum-jerk movement at a share of its time, 0 to 1, for an array or a tensor."""
    return share**3 * (10 - 15 * share + 6 * share**2)
