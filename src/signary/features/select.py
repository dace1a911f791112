"""The points that a network reads, by name; which of them were seen; and clips mirrored to left-handed signers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

from signary.errors import ConfigError, ShapeError
from signary.features.motion import difference
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, POSE, RIGHT_HAND

# fmt: off
_LIPS = (
    0, 61, 185, 40, 39, 37, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375, 78, 191, 80, 81, 82, 13,
    312, 311, 310, 415, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308,
)
_RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
_LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398)
# fmt: on


def _pose(*points: int) -> tuple[int, ...]:
    return tuple(POSE.start + point for point in points)


PARTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "lips": _LIPS,
        "lips_ring": (*_LIPS[1:6], 0, *_LIPS[6:]),  # the same points in the order of the ring
        "nose": (1, 2, 98, 327),
        "right_eye": _RIGHT_EYE,
        "left_eye": _LEFT_EYE,
        "left_hand": tuple(range(LEFT_HAND.start, LEFT_HAND.stop)),
        "right_hand": tuple(range(RIGHT_HAND.start, RIGHT_HAND.stop)),
        "pose": tuple(range(POSE.start, POSE.stop)),
        "upper_body": _pose(*range(25)),
        "head": _pose(0, 2, 5, 7, 8, 9, 10),
        "left_arm": _pose(11, 13, 15, 17, 19, 21),
        "right_arm": _pose(12, 14, 16, 18, 20, 22),
        "left_forearm": _pose(13, 15, 17, 19, 21),
        "right_forearm": _pose(14, 16, 18, 20, 22),
    }
)


class SelectPoints(nn.Module):
    """Keep some points of ``HOLISTIC_543``, in the order asked for.

    Parameters
    ----------
    parts : sequence of str
        Names of ``PARTS`` or of single points of ``HOLISTIC_543``.

    Attributes
    ----------
    names : tuple of str
        The P points that are kept, in order.
    parts : mapping of str to slice
        Where each part lies among the P points.

    Raises
    ------
    ConfigError
        If a name is unknown or a point is named twice.
    """

    index: Tensor

    def __init__(self, parts: Sequence[str]) -> None:
        super().__init__()
        chosen: list[int] = []
        self.parts: dict[str, slice] = {}
        for part in parts:
            points = _points_of(part)
            self.parts[part] = slice(len(chosen), len(chosen) + len(points))
            chosen.extend(points)
        if len(set(chosen)) < len(chosen):
            raise ConfigError(f"{tuple(parts)}: names a point twice")
        self.names = tuple(HOLISTIC_543.points[point] for point in chosen)
        self.register_buffer("index", torch.tensor(chosen, dtype=torch.int64), persistent=False)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def mirror(self) -> tuple[int, ...]:
        """Return the counterpart of each point in a mirrored picture, int (P,): an involution.

        Raises
        ------
        ConfigError
            If the counterpart of a point is not among the points.
        """
        places = {point: place for place, point in enumerate(self.index.tolist())}
        swapped = [HOLISTIC_543.mirror[point] for point in places]
        alone = [HOLISTIC_543.points[point] for point in places if HOLISTIC_543.mirror[point] not in places]
        if alone:
            raise ConfigError(f"{alone[0]}: chosen without its mirrored counterpart", hint="choose both sides")
        return tuple(places[point] for point in swapped)

    def forward(self, points: Tensor) -> Tensor:
        """Return float32 (..., P, C) of points float32 (..., 543, C).

        Raises
        ------
        ShapeError
            If the second last axis is not 543.
        """
        if points.shape[-2] != len(HOLISTIC_543):
            raise ShapeError(f"points.shape={tuple(points.shape)}, must be (..., {len(HOLISTIC_543)}, C)")
        return points.index_select(-2, self.index)


def _points_of(part: str) -> tuple[int, ...]:
    if part in PARTS:
        return PARTS[part]
    if part in HOLISTIC_543.points:
        return (HOLISTIC_543.points.index(part),)
    raise ConfigError(f"{part!r}: no such part or point", hint=f"parts: {', '.join(PARTS)}")


def valid_frames(points: Tensor, lengths: Tensor | None) -> Tensor:
    """Return which frames are not padding, bool (B, T), for points (B, T, P, C) and int64 (B,), None = all of them."""
    frames = torch.arange(points.shape[1], device=points.device)[None]
    if lengths is None:
        return (frames >= 0).expand(points.shape[0], -1)
    return frames < lengths[:, None]


def flat_points(points: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Split points into coordinates and whether they were seen.

    Parameters
    ----------
    points : float32 (B, T, P, C)
        NaN = not seen; z may be NaN alone.
    frames : bool (B, T)
        False = padding, which may hold anything.

    Returns
    -------
    values : float32 (B, T, P, 2)
        x and y, 0 where not seen.
    seen : bool (B, T, P)
    """
    plane = points[..., :2].float()
    known = torch.isfinite(plane)
    seen = known.all(-1) & frames[..., None]
    return torch.where(known, plane, 0.0) * seen[..., None], seen


def full_precision(points: Tensor) -> contextlib.AbstractContextManager[None]:
    """Switch autocast off: sums over frames in half precision would change points and frames."""
    if torch.is_autocast_enabled(points.device.type):
        return torch.autocast(points.device.type, enabled=False)
    return contextlib.nullcontext()


class LeftSigner(nn.Module):
    """Mirror a clip, every point with its counterpart, if the right hand signs.

    The signing hand is the one seen in more frames; if both are seen equally often, the one that moves more. A clip
    without hands is not changed.

    Parameters
    ----------
    select : SelectPoints
        With both hands, and both sides of every part.
    """

    mirror: Tensor

    def __init__(self, select: SelectPoints) -> None:
        super().__init__()
        self.left, self.right = select.parts["left_hand"], select.parts["right_hand"]
        self.register_buffer("mirror", torch.tensor(select.mirror), persistent=False)

    def forward(self, values: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return both arrays, mirrored if need be.

        Parameters
        ----------
        values : float32 (B, T, P, 2)
            In picture widths and heights, 0 where not seen.
        seen : bool (B, T, P)
        """
        left = hand_seen(seen[:, :, self.left]), hand_path(values[:, :, self.left], seen[:, :, self.left])
        right = hand_seen(seen[:, :, self.right]), hand_path(values[:, :, self.right], seen[:, :, self.right])
        turn = (right[0] > left[0]) | ((right[0] == left[0]) & (right[1] > left[1]))
        other, other_seen = mirrored(values[:, :, self.mirror], seen[:, :, self.mirror]), seen[:, :, self.mirror]
        turn = turn[:, None, None]
        return torch.where(turn[..., None], other, values), either(turn, other_seen, seen)


def mirrored(values: Tensor, seen: Tensor) -> Tensor:
    """Return 1 - x and y, float32 (B, T, P, 2), 0 where not seen, for values of that shape and seen bool (B, T, P)."""
    return torch.stack([seen.to(values.dtype) - values[..., 0], values[..., 1]], -1)


def either(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Return `torch.where` of bools, in a form that ONNX Runtime implements."""
    return (condition & yes) | (~condition & no)


def hand_seen(seen: Tensor) -> Tensor:
    """Return how many points of a hand were seen over a clip, int64 (B,), for bool (B, T, 21)."""
    return seen.long().sum((1, 2))


def hand_path(values: Tensor, seen: Tensor) -> Tensor:
    """Return the length of a hand's path, float32 (B,), for float32 (B, T, 21, 2) and bool (B, T, 21)."""
    steps = difference(values.mean(2, keepdim=True), seen.all(-1, keepdim=True))
    return steps.abs().sum((1, 2, 3))
