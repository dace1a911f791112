"""Random numbers for augmentation: one for each clip of a batch, without a loop over clips."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(like: Tensor, reach: float, *shape: int) -> Tensor:
    """Return float32 between -reach and reach, of the given shape; by default (B,), the length of ``like``."""
    return (2 * torch.rand(*shape or (len(like),), device=like.device) - 1) * reach


def drawn(like: Tensor, share: float) -> Tensor:
    """Return float32 (B,), the length of ``like``: 1 with probability ``share``, else 0."""
    return (torch.rand(len(like), device=like.device) < share).float()


def linear(turn: Tensor, scale: Tensor, shear: Tensor, lean: Tensor | None = None) -> Tensor:
    """Return matrices (B, 2, 2), to multiply points with from the right.

    Parameters
    ----------
    turn : float32 (B,)
        Radians.
    scale : float32 (B,)
        Factors.
    shear, lean : float32 (B,)
        Shear of y by x, and of x by y; None = 0.
    """
    cos, sin = torch.cos(turn) * scale, torch.sin(turn) * scale
    lean = torch.zeros_like(shear) if lean is None else lean
    rows = [cos - shear * sin, sin + shear * cos, lean * cos - sin, lean * sin + cos]
    return torch.stack(rows, -1).view(-1, 2, 2)


def stretches(lengths: Tensor, frames: int, least: float | Tensor, most: float | Tensor, count: int = 1) -> Tensor:
    """Draw time spans within each clip, bool (B, count, frames).

    Parameters
    ----------
    lengths : int64 (B,)
    frames : int
        Length of the longest clip, or more.
    least, most : float or float32 (B, 1, 1)
        Shortest and longest span, as a share of the clip.
    count : int
        Spans for each clip; they may overlap.
    """
    share, place = torch.rand(2, len(lengths), count, 1, device=lengths.device)
    share = least + (most - least) * share
    start = place * (1 - share)
    frame = torch.arange(frames, device=lengths.device) / lengths[:, None, None]
    inside: Tensor = (frame >= start) & (frame < start + share)
    return inside
