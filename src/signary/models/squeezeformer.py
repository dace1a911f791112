"""The encoder of fingerspelling networks: blocks of a Squeezeformer over frames of features.

From Christof Henkel's and Darragh Hanley's winning entry of the American sign language fingerspelling recognition
competition (Kaggle, 2023), after Squeezeformer (Kim et al., 2022, arXiv:2206.00888), but with the same length in all
blocks. Unlike in that entry, the padding behind a clip does not change its result.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.models.attention import RelativeAttention, RotaryAttention, distance_places, rotary_places
from signary.models.blocks import FrameNorm


class ConvModule(nn.Module):
    """A gated depthwise convolution over neighboring frames, then normalization.

    Parameters
    ----------
    width, kernel : int
        D, frames.
    ahead : int
        Frames of the kernel that come later.
    dropout : float
    """

    def __init__(self, width: int, kernel: int, *, ahead: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.around = nn.Conv1d(width, width, kernel, groups=width, bias=False)
        self.norm = FrameNorm(width, eps=1e-5, momentum=0.1)
        self.margin = (kernel - 1 - ahead, ahead)
        self.drop = nn.Dropout(dropout)

    def forward(self, frames: Tensor, valid: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape and bool (B, T)."""
        hidden = functional.glu(self.widen(frames))
        if valid is not None:  # after the bias, or padding would leak into the convolution
            hidden = hidden * valid[..., None]
        hidden = self.around(functional.pad(hidden.transpose(1, 2), self.margin)).transpose(1, 2)
        after: Tensor = self.drop(self.narrow(functional.silu(self.norm(hidden, valid))))
        return after


class PostNorm(nn.Module):
    """A residual branch with a scaled and shifted input, normalized after the addition.

    Parameters
    ----------
    width : int
        D.
    branch : Module
    """

    def __init__(self, width: int, branch: nn.Module) -> None:
        super().__init__()
        self.scale, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.branch, self.norm = branch, nn.LayerNorm(width)

    def forward(self, frames: Tensor, *others: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape and the other arguments of the branch."""
        after: Tensor = self.norm(frames + self.branch(frames * self.scale + self.bias, *others))
        return after


class SqueezeBlock(nn.Module):
    """Attention, a perceptron, a convolution, a perceptron.

    Parameters
    ----------
    width, heads, kernel : int
    attention : {"rotary", "relative"}
    ahead : int
        Later frames in the convolution's kernel.
    dropout : float
    """

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        kernel: int,
        attention: Literal["rotary", "relative"],
        ahead: int,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        rotary = attention == "rotary"
        attend = RotaryAttention(width, heads) if rotary else RelativeAttention(width, heads, dropout)
        self.attention = PostNorm(width, attend)
        self.first = PostNorm(width, _perceptron(width, dropout))
        self.conv = PostNorm(width, ConvModule(width, kernel, ahead=ahead, dropout=dropout))
        self.second = PostNorm(width, _perceptron(width, dropout))

    def forward(self, frames: Tensor, valid: Tensor | None, places: Tensor, mask: Tensor | None) -> Tensor:
        """Return float32 (B, T, D); parameters as of the four parts."""
        frames = self.first(self.attention(frames, places, mask))
        after: Tensor = self.second(self.conv(frames, valid))
        return after


def _perceptron(width: int, dropout: float) -> nn.Sequential:
    first, second = nn.Linear(width, width), nn.Linear(width, width)
    return nn.Sequential(first, nn.SiLU(), nn.Dropout(dropout), second, nn.Dropout(dropout))


class Squeezeformer(nn.Module):
    """A stack of `SqueezeBlock`.

    Parameters
    ----------
    width, depth, heads, kernel : int
        D, blocks, attention heads, frames of a convolution's kernel.
    attention : {"rotary", "relative"}
    past : int, optional
        Attend to so many frames, up to the present one; None = to the whole clip.
    ahead : int, optional
        Later frames in each convolution's kernel; None = half of the kernel.
    dropout : float
    """

    def __init__(
        self,
        width: int = 208,
        *,
        depth: int = 14,
        heads: int = 4,
        kernel: int = 51,
        attention: Literal["rotary", "relative"] = "rotary",
        past: int | None = None,
        ahead: int | None = None,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.past = past
        ahead = (kernel - 1) // 2 if ahead is None else ahead
        self.blocks = nn.ModuleList(
            [
                SqueezeBlock(width, heads=heads, kernel=kernel, attention=attention, ahead=ahead, dropout=dropout)
                for _ in range(depth)
            ]
        )
        rotary = attention == "rotary"
        self.places = partial(rotary_places, width=width // heads) if rotary else partial(distance_places, width=width)

    def forward(self, frames: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return float32 (B, T, D), 0 in padding, for frames of that shape and bool (B, T), None = no padding."""
        places = self.places(frames.shape[1], device=frames.device)
        mask = self._mask(frames, valid)
        for block in self.blocks:
            frames = block(frames, valid, places, mask)
        return frames if valid is None else frames * valid[..., None]

    def _mask(self, frames: Tensor, valid: Tensor | None) -> Tensor | None:
        """Return which keys each query attends to, bool (B, 1, 1, T) or (T, T)."""
        if self.past is None:
            return None if valid is None else valid[:, None, None]
        count = torch.arange(frames.shape[1], device=frames.device)
        since = count[:, None] - count  # padding comes after all frames, so none attends to it
        return (since >= 0) & (since < self.past)
