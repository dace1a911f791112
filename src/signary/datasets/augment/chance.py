"""Random numbers for changes of batches of clips: one for each clip, without a loop over them."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(like: Tensor, reach: float, *shape: int) -> Tensor:
    """Return float32 from -reach to reach, of a shape, by default (B,) for anything of length B."""
    return (2 * torch.rand(*shape or (len(like),), device=like.device) - 1) * reach


def drawn(like: Tensor, share: float) -> Tensor:
    """Return float32 (B,), 1 for about a share of them and 0 for the others, for anything of length B."""
    return (torch.rand(len(like), device=like.device) < share).float()


def linear(turn: Tensor, scale: Tensor, shear: Tensor, lean: Tensor | None = None) -> Tensor:
    """Return matrices (B, 2, 2), to be multiplied from the right.

    Parameters
    ----------
    turn : float32 (B,)
        Radians.
    scale : float32 (B,)
        Factors.
    shear, lean : float32 (B,)
        What y gains by x, and x by y; None = 0.
    """
    cos, sin = torch.cos(turn) * scale, torch.sin(turn) * scale
    lean = torch.zeros_like(shear) if lean is None else lean
    rows = [cos - shear * sin, sin + shear * cos, lean * cos - sin, lean * sin + cos]
    return torch.stack(rows, -1).view(-1, 2, 2)


def stretches(lengths: Tensor, frames: int, least: float | Tensor, most: float | Tensor, count: int = 1) -> Tensor:
    """Draw stretches of time within each clip, bool (B, count, frames).

    Parameters
    ----------
    lengths : int64 (B,)
    frames : int
        Of the longest, or more.
    least, most : float or float32 (B, 1, 1)
        Shares of a clip that a stretch may be.
    count : int
        Drawn for each clip; they may overlap.
    """
    share, place = torch.rand(2, len(lengths), count, 1, device=lengths.device)
    share = least + (most - least) * share
    start = place * (1 - share)
    frame = torch.arange(frames, device=lengths.device) / lengths[:, None, None]
    inside: Tensor = (frame >= start) & (frame < start + share)
    return inside
