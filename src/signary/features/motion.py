"""The movement of points from frame to frame."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def difference(values: Tensor, seen: Tensor, *, step: int = 1) -> Tensor:
    """Return the movement of each point over the next ``step`` frames.

    Parameters
    ----------
    values : float32 (B, T, P, C)
    seen : bool (B, T, P)
    step : int
        Frames.

    Returns
    -------
    float32 (B, T, P, C)
        ``values[t + step] - values[t]``; 0 where either was not seen, and in the last ``step`` frames.
    """
    later = functional.pad(values, (0, 0, 0, 0, 0, step))[:, step:]
    both = functional.pad(seen, (0, 0, 0, step))[:, step:] & seen
    return (later - values) * both[..., None]
