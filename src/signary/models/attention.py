"""Attention that knows where each frame is: by its position, or by the distance to the others."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.models.blocks import split_heads


def rotary_places(count: int, width: int, device: torch.device) -> Tensor:
    """Return cosines and sines float32 (2, T, width) that rotate a head's features by their frame's position."""
    rates = 10000.0 ** (-torch.arange(0, width, 2, device=device) / width)
    angles = (torch.arange(count, device=device)[:, None] * rates).repeat(1, 2)
    return torch.stack([angles.cos(), angles.sin()])


def distance_places(count: int, width: int, device: torch.device) -> Tensor:
    """Return float32 (2 T - 1, width): alternating sines and cosines of the distances T - 1 to 1 - T."""
    rates = 10000.0 ** (-torch.arange(0, width, 2, device=device) / width)
    distances = count - 1 - torch.arange(2 * count - 1, device=device)
    angles = distances[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


class RotaryAttention(nn.Module):
    """Attention with rotary position embeddings (RoFormer, Su et al., 2021).

    Parameters
    ----------
    width, heads : int
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.mix = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)

    def forward(self, frames: Tensor, places: Tensor, mask: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape, `rotary_places` and bool, True = may be attended to."""
        query, key, value = split_heads(self.qkv(frames), 3, self.heads)
        query, key = turned(query, places), turned(key, places)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        after: Tensor = self.mix(mixed.transpose(1, 2).flatten(2))
        return after


def turned(features: Tensor, places: Tensor) -> Tensor:
    """Rotate features (B, heads, T, E), the first half with the second, by `rotary_places`."""
    first, second = features.chunk(2, -1)
    rotated = features * places[0] + torch.cat([-second, first], -1) * places[1]
    return rotated.to(features.dtype)


class RelativeAttention(nn.Module):
    """Attention with relative positions (Transformer-XL, Dai et al., 2019).

    Parameters
    ----------
    width, heads : int
    dropout : float
        On the attention weights and on the output.
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
        """Return float32 (B, T, D) for frames of that shape, `distance_places` and bool, True = may be attended to."""
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
    """Turn scores by distance (B, H, T, 2 T - 1) into scores by key (B, H, T, T)."""
    count = scores.shape[2]
    shifted = functional.pad(scores, (1, 0)).flatten(2)[..., count:]
    return shifted.reshape(*scores.shape[:3], 2 * count - 1)[..., :count]
