"""The body of the avatar: arms that reach the hand, and a mean face and body.

``signer.npz`` next to this file is made by ``scripts/fit_signer.py`` from clips of Google's Isolated Sign Language
Recognition data (CC BY 4.0). Everything is in shoulder widths from the middle of the shoulders, in camera view.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from signary.avatar.hand import Floats
from signary.landmarks.skeleton import FACE, HOLISTIC_543, LEFT_HAND, POSE, POSE_NAMES, RIGHT_HAND

SIGNER = Path(__file__).with_name("signer.npz")
HAND_LENGTH = 0.52  # shoulder widths: a hand of 19 cm, shoulder joints 36.5 cm apart
UPPER_ARM, FOREARM = 0.8, 0.7
SHOULDERS_AT = (0.57, 0.66)  # of the picture's width and height
ELBOWS_OUT = np.array([-0.55, 0.8, 0.25], np.float32)
OTHER_ELBOW, OTHER_WRIST = (0.62, 0.78, 0.05), (0.5, 1.45, -0.3)
# Pose points on a hand, and the hand points that they equal.
CARRIED = {"wrist": 0, "thumb": 2, "index": 5, "pinky": 17}


@cache
def _signer() -> tuple[Floats, Floats]:
    with np.load(SIGNER, allow_pickle=False) as arrays:
        face, pose = arrays["face"].astype(np.float32), arrays["pose"].astype(np.float32)
    face[:, 2] -= face[:, 2].mean() + 0.15
    pose[:, 2] *= 0.1  # the detector's depth of the pose is unreliable
    for name, place in (("left_elbow", OTHER_ELBOW), ("left_wrist", OTHER_WRIST)):
        pose[POSE_NAMES.index(name)] = place
    for name in ("thumb", "index", "pinky"):
        pose[POSE_NAMES.index(f"left_{name}")] = np.add(OTHER_WRIST, (0, 0.15, 0))
    return face, pose


def body_points(hand: Floats, wrist: Floats, sway: Floats, *, zoom: float, aspect: float) -> Floats:
    """Add a body to a right hand.

    Parameters
    ----------
    hand : float32 (..., 21, 3)
        From the wrist, shoulder widths.
    wrist, sway : float32 (..., 3)
        Position of the wrist, and shift of the body.
    zoom : float
        Shoulder width in picture widths.
    aspect : float
        Width / height of the picture.

    Returns
    -------
    float32 (..., 543, 3)
        As in `signary.landmarks.sequence.LandmarkSequence`; the left hand is NaN. The depth of the hand is relative to
        its wrist, all other depth to the shoulders.
    """
    face, pose = _signer()
    unit = np.array([zoom, zoom * aspect, zoom], np.float32)
    origin = np.array([*SHOULDERS_AT, 0], np.float32)
    points = np.empty((*wrist.shape[:-1], len(HOLISTIC_543), 3), np.float32)
    points[..., LEFT_HAND, :] = np.nan
    still, moved = face * unit + origin, sway * unit
    for axis in range(3):  # long inner loops: three times as fast as adding (..., 468, 3) and (..., 1, 3)
        np.add(still[:, axis], moved[..., axis, None], out=points[..., FACE, axis])
    body = pose + sway[..., None, :]
    shoulder = body[..., POSE_NAMES.index("right_shoulder"), :]
    body[..., POSE_NAMES.index("right_elbow"), :] = _elbow(shoulder, wrist)
    for name, point in CARRIED.items():
        body[..., POSE_NAMES.index(f"right_{name}"), :] = wrist + hand[..., point, :]
    points[..., POSE, :] = body * unit + origin
    flat = (wrist * unit + origin)[..., None, :] * np.array([1, 1, 0], np.float32)
    points[..., RIGHT_HAND, :] = hand * unit + flat
    return points


def _elbow(shoulder: Floats, wrist: Floats) -> Floats:
    """Return the elbow, bent down and outward (two-bone inverse kinematics)."""
    reach = wrist - shoulder
    length = np.linalg.norm(reach, axis=-1, keepdims=True)
    axis = reach / np.maximum(length, 1e-6)
    length = np.clip(length, 0.2, (UPPER_ARM + FOREARM) * 0.999)
    along = (length**2 + UPPER_ARM**2 - FOREARM**2) / (2 * length)
    aside = ELBOWS_OUT - (axis * ELBOWS_OUT).sum(-1, keepdims=True) * axis
    aside /= np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-6)
    return np.asarray(shoulder + along * axis + np.sqrt(np.maximum(UPPER_ARM**2 - along**2, 0)) * aside)
