"""Hand model of bones and joints: lengths are separate from angles, so one person's hand can take another's shape.

Coordinates are those of a signer's right hand in camera view: x to the right, y down, z away from the camera, in hand
lengths (wrist to the tip of the straight middle finger). Without rotation and with all angles 0, the palm faces the
camera, the fingers point up and the thumb is on the right.

The functions take NumPy arrays or torch tensors: they use only operators and names common to both libraries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FINGERS = ("index", "middle", "ring", "pinky")
THUMB_ANGLES = ("thumb_spread", "thumb_flex", "thumb_roll", "thumb_mcp_side", "thumb_mcp", "thumb_ip")
ANGLES = (*THUMB_ANGLES, *(f"{finger}_{joint}" for finger in FINGERS for joint in ("spread", "mcp", "pip", "dip")))
_FINGER_LIMITS_DEG = ((-25, 25), (-30, 100), (-5, 115), (-8, 85))
# Range of each joint, radians: the ranges of motion of hand surgery textbooks, slightly wider since detectors err.
LIMITS = np.radians(
    [(-50, 80), (-15, 85), (-10, 130), (-25, 25), (-20, 75), (-35, 90), *(_FINGER_LIMITS_DEG * 4)]
).astype(np.float32)


@dataclass(frozen=True)
class HandBuild:
    """The constant part of a hand model.

    Parameters
    ----------
    palm : float32 (..., 5, 3)
        Positions of the thumb's first joint and the four knuckles, from the wrist, hand lengths.
    bones : float32 (..., 5, 3)
        Lengths of the three bones of the thumb and of each finger.
    twist : float32 (..., 4)
        Rotation of each finger's plane of bending about the finger, radians: bent fingers converge.
    """

    palm: Any
    bones: Any
    twist: Any

    @property
    def length(self) -> Any:
        """Wrist to the tip of the straight middle finger, (...)."""
        return (self.palm[..., 2, :] ** 2).sum(-1) ** 0.5 + self.bones[..., 2, :].sum(-1)


def hand_points(angles: Any, turn: Any, build: HandBuild, xp: Any = np) -> Any:
    """Compute the 21 points of hands (forward kinematics).

    Parameters
    ----------
    angles : float (..., 22)
        Radians, in the order of `ANGLES`: spread rotates a finger in the palm's plane, to the thumb's side; flex, mcp,
        pip, ip and dip bend it towards the palm.
    turn : float (..., 3, 3)
        Rotation of the whole hand.
    build : HandBuild
    xp : module
        ``numpy`` or ``torch``, matching the arguments.

    Returns
    -------
    float (..., 21, 3)
        In the order of ``HAND_21``, from the wrist, hand lengths.
    """
    thumb = _thumb_bones(angles[..., :6], xp) * build.bones[..., 0, :, None]
    fingers = angles[..., 6:].reshape(*angles.shape[:-1], 4, 4)
    bones = _finger_bones(fingers, build.twist, xp) * build.bones[..., 1:, :, None]
    bones = xp.concatenate([thumb[..., None, :, :], bones], -3)  # (..., 5, 3, 3)
    roots = build.palm[..., :, None, :] + 0 * bones[..., :1, :]
    chains = xp.concatenate([roots, roots + xp.cumsum(bones, -2)], -2).reshape(*angles.shape[:-1], 20, 3)
    hand = xp.concatenate([0 * chains[..., :1, :], chains], -2)
    return hand @ _transposed(turn)


def _finger_bones(angles: Any, twist: Any, xp: Any) -> Any:
    """Directions (..., 4, 3 bones, 3) for spread, mcp, pip and dip (..., 4, 4)."""
    bend = xp.cumsum(angles[..., 1:], -1)
    sine, cosine = xp.sin(bend), xp.cos(bend)
    aside = -xp.sin(twist)[..., None] * sine
    toward = -xp.cos(twist)[..., None] * sine
    x, y = _rotate(aside, -cosine, angles[..., :1], xp)
    return xp.stack([x, y, toward], -1)


def _thumb_bones(angles: Any, xp: Any) -> Any:
    """Directions (..., 3 bones, 3): the last two bend in a plane that rolls about the first."""
    spread, flex, roll, side, mcp, ip = (angles[..., index : index + 1] for index in range(6))
    bend = xp.concatenate([0 * mcp, mcp, mcp + ip], -1)
    leaning = xp.concatenate([0 * side, side, side], -1)
    x, y = _rotate(0 * bend, -xp.cos(bend), leaning, xp)
    z, x = _rotate(-xp.sin(bend), x, roll, xp)
    y, z = _rotate(y, z, flex, xp)
    x, y = _rotate(x, y, spread, xp)
    return xp.stack([x, y, z], -1)


def _rotate(first: Any, second: Any, angle: Any, xp: Any) -> tuple[Any, Any]:
    cosine, sine = xp.cos(angle), xp.sin(angle)
    return cosine * first - sine * second, sine * first + cosine * second


def _transposed(turn: Any) -> Any:
    return turn.swapaxes(-1, -2)


def clip_angles(angles: Floats) -> Floats:
    """Clip angles (..., 22) to the range of each joint."""
    return np.clip(angles, LIMITS[:, 0], LIMITS[:, 1])


def quaternion_turn(quaternion: Floats) -> Floats:
    """Return rotation matrices (..., 3, 3) of quaternions (..., 4), w first, of any length but 0."""
    w, x, y, z = np.moveaxis(quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def quaternion_times(first: Floats, second: Floats) -> Floats:
    """Return the quaternions (..., 4) of rotating by ``second``, then by ``first``."""
    scalar = first[..., :1] * second[..., :1] - (first[..., 1:] * second[..., 1:]).sum(-1, keepdims=True)
    vector = (
        first[..., :1] * second[..., 1:] + second[..., :1] * first[..., 1:] + np.cross(first[..., 1:], second[..., 1:])
    )
    return np.concatenate([scalar, vector], -1)


def vector_quaternion(vector: Floats) -> Floats:
    """Return the quaternions (..., 4) of rotation vectors (..., 3), radians."""
    half = np.linalg.norm(vector, axis=-1, keepdims=True) / 2
    return np.asarray(np.concatenate([np.cos(half), vector * np.sinc(half / math.pi) / 2], -1), np.float32)


def quaternion_vector(quaternion: Floats) -> Floats:
    """Return the rotation vectors (..., 3) of unit quaternions (..., 4), of at most half a turn."""
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    length = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(length, quaternion[..., :1])
    return np.asarray(quaternion[..., 1:] * (angle / np.maximum(length, 1e-9)), np.float32)
