"""From the features of a clip's frames to a sign: recurrent layers, or attention, over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn

from signary.models.blocks import Block

Freeze = Literal["none", "backbone", "lstm1", "all"]


class VideoNetwork(nn.Module):
    """From features of the frames to logits: named ``layers``, then the last one, ``head``.

    Parameters
    ----------
    features : int
        D.
    relative : bool
        Read each feature twice, with and without its mean over the clip: what depends on the person and the room is
        the same in all frames.
    """

    mean: Tensor
    scale: Tensor
    layers: nn.ModuleDict
    head: nn.Linear

    def __init__(self, features: int, *, relative: bool = False) -> None:
        super().__init__()
        self.relative, self.read = relative, features * (1 + relative)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    def measure(self, clips: Tensor) -> None:
        """Set the scaling so that each feature of clips float32 (N, T, D) has mean 0 and standard deviation 1."""
        frames = clips.flatten(0, 1)
        self.mean.copy_(frames.mean(0))
        self.scale.copy_(1 / frames.std(0, correction=0).clamp(min=1e-3))

    def scaled(self, clips: Tensor) -> Tensor:
        """Return the input of the first layer, float32 (B, T, D or 2 D), for features float32 (B, T, D)."""
        frames = (clips - self.mean) * self.scale
        return torch.cat([frames, frames - frames.mean(1, keepdim=True)], -1) if self.relative else frames

    def freeze(self, what: Freeze) -> None:
        """Freeze the first layer (``lstm1``), or all but the last (``all``); dropout stays on."""
        first = next(iter(self.layers.values()))
        for layer in [first] * (what == "lstm1") + [self.layers] * (what == "all"):
            layer.requires_grad_(False)

    def forward(self, clips: Tensor) -> Tensor:
        """Return logits float32 (B, V) for features float32 (B, T, D)."""
        raise NotImplementedError


class VideoRecurrent(VideoNetwork):
    """Recurrent layers, then fully connected ones.

    As in Keras, dropout acts on the inputs of each recurrent layer with one mask for all frames of a clip, the forget
    gates start open, and an LSTM has one bias a gate: torch's second one stays at zero. Counted like this, 1,024 units
    twice on 2,048 features for 249 classes have 21,234,937 parameters.

    Parameters
    ----------
    features, classes : int
        D and V.
    cell : {"lstm", "gru"}
    width : int
        Units of a recurrent layer.
    depth : int
        Recurrent layers.
    dense : sequence of int
        Units of fully connected layers before the last one, each with ReLU.
    dropout : float
        0 to 1, on the inputs of all recurrent and after the fully connected layers.
    relative : bool
        See `VideoNetwork`.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        *,
        cell: Literal["lstm", "gru"] = "lstm",
        width: int = 1024,
        depth: int = 2,
        dense: Sequence[int] = (),
        dropout: float = 0.5,
        relative: bool = False,
    ) -> None:
        super().__init__(features, relative=relative)
        kind = nn.LSTM if cell == "lstm" else nn.GRU
        self.layers = nn.ModuleDict()
        before = self.read
        for number in range(1, depth + 1):
            layer = kind(before, width, batch_first=True)
            _start_like_keras(layer)
            self.layers[f"{cell}{number}"] = layer
            before = width
        for number, units in enumerate(dense, 1):
            self.layers[f"dense{number}"] = nn.Linear(before, units)
            before = units
        self.head = nn.Linear(before, classes)
        self.same_drop, self.drop = _DropFeatures(dropout), nn.Dropout(dropout)

    def forward(self, clips: Tensor) -> Tensor:
        """Return logits float32 (B, V) for features float32 (B, T, D)."""
        frames = self.scaled(clips)
        recurrent = [layer for layer in self.layers.values() if isinstance(layer, nn.RNNBase)]
        for layer in recurrent:
            frames, _ = layer(self.same_drop(frames))
        last = frames[:, -1]
        for dense in list(self.layers.values())[len(recurrent) :]:
            last = self.drop(torch.relu(dense(last)))
        logits: Tensor = self.head(last)
        return logits


class VideoTransformer(VideoNetwork):
    """Attention between the frames, then their mean.

    Parameters
    ----------
    features, classes : int
        D and V.
    frames : int
        Largest number of frames of a clip.
    width : int
        Units of a frame.
    depth, heads : int
        Blocks, and attention heads of each.
    dropout : float
        0 to 1.
    relative : bool
        See `VideoNetwork`.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        *,
        frames: int = 20,
        width: int = 256,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.3,
        relative: bool = False,
    ) -> None:
        super().__init__(features, relative=relative)
        blocks = {f"block{number}": Block(width, heads=heads, dropout=dropout) for number in range(1, depth + 1)}
        self.layers = nn.ModuleDict({"stem": nn.Linear(self.read, width), "place": _Place(frames, width), **blocks})
        self.drop, self.head = nn.Dropout(dropout), nn.Linear(width, classes)

    def forward(self, clips: Tensor) -> Tensor:
        """Return logits float32 (B, V) for features float32 (B, T, D)."""
        stem, place, *blocks = self.layers.values()
        frames = place(stem(self.scaled(clips)))
        for block in blocks:
            frames = block(frames, None)
        logits: Tensor = self.head(self.drop(frames.mean(1)))
        return logits


class _Place(nn.Module):
    def __init__(self, frames: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(frames, width))

    def forward(self, frames: Tensor) -> Tensor:
        return frames + self.weight[: frames.shape[1]]


class _DropFeatures(nn.Module):
    """Dropout with the same mask for all frames of a clip."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, frames: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return frames
        kept = torch.rand_like(frames[:, :1]) >= self.rate
        return frames * kept / (1 - self.rate)


def _start_like_keras(layer: nn.RNNBase) -> None:
    units = layer.hidden_size
    nn.init.zeros_(cast(Tensor, layer.bias_ih_l0))
    nn.init.zeros_(cast(Tensor, layer.bias_hh_l0))
    for start in range(0, cast(Tensor, layer.weight_ih_l0).shape[0], units):
        gate = slice(start, start + units)
        nn.init.orthogonal_(cast(Tensor, layer.weight_hh_l0).data[gate])
    bound = (6 / (layer.input_size + cast(Tensor, layer.weight_ih_l0).shape[0])) ** 0.5
    nn.init.uniform_(cast(Tensor, layer.weight_ih_l0), -bound, bound)
    if isinstance(layer, nn.LSTM):
        with torch.no_grad():
            cast(Tensor, layer.bias_ih_l0)[units : 2 * units] = 1  # remember at first
        cast(Tensor, layer.bias_hh_l0).requires_grad_(False)
