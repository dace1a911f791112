"""The decoder of fingerspelling networks: from encoded frames and earlier tokens to the next token."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.models.blocks import split_heads

MARKS = 4  # after the characters: padding, start, end, hidden


class DecoderState(NamedTuple):
    """Keys and values of the tokens read so far, and of the clip.

    Attributes
    ----------
    keys, values : float32 (N, B, H, L, E)
        Of N layers, H heads, L tokens.
    memory_keys, memory_values : float32 (N, B, H, S, E)
        Of S frames.
    valid : bool (B, S) or None
        False = padding; None = there is none.
    """

    keys: Tensor
    values: Tensor
    memory_keys: Tensor
    memory_values: Tensor
    valid: Tensor | None


class DecoderLayer(nn.Module):
    """Attention to earlier tokens, attention to the clip, a perceptron: each with pre-norm and a residual connection.

    Parameters
    ----------
    width, heads, hidden : int
        D, attention heads, units of the perceptron.
    dropout, attention_dropout : float
        On what is added, and on the attention weights.
    """

    def __init__(self, width: int, *, heads: int, hidden: int, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.heads, self.attention_dropout = heads, attention_dropout
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3)])
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.query, self.mix_memory = nn.Linear(width, width), nn.Linear(width, width)
        self.expand, self.shrink = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.drop = nn.Dropout(dropout)

    def forward(
        self,
        tokens: Tensor,
        past: tuple[Tensor, Tensor],
        clip: tuple[Tensor, Tensor],
        mask: Tensor | None,
        *,
        causal: bool,
        looked: list[Tensor] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Read tokens.

        Parameters
        ----------
        tokens : float32 (B, L, D)
        past, clip : (keys, values), each float32 (B, H, any, E)
            Of the tokens before these, and of the clip.
        mask : bool (B, 1, 1, S) or None
            Frames that may be attended to; None = all.
        causal : bool
            True if there are several tokens and none before.
        looked : list, optional
            Takes each token's attention weights (0 to 1) over the clip's frames, float32 (B, L, S), mean over heads.

        Returns
        -------
        tokens : float32 (B, L, D)
        keys, values : float32 (B, H, any, E)
            Of these tokens and those before.
        """
        dropout = self.attention_dropout if self.training else 0.0
        query, key, value = split_heads(self.qkv(self.norms[0](tokens)), 3, self.heads)
        key, value = torch.cat([past[0].to(key), key], 2), torch.cat([past[1].to(value), value], 2)
        mixed = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=causal)
        tokens = tokens + self.drop(self.mix(mixed.transpose(1, 2).flatten(2)))
        (query,) = split_heads(self.query(self.norms[1](tokens)), 1, self.heads)
        if looked is None:
            mixed = functional.scaled_dot_product_attention(query, *clip, attn_mask=mask, dropout_p=dropout)
        else:
            mixed, shares = _attention_shown(query, *clip, mask)
            looked.append(shares.mean(1))
        tokens = tokens + self.drop(self.mix_memory(mixed.transpose(1, 2).flatten(2)))
        hidden = self.drop(functional.relu(self.expand(self.norms[2](tokens))))
        return tokens + self.drop(self.shrink(hidden)), key, value


def _attention_shown(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the output (B, H, L, E) and the attention weights (B, H, L, S)."""
    scores = query @ keys.transpose(-1, -2) * query.shape[-1] ** -0.5
    shares = (scores if mask is None else scores.masked_fill(~mask, torch.finfo(scores.dtype).min)).softmax(-1)
    return shares @ values, shares


class Decoder(nn.Module):
    """The decoder of Speech2Text (Wang et al., 2020, arXiv:2010.05171).

    Parameters
    ----------
    symbols : int
        V; the last four are marks: padding, start, end, hidden.
    width, depth, heads, hidden : int
        D, layers, attention heads, units of the perceptrons.
    dropout, attention_dropout : float
    """

    def __init__(
        self,
        symbols: int,
        width: int,
        *,
        depth: int = 2,
        heads: int = 4,
        hidden: int = 512,
        dropout: float = 0.1,
        attention_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.heads, self.pad = heads, symbols - MARKS
        self.embed = nn.Embedding(symbols, width, padding_idx=self.pad)
        options: dict[str, Any] = {"heads": heads, "hidden": hidden, "dropout": dropout}
        self.layers = nn.ModuleList(
            [DecoderLayer(width, attention_dropout=attention_dropout, **options) for _ in range(depth)]
        )
        self.memory = nn.Linear(width, 2 * depth * width)  # keys, then values, of all layers
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Embedding):
                nn.init.normal_(layer.weight, std=0.02)
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.embed.weight[self.pad])
        self.head = nn.Linear(width, symbols, bias=False)

    def start(self, memory: Tensor, valid: Tensor) -> DecoderState:
        """Return the state before the first token for memory float32 (B, S, D) and valid bool (B, S)."""
        packed = self.memory(memory).reshape(*memory.shape[:2], 2, len(self.layers), self.heads, -1)
        keys, values = packed.permute(2, 3, 0, 4, 1, 5).unbind()
        return DecoderState(keys[..., :0, :], values[..., :0, :], keys, values, valid)

    def forward(
        self, tokens: Tensor, state: DecoderState, looked: list[Tensor] | None = None
    ) -> tuple[Tensor, DecoderState]:
        """Read tokens.

        Parameters
        ----------
        tokens : int64 (B, L)
            More than one only at the start.
        state : DecoderState
        looked : list, optional
            As of `DecoderLayer.forward`; of the last layer.

        Returns
        -------
        logits : float32 (B, L, V)
            Of the token that follows each.
        state : DecoderState
            After these tokens.
        """
        read = state.keys.shape[3]
        embedded = self.embed(tokens)
        places = waves(torch.arange(read, read + tokens.shape[1], device=tokens.device) + self.pad + 1, embedded)
        frames = self.drop(embedded * math.sqrt(embedded.shape[-1]) + places)
        mask = None if state.valid is None else state.valid[:, None, None]
        causal, remembered = tokens.shape[1] > 1, []
        for number, layer in enumerate(self.layers):
            past = state.keys[number], state.values[number]
            clip = state.memory_keys[number], state.memory_values[number]
            last = number == len(self.layers) - 1
            frames, *pair = layer(frames, past, clip, mask, causal=causal, looked=looked if last else None)
            remembered.append(pair)
        keys, values = (torch.stack(list(side)) for side in zip(*remembered, strict=True))
        return self.head(self.norm(frames)), state._replace(keys=keys, values=values)


def waves(places: Tensor, like: Tensor) -> Tensor:
    """Return sinusoidal embeddings, sines then cosines, float32 (L, D) of places int64 (L,), for ``like`` (..., D)."""
    half = like.shape[-1] // 2
    rates = torch.exp(torch.arange(half, device=like.device) * (-math.log(10000) / (half - 1)))
    angles = places[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1).to(like.dtype)
