"""Fold several steps of a trained network into one layer or operator, with the same results."""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.models.attention import RotaryAttention
from signary.models.point_network import SpellingNetwork
from signary.models.squeezeformer import ConvModule, PostNorm
from signary.models.stem import Branch

OPSET = 23  # the first ONNX opset with operators for attention and rotary embeddings

Network = TypeVar("Network", bound=SpellingNetwork)


class AddNorm(nn.Module):
    """A `PostNorm` whose scale and shift are folded into its branch."""

    def __init__(self, branch: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.branch, self.norm = branch, norm

    def forward(self, frames: Tensor, *others: Tensor | None) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape and the other arguments of the branch."""
        after: Tensor = self.norm(frames + self.branch(frames, *others))
        return after


class GraphAttention(nn.Module):
    """A `RotaryAttention` with ONNX's own operators."""

    def __init__(self, attention: RotaryAttention) -> None:
        super().__init__()
        self.heads, self.qkv, self.mix = attention.heads, attention.qkv, attention.mix

    def forward(self, frames: Tensor, places: Tensor, mask: Tensor | None) -> Tensor:
        """Return float32 (B, T, D); see `RotaryAttention`."""
        cosines, sines = places.chunk(2, -1)[0].unsqueeze(1).expand(-1, len(frames), -1, -1)
        query, key, value = self.qkv(frames).chunk(3, -1)
        query, key = (
            torch.onnx.ops.rotary_embedding(each, cosines, sines, num_heads=self.heads) for each in (query, key)
        )
        mixed, *_ = torch.onnx.ops.attention(query, key, value, mask, q_num_heads=self.heads, kv_num_heads=self.heads)
        after: Tensor = self.mix(mixed)
        return after


class FlatConv(nn.Module):
    """A ``Conv1d`` as a ``Conv2d`` over pictures one pixel high, for which ONNX Runtime has a faster kernel."""

    def __init__(self, conv: nn.Conv1d) -> None:
        super().__init__()
        self.weight, self.bias, self.groups = conv.weight, conv.bias, conv.groups

    def forward(self, values: Tensor) -> Tensor:
        """Return float32 (B, D, T) for values (B, D, T + kernel - 1)."""
        return functional.conv2d(values[:, :, None], self.weight[:, :, None], self.bias, groups=self.groups)[:, :, 0]


class Unchanged(nn.Module):
    """Replaces a `FrameNorm` that is folded into the layer before it."""

    def forward(self, frames: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the frames."""
        return frames


@torch.no_grad()
def folded(network: Network) -> Network:
    """Return a copy of a fingerspelling network that computes the same in fewer steps, for clips without padding."""
    network = deepcopy(network).eval()
    for module in list(network.modules()):
        if isinstance(module, Branch):
            _merge(module, "conv", "conv_norm")
            _merge(module, "project", "norm")
        elif isinstance(module, ConvModule):
            _merge(module, "around", "norm")
            module.around = FlatConv(module.around)  # type: ignore[assignment]
        for name, child in module.named_children():
            if isinstance(child, PostNorm):
                _shift_first(child)
                branch = child.branch
                branch = GraphAttention(branch) if isinstance(branch, RotaryAttention) else branch
                setattr(module, name, AddNorm(branch, child.norm))
    return network


def _merge(module: nn.Module, layer_name: str, norm_name: str) -> None:
    """Fold a normalization into the layer before it, which has no bias."""
    layer, norm = getattr(module, layer_name), getattr(module, norm_name)
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    layer.weight.mul_(scale.view(-1, *[1] * (layer.weight.dim() - 1)))
    layer.bias = nn.Parameter(norm.bias - norm.running_mean * scale)
    setattr(module, norm_name, Unchanged())


def _shift_first(post: PostNorm) -> None:
    """Fold scale and shift of a branch's input into its first layer."""
    first = next(layer for layer in post.branch.modules() if isinstance(layer, nn.Linear))
    shift = first.weight @ post.bias
    first.weight.mul_(post.scale)
    first.bias = nn.Parameter(shift if first.bias is None else cast(Tensor, first.bias) + shift)
