"""What several networks are built of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FrameNorm(nn.BatchNorm1d):
    """Batch normalization over the frames that are no padding.

    Parameters
    ----------
    features : int
        D.
    eps, momentum : float
        As in torch.
    """

    def __init__(self, features: int, *, eps: float = 1e-3, momentum: float = 0.05) -> None:
        super().__init__(features, eps=eps, momentum=momentum)

    def forward(self, frames: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return float32 (B, T, ..., D) for frames of that shape and bool (B, T), None = all; padding becomes 0."""
        known = None if valid is None else valid.reshape(*valid.shape, *[1] * (frames.dim() - 2))
        if self.training:
            normal = self._measured(frames.float(), known)
        else:
            assert self.running_mean is not None and self.running_var is not None
            scale = self.weight * torch.rsqrt(self.running_var + self.eps)
            normal = frames * scale + (self.bias - self.running_mean * scale)
        return (normal if known is None else normal * known).to(frames.dtype)

    def _measured(self, frames: Tensor, known: Tensor | None) -> Tensor:
        """Normalize by this batch, or by those before where it has but one number: of one there is no variance."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        known = frames.new_ones(frames.shape[:-1])[..., None] if known is None else known.expand(*frames.shape[:-1], 1)
        axes = tuple(range(frames.dim() - 1))
        count = known.sum()
        mean = (frames * known).sum(axes) / count.clamp(min=1)
        mean = torch.where(count > 1, mean, self.running_mean)
        away = frames - mean
        variance = (away.square() * known).sum(axes) / count.clamp(min=1)
        with torch.no_grad():
            rate = self.momentum * (count > 1)
            self.running_mean.lerp_(mean, rate)
            self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), rate)
        variance = torch.where(count > 1, variance, self.running_var)
        return away * (self.weight * torch.rsqrt(variance + self.eps)) + self.bias


def split_heads(packed: Tensor, count: int, heads: int) -> tuple[Tensor, ...]:
    """Return ``count`` tensors (B, heads, T, E) of one (B, T, count x heads x E)."""
    return packed.reshape(*packed.shape[:2], count, heads, -1).permute(2, 0, 3, 1, 4).unbind()
