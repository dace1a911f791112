"""The volume of a hand: round cones around its 21 points, in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signary.avatar.hand import Floats

# Radii of each finger's cones at its four points, hand lengths.
FINGER_RADII = (
    (0.078, 0.072, 0.064, 0.05), (0.063, 0.055, 0.05, 0.041), (0.063, 0.056, 0.051, 0.042),
    (0.061, 0.053, 0.048, 0.04), (0.055, 0.047, 0.042, 0.035),
)  # fmt: skip
PALM_RADIUS, WRIST_RADIUS, FOREARM_RADIUS = 0.062, 0.07, 0.125
WRIST_HALF = 0.085  # half the width of the wrist
OPEN_TO_PALM = 1.9  # hand length / wrist to middle knuckle
KNUCKLES = (5, 9, 13, 17)


@dataclass(frozen=True, eq=False)
class Cones:
    """N round cones, each the convex hull of two spheres.

    Parameters
    ----------
    start, end : float32 (N, 3)
        Centers of the spheres, pixels; depth grows away from the camera.
    start_radius, end_radius : float32 (N,)
        Pixels.
    back : float32 (N, 3)
        Unit vector towards the back of the hand.
    part : int (N,)
        0 palm, 1 to 5 the fingers, from the thumb.
    last : bool (N,)
        Fingertip, with a nail.
    """

    start: Floats
    end: Floats
    start_radius: Floats
    end_radius: Floats
    back: Floats
    part: NDArray[np.int64]
    last: NDArray[np.bool_]


def hand_length(hand: Floats) -> float:
    """Return the length (pixels) of a hand (21, 3) if it were open, estimated from its palm."""
    palm = np.linalg.norm(hand[[5, 9, 13, 17]] - hand[0], axis=1).mean()
    return float(OPEN_TO_PALM * palm)


def palm_frame(hand: Floats, *, right: bool) -> Floats:
    """Return unit vectors (3, 3): across to the thumb's side, along to the fingers, and out of the back."""
    along = _unit(hand[[5, 9, 13, 17]].mean(0) - hand[0])
    palm = np.cross(hand[5] - hand[0], hand[17] - hand[0]) * (1 if right else -1)
    back = _unit(-palm + (palm @ along) * along)
    across = _unit(hand[5] - hand[17] - ((hand[5] - hand[17]) @ along) * along)
    across = _unit(across - (across @ back) * back)
    return np.stack([across, along, back])


def flesh_of(hand: Floats, *, right: bool) -> Cones:
    """Return the cones of a hand.

    Parameters
    ----------
    hand : float32 (21, 3)
        Pixels, depth growing away from the camera.
    right : bool
        Whether it is a right hand.

    Returns
    -------
    Cones
        The palm first.
    """
    size = hand_length(hand)
    across, along, back = palm_frame(hand, right=right)
    starts, ends, radii, backs, parts, lasts = [], [], [], [], [], []

    def add(start: Floats, end: Floats, first: float, second: float, outward: Floats, part: int, last: bool) -> None:
        starts.append(start)
        ends.append(end)
        radii.append((first * size, second * size))
        backs.append(outward)
        parts.append(part)
        lasts.append(last)

    for knuckle, side in zip(KNUCKLES, (1.0, 0.35, -0.35, -1.0), strict=True):
        root = hand[0] + side * WRIST_HALF * size * across
        add(root, hand[knuckle] - 0.012 * size * back, WRIST_RADIUS, PALM_RADIUS, back, 0, False)
    ball = hand[0] + (0.9 * WRIST_HALF * across + 0.06 * along - 0.02 * back) * size
    add(ball, hand[2], 0.09, 0.07, back, 0, False)  # ball of the thumb
    add(0.5 * (hand[1] + hand[2]), 0.55 * hand[5] + 0.45 * hand[0], 0.06, 0.06, back, 0, False)  # web to the index
    add(0.7 * hand[2] + 0.3 * hand[1], 0.85 * hand[5] + 0.15 * hand[0], 0.055, 0.05, back, 0, False)
    heel = hand[0] + (-1.05 * WRIST_HALF * across + 0.07 * along - 0.02 * back) * size
    add(heel, 0.6 * hand[17] + 0.4 * hand[0] - 0.03 * size * across, 0.075, 0.07, back, 0, False)  # heel of the hand
    for finger, (first, second, third, fourth) in enumerate(FINGER_RADII):
        points = hand[1 + 4 * finger : 5 + 4 * finger]
        outward = _finger_backs(points, back, across, thumb=finger == 0)
        tip = points[3] - 0.5 * fourth * size * _unit(points[3] - points[2])
        joints = [points[0], points[1], points[2], tip]
        for bone, widths in enumerate(((first, second), (second, third), (third, fourth))):
            ball_of_thumb = finger == 0 and bone == 0
            add(joints[bone], joints[bone + 1], *widths, outward[bone], 0 if ball_of_thumb else finger + 1, bone == 2)
    start_radius, end_radius = np.array(radii, np.float32).T
    return Cones(
        np.array(starts, np.float32), np.array(ends, np.float32), start_radius, end_radius,
        np.array(backs, np.float32), np.array(parts), np.array(lasts),
    )  # fmt: skip


def _finger_backs(points: Floats, back: Floats, across: Floats, *, thumb: bool) -> Floats:
    """Return unit vectors (3, 3) out of the back of each bone: perpendicular to it, in its plane of bending."""
    bones = np.diff(points, axis=0)
    bones /= np.maximum(np.linalg.norm(bones, axis=1, keepdims=True), 1e-6)
    hinge = np.cross(bones[0], back)
    if thumb:  # it bends across the palm, so its back faces halfway to the thumb's side
        hinge = np.cross(bones[0], back + 1.2 * across)
    hinge = _unit(hinge)
    outward = np.cross(hinge, bones)
    return np.asarray(outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6))


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6))
