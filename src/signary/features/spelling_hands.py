"""The input of networks that read fingerspelling from hands alone: both hands, centered and scaled over the clip."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from signary.errors import ConfigError
from signary.features.normalize import EPSILON, MIDDLE
from signary.features.select import full_precision, valid_frames
from signary.features.spelling import SpellingPoints

HANDS = ("left_hand", "right_hand")


class SpellingHands(SpellingPoints):
    """Points of both hands, around the mean position of the clip's hands, in units of their mean radius.

    A hand's radius is the root mean square distance of its points from their mean, in x and y. So no single point
    decides about the size, and any subset of points works.

    Parameters
    ----------
    points : sequence of str
        The same points of both hands, in the same order, the left hand's first.
    coordinates, running
        As of `SpellingPoints`.

    Raises
    ------
    ConfigError
        If there are other points, or those of the two hands differ.
    """

    def __init__(self, points: Sequence[str] = HANDS, *, coordinates: int = 3, running: bool = False) -> None:
        super().__init__(points, coordinates=coordinates, max_frames=None, running=running)
        names = self.select.names
        left = [name.removeprefix("left_") for name in names if name.startswith("left_hand")]
        if [f"left_{name}" for name in left] + [f"right_{name}" for name in left] != list(names):
            raise ConfigError(f"features.points={list(points)}: not the same of both hands", hint="left hand first")

    @torch.no_grad()
    def normalize(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return normalized points (B, T, P, C), 0 where not seen and in padding; see `SpellingPoints`."""
        self.check(points)
        with full_precision(points):
            valid = valid_frames(points, lengths)[..., None, None]
            values = points[..., : self.coordinates].float()
            known = torch.isfinite(values[..., :2]).all(-1, keepdim=True) & valid
            values = torch.where(torch.isfinite(values) & known, values, 0.0)
            middle = values.new_tensor([MIDDLE, MIDDLE, 0.0][: self.coordinates])
            values = (values - middle) * known
            center = self._total(values[..., :2]) / self._total(known.float()).clamp(min=1)
            size = self._size(values[..., :2], known)
            center = functional.pad(center, (0, self.coordinates - 2))
            return (values - center) / size * known

    def _size(self, values: Tensor, known: Tensor) -> Tensor:
        """Return the radius of hands (B, 1 or T, 1, 1)."""
        hands, seen = by_hand(values), by_hand(known).float()
        away = (hands - mean_point(hands, seen)) * seen
        total = self._total(away.square().sum(-1, keepdim=True).sum(2))
        radius = (total / self._total(seen.sum(2)).clamp(min=1)).sqrt()
        # all points in one place: no hand, and must not be scaled up
        return torch.where(radius > EPSILON, radius.clamp(min=EPSILON), 1.0)


def by_hand(values: Tensor) -> Tensor:
    """Return (B, T, 2, P, C), left hand first, of (B, T, 2 P, C)."""
    return values.reshape(*values.shape[:2], 2, -1, values.shape[-1])


def mean_point(hands: Tensor, seen: Tensor) -> Tensor:
    """Return the mean (..., 1, C) of points (..., P, C), of those that are seen (..., P, 1)."""
    return (hands * seen).sum(-2, keepdim=True) / seen.sum(-2, keepdim=True).clamp(min=1)
