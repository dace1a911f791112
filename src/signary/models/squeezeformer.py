"""The encoder of fingerspelling: normalized points through a convolutional stem and blocks of a Squeezeformer.

The network of Christof Henkel's and Darragh Hanley's winning entry of the American sign language fingerspelling
recognition competition (Kaggle, 2023), after Squeezeformer (Kim et al., 2022, arXiv:2206.00888), but with one length in
all blocks. Unlike there, nothing of a clip depends on the padding behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.features.spelling import normalize_part
from signary.models.blocks import FrameNorm, split_heads

CHANNELS = 32


class Branch(nn.Module):
    """Convolve over neighboring frames and points, then bring each frame to a width.

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
    """All points in one branch; if asked for, beside it each part of the body in a branch of its own.

    Parameters
    ----------
    points, coordinates, width : int
        P, C and D.
    parts : mapping of str to sequence of int
        Places of the points of each part, which share out the width; empty = no such branches.
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


def rotary_places(count: int, width: int, device: torch.device) -> Tensor:
    """Return cosines and sines float32 (2, T, width) that turn a head's features by their frame's place."""
    rates = 10000.0 ** (-torch.arange(0, width, 2, device=device) / width)
    angles = (torch.arange(count, device=device)[:, None] * rates).repeat(1, 2)
    return torch.stack([angles.cos(), angles.sin()])


def distance_places(count: int, width: int, device: torch.device) -> Tensor:
    """Return waves float32 (2 T - 1, width) of the distances T - 1 to 1 - T, sines and cosines by turns."""
    rates = 10000.0 ** (-torch.arange(0, width, 2, device=device) / width)
    distances = count - 1 - torch.arange(2 * count - 1, device=device)
    angles = distances[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


class RotaryAttention(nn.Module):
    """Attention in which each feature pair is turned by its frame's place (RoFormer, Su et al., 2021).

    Parameters
    ----------
    width, heads : int
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.mix = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)

    def forward(self, frames: Tensor, places: Tensor, mask: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape, `rotary_places` and bool, where True = is looked at."""
        query, key, value = split_heads(self.qkv(frames), 3, self.heads)
        query, key = turned(query, places), turned(key, places)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        after: Tensor = self.mix(mixed.transpose(1, 2).flatten(2))
        return after


def turned(features: Tensor, places: Tensor) -> Tensor:
    """Turn features (B, heads, T, E), the first half with the second, by `rotary_places`."""
    first, second = features.chunk(2, -1)
    rotated = features * places[0] + torch.cat([-second, first], -1) * places[1]
    return rotated.to(features.dtype)


class RelativeAttention(nn.Module):
    """Attention that also weighs how far apart two frames are (Transformer-XL, Dai et al., 2019).

    Parameters
    ----------
    width, heads : int
    dropout : float
        Of attention's shares, and of what comes out.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.distances = nn.Linear(width, width, bias=False)
        self.content_bias = nn.Parameter(torch.empty(heads, width // heads))
        self.distance_bias = nn.Parameter(torch.empty(heads, width // heads))
        nn.init.xavier_uniform_(self.content_bias)
        nn.init.xavier_uniform_(self.distance_bias)
        self.drop = nn.Dropout(dropout)

    def forward(self, frames: Tensor, places: Tensor, mask: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape, `distance_places` and bool, where True = is looked at."""
        query, key, value = split_heads(self.qkv(frames), 3, self.heads)
        (distances,) = split_heads(self.distances(places.to(frames.dtype))[None], 1, self.heads)
        by_distance = (query + self.distance_bias[:, None]) @ distances.transpose(-1, -2)
        by_content = (query + self.content_bias[:, None]) @ key.transpose(-1, -2)
        scores = (by_content + by_frame(by_distance)) * query.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        mixed = self.drop(scores.softmax(-1).to(value.dtype)) @ value
        after: Tensor = self.drop(self.mix(mixed.transpose(1, 2).flatten(2)))
        return after


def by_frame(scores: Tensor) -> Tensor:
    """Return scores (B, H, T, T) of query and key for those of query and distance (B, H, T, 2 T - 1)."""
    count = scores.shape[2]
    shifted = functional.pad(scores, (1, 0)).flatten(2)[..., count:]
    return shifted.reshape(*scores.shape[:3], 2 * count - 1)[..., :count]


class ConvModule(nn.Module):
    """Gate, convolve each feature over the frames around, normalize.

    Parameters
    ----------
    width, kernel : int
        D, frames.
    ahead : int
        Frames, of the kernel, that come later.
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
        if valid is not None:  # after the bias, or padding would leak through the convolution
            hidden = hidden * valid[..., None]
        hidden = self.around(functional.pad(hidden.transpose(1, 2), self.margin)).transpose(1, 2)
        after: Tensor = self.drop(self.narrow(functional.silu(self.norm(hidden, valid))))
        return after


class PostNorm(nn.Module):
    """Scale and shift what goes into a branch, add what comes out to what was there, normalize.

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
        """Return float32 (B, T, D) for frames of that shape and whatever else the branch takes."""
        after: Tensor = self.norm(frames + self.branch(frames * self.scale + self.bias, *others))
        return after


class SqueezeBlock(nn.Module):
    """Attention, a perceptron, a convolution, a perceptron.

    Parameters
    ----------
    width, heads, kernel : int
    attention : {"rotary", "relative"}
    ahead : int
        Frames that the convolution looks ahead.
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
        """Return float32 (B, T, D); see the parts."""
        frames = self.first(self.attention(frames, places, mask))
        after: Tensor = self.second(self.conv(frames, valid))
        return after


def _perceptron(width: int, dropout: float) -> nn.Sequential:
    first, second = nn.Linear(width, width), nn.Linear(width, width)
    return nn.Sequential(first, nn.SiLU(), nn.Dropout(dropout), second, nn.Dropout(dropout))


class Squeezeformer(nn.Module):
    """Blocks one after the other.

    Parameters
    ----------
    width, depth, heads, kernel : int
        D, blocks, attention heads, frames that a convolution sees.
    attention : {"rotary", "relative"}
    past : int, optional
        Attend to so many frames, up to the present one; None = to the whole clip.
    ahead : int, optional
        Frames that each convolution looks ahead; None = half of the kernel.
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
        """Tell which keys each query looks at, bool (B, 1, 1, T) or (T, T)."""
        if self.past is None:
            return None if valid is None else valid[:, None, None]
        count = torch.arange(frames.shape[1], device=frames.device)
        since = count[:, None] - count  # padding comes later than any frame, so that none looks at it
        return (since >= 0) & (since < self.past)
