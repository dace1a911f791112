"""The frames of many clips, concatenated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Moments:
    """All N frames of B clips, concatenated, so that nothing is computed for padding.

    Parameters
    ----------
    text : int64 (N,)
        Clip of each frame, ascending.
    times_s : float64 (N,)
        From the clip's first frame.
    lengths : int64 (B,)
        Frames of each clip.
    durations_s : float32 (B,)
    """

    text: Tensor
    times_s: Tensor
    lengths: Tensor
    durations_s: Tensor

    @classmethod
    def of(cls, durations_s: Tensor, fps: Tensor) -> Moments:
        """Return the frames of clips of given durations and frame rates."""
        lengths = (durations_s * fps).floor().long() + 1
        text = torch.arange(len(lengths), device=fps.device).repeat_interleave(lengths)
        first = lengths.cumsum(0) - lengths
        frame = torch.arange(len(text), device=fps.device) - first[text]
        return cls(text, frame.double() / fps.double()[text], lengths, durations_s)

    def __len__(self) -> int:
        return len(self.text)

    def on_ladder(self, times_s: Tensor) -> tuple[Tensor, Tensor]:
        """Concatenate the times of all clips with offsets, so that one search covers all clips.

        Parameters
        ----------
        times_s : float (B, K)
            Not falling.

        Returns
        -------
        ladder : float64 (B * K,)
        asked : float64 (N,)
            The frames' times with the same offsets.
        """
        after = self.durations_s.max().double() + 1.0
        clip = torch.arange(len(self.lengths), device=self.text.device)[:, None]
        return (times_s.double().clamp(max=after) + clip * after).flatten(), self.times_s + self.text * after
