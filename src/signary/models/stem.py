"""The convolutional stem of fingerspelling networks: from normalized points to frames of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.features.spelling import normalize_part
from signary.models.blocks import FrameNorm

CHANNELS = 32


class Branch(nn.Module):
    """A convolution over neighboring frames and points, then a projection of each frame to D features.

    Parameters
    ----------
    points, coordinates : int
        P and C.
    width : int
        D.
    """

    def __init__(self, points: int, coordinates: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(coordinates, CHANNELS, 3, stride=(1, 2), padding=1, bias=False)
        self.conv_norm = FrameNorm(CHANNELS, eps=1e-5, momentum=0.1)
        self.project = nn.Linear((points + 1) // 2 * CHANNELS, width, bias=False)
        self.norm = FrameNorm(width, eps=1e-5, momentum=0.05)

    def forward(self, values: Tensor, valid: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for (B, T, P, C), 0 in padding, and bool (B, T)."""
        hidden = self.conv(values.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        hidden = functional.silu(self.conv_norm(hidden, valid))
        frames: Tensor = self.norm(self.project(hidden.flatten(2)), valid)
        return frames


class Stem(nn.Module):
    """One branch for all points and, optionally, one more for each part of the body.

    Parameters
    ----------
    points, coordinates, width : int
        P, C and D.
    parts : mapping of str to sequence of int
        Indices of the points of each part. The parts divide the width among them; empty = no such branches.
    unseen : bool
        See `signary.features.spelling.normalize_part`.
    """

    def __init__(
        self,
        points: int,
        *,
        coordinates: int = 3,
        width: int = 208,
        parts: Mapping[str, Sequence[int]] | None = None,
        unseen: bool = False,
    ) -> None:
        super().__init__()
        self.places = {part: list(places) for part, places in (parts or {}).items()}
        self.unseen = unseen
        self.all = Branch(points, coordinates, width)
        widths = [(width + place) // len(self.places) for place in range(len(self.places))]
        self.parts = nn.ModuleDict(
            {
                part: Branch(len(places), coordinates, share)
                for (part, places), share in zip(self.places.items(), widths, strict=True)
            }
        )

    def forward(self, values: Tensor, valid: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for normalized points (B, T, P, C), 0 where not seen, and bool (B, T)."""
        frames: Tensor = self.all(values, valid)
        if not self.parts:
            return frames
        parts = [
            branch(normalize_part(values[:, :, self.places[part]], unseen=self.unseen), valid)
            for part, branch in self.parts.items()
        ]
        return frames + torch.cat(parts, -1)
