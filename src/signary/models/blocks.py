"""Layers and blocks that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FrameNorm(nn.BatchNorm1d):
    """Batch normalization over the frames that are not padding.

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
        """Normalize by this batch, or by the running statistics if it has a single frame, which has no variance."""
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


def attend(
    qkv: Tensor, heads: int, keys: Tensor | None, *, scale: float, drop: nn.Module, queries: Tensor | None = None
) -> Tensor:
    """Apply attention between the frames.

    Parameters
    ----------
    qkv : float32 (B, T, 3 D)
    heads : int
        With D / heads features each.
    keys : bool (B, T)
        Frames that may be attended to; None = all. If a clip has none, all are attended to, with finite results.
    scale : float
        Factor of the scores.
    drop : Module
        Applied to the attention weights.
    queries : bool (B, T), optional
        False = this frame attends to all frames alike.

    Returns
    -------
    float32 (B, T, D)
    """
    split = qkv.reshape(*qkv.shape[:2], 3, heads, -1)
    query, key, value = split.permute(2, 0, 3, 1, 4)  # each (B, heads, T, D / heads)
    scores = (query * scale) @ key.transpose(-1, -2)
    if keys is not None:
        scores = scores.masked_fill(~keys[:, None, None], torch.finfo(scores.dtype).min)
    if queries is not None:
        scores = scores.masked_fill(~queries[:, None, :, None], 0.0)
    mixed: Tensor = drop(torch.softmax(scores, -1)) @ value
    return mixed.transpose(1, 2).flatten(2)


class Block(nn.Module):
    """Attention, then a perceptron, each with a residual connection.

    Parameters
    ----------
    width : int
        D.
    heads, ratio : int
        Attention heads; the perceptron's hidden units are ``ratio`` D.
    dropout : float
        Within the perceptron, 0 to 1.
    norm : bool
        Apply layer normalization before each of the two.
    """

    def __init__(self, width: int, *, heads: int, ratio: int = 2, dropout: float = 0.3, norm: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.norms = nn.ModuleList([nn.LayerNorm(width) if norm else nn.Identity() for _ in range(2)])
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.shrink = nn.Linear(width, ratio * width), nn.Linear(ratio * width, width)
        self.drop, self.keep = nn.Dropout(dropout), nn.Identity()
        # the published network initializes three layers of D to D / heads for each head, not one of D to 3 D
        spread = (6 / (width + width // heads)) ** 0.5
        nn.init.uniform_(self.qkv.weight, -spread, spread)
        for layer in (self.mix, self.expand):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.kaiming_uniform_(self.shrink.weight, nonlinearity="relu")
        for layer in (self.qkv, self.mix, self.expand, self.shrink):
            nn.init.zeros_(layer.bias)

    def forward(self, frames: Tensor, keys: Tensor | None, queries: Tensor | None = None) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape; for the masks see `attend`."""
        qkv = self.qkv(self.norms[0](frames))
        mixed = attend(qkv, self.heads, keys, scale=self.scale, drop=self.keep, queries=queries)
        frames = frames + self.mix(mixed)
        hidden = nn.functional.gelu(self.expand(self.norms[1](frames)))
        after: Tensor = frames + self.shrink(self.drop(hidden))
        return after


def frame_mean(frames: Tensor, full: Tensor) -> Tensor:
    """Return the mean float32 (B, D) of frames (B, T, D) over bool (B, T); 0 for a clip without frames."""
    known = full[..., None].to(frames.dtype)
    return (frames * known).sum(1) / known.sum(1).clamp(min=1)
