"""Points without position and size: normalized over a clip, a part of the body, or the training data."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

EPSILON = 1e-6
MIDDLE = 0.5


class NormalizeClip(nn.Module):
    """Move a point of the body to 0 and scale all points of a clip to standard deviation 1 around it, x and y apart.

    There is one center and one scale for the whole clip, so movement is kept. As in Hoyeol Sohn's winning entry of the
    isolated sign language recognition competition (Kaggle, 2023).

    Parameters
    ----------
    center : sequence of int
        Points whose mean over the clip becomes 0; if none of them was seen, the middle of the picture becomes 0.
    """

    center: Tensor

    def __init__(self, center: Iterable[int]) -> None:
        super().__init__()
        self.register_buffer("center", torch.tensor(list(center)), persistent=False)

    def forward(self, values: Tensor, seen: Tensor) -> Tensor:
        """Return float32 (B, T, P, 2), 0 where not seen, for values of that shape and kind and seen bool (B, T, P)."""
        known = seen[..., None].float()
        count = _total(known[:, :, self.center])
        center = torch.where(count > 0, _total(values[:, :, self.center]) / count.clamp(min=1), MIDDLE)
        away = (values - center) * known
        variance = _total(away.square()) / _total(known).clamp(min=1)
        # all points in one place: their differences are rounding errors and must not be scaled up
        scale = torch.where(variance > EPSILON**2, variance.clamp(min=EPSILON**2).sqrt(), 1.0)
        return away / scale


def _total(values: Tensor) -> Tensor:
    """Sum (B, T, P, C) to (B, 1, 1, C) in two steps: one long sum in single precision would lose digits."""
    return values.sum(2, keepdim=True).sum(1, keepdim=True)


def part_shape(values: Tensor, seen: Tensor) -> Tensor:
    """Return a part of the body without its position and size in each frame.

    Parameters
    ----------
    values : float32 (B, T, P, 2)
    seen : bool (B, T, P)

    Returns
    -------
    float32 (B, T, P, 2)
        Mean 0, mean squared distance 1; 0 where not seen.
    """
    known = seen[..., None].float()
    count = known.sum(2, keepdim=True).clamp(min=1)
    away = (values - (values * known).sum(2, keepdim=True) / count) * known
    size = away.square().sum((2, 3), keepdim=True) / count
    return away * (size + EPSILON).rsqrt()


class Standardize(nn.Module):
    """Subtract the training data's mean from each coordinate and divide by its standard deviation.

    Parameters
    ----------
    points : int
        P.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, points: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(points, 2))
        self.register_buffer("std", torch.ones(points, 2))

    def forward(self, values: Tensor, seen: Tensor) -> Tensor:
        """Return float32 (B, T, P, 2), 0 where not seen, for values float32 (B, T, P, 2) and seen bool (B, T, P)."""
        return (values - self.mean) / self.std * seen[..., None]

    @torch.no_grad()
    def measure(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set mean and standard deviation of each point's x and y over all frames in which it was seen.

        A point seen less than twice, or that never moves, keeps mean 0 and standard deviation 1.

        Parameters
        ----------
        batches : iterable of (values float32 (B, T, P, 2), seen bool (B, T, P))
        """
        count = torch.zeros(len(self.mean), 1, dtype=torch.float64)
        total, squares = torch.zeros(2, len(self.mean), 2, dtype=torch.float64)
        for values, seen in batches:
            known = seen[..., None].double().cpu()
            numbers = values.double().cpu() * known
            count += known.sum((0, 1))
            total += numbers.sum((0, 1))
            squares += numbers.square().sum((0, 1))
        mean = total / count.clamp(min=1)
        std = (squares / count.clamp(min=1) - mean.square()).clamp(min=0).sqrt()
        good = (count > 1) & (std > EPSILON)
        self.mean.copy_(torch.where(good, mean, 0.0))
        self.std.copy_(torch.where(good, std, 1.0))
