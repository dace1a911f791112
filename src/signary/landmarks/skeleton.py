"""Skeletons: names, edges and mirror pairs of points.

``HOLISTIC_543`` is the order of both Google sign data sets and of every detector here: face 0-467, left hand
468-488, pose 489-521, right hand 522-542. ``HAND_21`` is one hand. A skeleton is always named, never inferred from the
number of points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

from signary.errors import SkeletonMismatch
from signary.landmarks.face import CONTOURS, FACE_POINTS, face_mirror

FACE = slice(0, 468)
LEFT_HAND = slice(468, 489)
POSE = slice(489, 522)
RIGHT_HAND = slice(522, 543)

_FINGERS = {"thumb": ("cmc", "mcp", "ip", "tip")} | dict.fromkeys(
    ("index", "middle", "ring", "pinky"), ("mcp", "pip", "dip", "tip")
)
HAND_NAMES = ("wrist", *(f"{finger}_{joint}" for finger, joints in _FINGERS.items() for joint in joints))
# fmt: off
POSE_NAMES = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)
HAND_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12),
    (9, 13), (13, 14), (14, 15), (15, 16), (13, 17), (0, 17), (17, 18), (18, 19), (19, 20),
)
POSE_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10), (11, 12), (11, 13), (13, 15),
    (15, 17), (17, 19), (15, 19), (15, 21), (12, 14), (14, 16), (16, 18), (18, 20), (16, 20), (16, 22), (11, 23),
    (12, 24), (23, 24), (23, 25), (25, 27), (27, 29), (29, 31), (27, 31), (24, 26), (26, 28), (28, 30), (30, 32),
    (28, 32),
)
# fmt: on


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """A named set of points; one object per name, so compare with ``is``.

    Parameters
    ----------
    name : str
    points : tuple of str
        Unique names, in order.
    edges : tuple of (int, int)
        Of a drawing.
    mirror : tuple of int
        ``mirror[i]`` replaces ``i`` in a mirrored picture: an involution, in ``HAND_21`` the identity.
    parts : mapping of str to slice
        Of ``face``, ``left_hand``, ``pose`` and ``right_hand``, or of ``hand``.
    """

    name: str
    points: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    mirror: tuple[int, ...]
    parts: Mapping[str, slice] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.points)

    def __reduce__(self) -> tuple[Callable[[str], Skeleton], tuple[str]]:
        """Copy and pickle by name, so that each process has one object."""
        return find_skeleton, (self.name,)


def _shifted(edges: tuple[tuple[int, int], ...], by: int) -> tuple[tuple[int, int], ...]:
    return tuple((a + by, b + by) for a, b in edges)


def _pose_mirror() -> tuple[int, ...]:
    sides = {"left": "right", "right": "left"}
    swapped = ["_".join(sides.get(word, word) for word in name.split("_")) for name in POSE_NAMES]
    return tuple(POSE_NAMES.index(name) for name in swapped)


def _holistic() -> Skeleton:
    face_edges = tuple((a, b) for ring in CONTOURS for a, b in pairwise(ring))
    return Skeleton(
        name="HOLISTIC_543",
        points=(
            *(f"face_{point}" for point in range(FACE_POINTS)),
            *(f"left_hand_{name}" for name in HAND_NAMES),
            *(f"pose_{name}" for name in POSE_NAMES),
            *(f"right_hand_{name}" for name in HAND_NAMES),
        ),
        edges=(
            *face_edges,
            *_shifted(HAND_EDGES, LEFT_HAND.start),
            *_shifted(POSE_EDGES, POSE.start),
            *_shifted(HAND_EDGES, RIGHT_HAND.start),
        ),
        mirror=(
            *face_mirror(),
            *range(RIGHT_HAND.start, RIGHT_HAND.stop),
            *(POSE.start + point for point in _pose_mirror()),
            *range(LEFT_HAND.start, LEFT_HAND.stop),
        ),
        parts=MappingProxyType({"face": FACE, "left_hand": LEFT_HAND, "pose": POSE, "right_hand": RIGHT_HAND}),
    )


HAND_21 = Skeleton("HAND_21", HAND_NAMES, HAND_EDGES, tuple(range(21)), MappingProxyType({"hand": slice(0, 21)}))
HOLISTIC_543 = _holistic()
SKELETONS: Mapping[str, Skeleton] = MappingProxyType({skeleton.name: skeleton for skeleton in (HAND_21, HOLISTIC_543)})


def find_skeleton(skeleton: Skeleton | str) -> Skeleton:
    """Return a skeleton by name (or itself); raise `SkeletonMismatch` for an unknown name."""
    if isinstance(skeleton, Skeleton):
        return skeleton
    if skeleton not in SKELETONS:
        raise SkeletonMismatch(f"{skeleton!r}: no such skeleton", hint=f"known: {', '.join(SKELETONS)}")
    return SKELETONS[skeleton]
