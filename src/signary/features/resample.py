"""Drop frames and pool them to a fixed number, with sums and gathers of fixed form, so that ONNX can express them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class KeepFrames(nn.Module):
    """Move the frames to keep to the front, in order, and keep the first ``limit`` of them.

    Parameters
    ----------
    limit : int
        Frames.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Return the new order of the frames.

        Parameters
        ----------
        kept : bool (B, T)

        Returns
        -------
        order : int64 (B, S)
            S = min(T, limit); kept frames first.
        valid : bool (B, S)
            False = padded with frames that are not kept.
        """
        frames = torch.arange(kept.shape[1], device=kept.device)
        key = torch.where(kept, frames, frames + kept.shape[1])  # all keys differ, so any sort gives the same order
        order = torch.argsort(key, 1)[:, : self.limit]
        return order, frames[: self.limit] < kept.long().sum(1, keepdim=True)


def take_frames(values: Tensor, order: Tensor) -> Tensor:
    """Return (B, S, ...) for values (B, T, ...) and order int64 (B, S)."""
    clips = torch.arange(values.shape[0], device=values.device)[:, None]
    return values[clips, order]


class PoolFrames(nn.Module):
    """Weights that average the frames to keep into a fixed number of bins.

    Up to ``bins`` frames (fewer with ``repeated``) are not changed: one in each bin, the other bins empty. More frames
    are distributed evenly: a frame's weight in a bin is the share of its time that lies in it.

    Parameters
    ----------
    bins : int
        Largest S; a batch of shorter clips has S = T unless ``always``.
    always : bool
        Pad with empty bins to S = ``bins``.
    repeated : bool
        Distribute as Mark Wijkhuizen's notebook (Kaggle, 2023): repeat each frame, up to S x S in all, then repeat the
        first and the last further until S bins of equal length are full, and at least S / 2 times.
    by_raw : bool
        With ``repeated``, repeat by the number of all frames, not of those kept, as the notebook does.
    """

    def __init__(self, bins: int = 64, *, always: bool = False, repeated: bool = False, by_raw: bool = False) -> None:
        super().__init__()
        self.bins, self.always, self.repeated, self.by_raw = bins, always, repeated, by_raw

    def forward(self, kept: Tensor, frames: Tensor) -> Tensor:
        """Return weights float32 (B, S, T), all 0 in empty bins and for frames that are not kept.

        They are whole numbers with ``repeated`` and for short clips, so that their sums are exact.

        Parameters
        ----------
        kept, frames : bool (B, T)
            The frames to keep, and all frames that are not padding.
        """
        rank = torch.cumsum(kept.float(), 1) - 1
        count = kept.float().sum(1, keepdim=True)
        few = count < self.bins if self.repeated else count <= self.bins
        if self.repeated:
            start, stop, width = self._repeat(
                rank, count, frames.float().sum(1, keepdim=True) if self.by_raw else count
            )
        else:
            start, stop, width = rank, rank + 1, count / self.bins
        start, stop = torch.where(few, rank, start)[:, None], torch.where(few, rank + 1, stop)[:, None]
        width = torch.where(few, 1.0, width)[:, None]
        bins = torch.arange(self.bins, device=kept.device)
        low = (bins if self.always else bins[: kept.shape[1]])[:, None] * width
        overlap = torch.minimum(low + width, stop) - torch.maximum(low, start)
        return overlap.clamp(min=0) * kept[:, None]

    def _repeat(self, rank: Tensor, count: Tensor, total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return where each frame starts and stops (B, T) and the width of the bins (B, 1), in repetitions."""
        square = float(self.bins**2)
        repeats = torch.where(count < square, torch.floor(square / total.clamp(min=1)), 1.0).clamp(min=1)
        pool = torch.ceil(count * repeats / self.bins)
        width = pool + 1
        left = torch.floor((pool * self.bins - count * repeats) / 2) + self.bins // 2
        start = torch.where(rank == 0, 0.0, left + rank * repeats)
        stop = torch.where(rank == count - 1, width * self.bins, left + (rank + 1) * repeats)
        return start, stop, width


def pool_points(weights: Tensor, values: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Average points over bins, leaving out frames in which they were not seen.

    Parameters
    ----------
    weights : float32 (B, S, T)
    values : float32 (B, T, P, C)
        0 where not seen.
    seen : bool (B, T, P)

    Returns
    -------
    values : float32 (B, S, P, C)
        0 where not seen in any frame of a bin.
    seen : bool (B, S, P)
    """
    total = weights @ seen.to(weights.dtype)
    sums = (weights @ values.flatten(2)).reshape(*total.shape, values.shape[-1])
    return sums / torch.where(total > 0, total, 1.0)[..., None], total > 0


def pool_times(weights: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Return the relative time of each bin, between the first and the last of them.

    Parameters
    ----------
    weights : float32 (B, S, T)
    kept : bool (B, T)

    Returns
    -------
    times : float32 (B, S)
        0 at the first kept frame, 1 at the last bin; 0 in empty bins and in a clip of one frame.
    full : bool (B, S)
        False = empty bin.
    """
    frames = torch.arange(kept.shape[1], device=kept.device)
    first = torch.where(kept, frames, kept.shape[1]).amin(1, keepdim=True)
    since = torch.where(kept, frames - first, 0).to(weights.dtype)
    total = weights.sum(-1)
    # bins are equally wide, so sums have the ratios of means, and are whole numbers if the weights are
    sums = (weights @ since[..., None])[..., 0]
    return sums / torch.maximum(sums.amax(1, keepdim=True), total.amax(1, keepdim=True).clamp(min=1e-3)), total > 0
