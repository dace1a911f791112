"""A compact residual network for pictures of hands, made to run fast on two cores.

Plain 3 x 3 convolutions in basic residual blocks (He et al., 2016) at small widths. On a CPU they are faster than the
depthwise ones of larger networks with fewer multiplications, because batch norm and ReLU are fused into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn


class CompactNet(nn.Module):
    """Normalized pictures to logits.

    Parameters
    ----------
    channels : int
        C of the pictures: 3, or 1 for grey.
    classes : int
        V.
    widths : sequence of int
        Channels of each stage; each halves height and width.
    depths : sequence of int
        Residual blocks of each stage.
    dropout : float
        Before the last layer, 0 to 1.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        widths: Sequence[int] = (16, 24, 48, 96, 176),
        depths: Sequence[int] = (0, 1, 1, 1, 1),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        before = channels
        for width, depth in zip(widths, depths, strict=True):
            stages.append(_convolution(before, width, stride=2, relu=True))
            stages += [_Block(width) for _ in range(depth)]
            before = width
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(before, classes))
        self.width = before

    def features(self, pictures: Tensor) -> Tensor:
        """Return features float32 (B, D) for pictures float32 (B, C, H, W)."""
        return torch.mean(self.stages(pictures), (2, 3))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits float32 (B, V) for pictures float32 (B, C, H, W)."""
        logits: Tensor = self.head(self.features(pictures))
        return logits


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        second = _convolution(width, width, stride=1, relu=False)
        nn.init.zeros_(cast(nn.BatchNorm2d, second[1]).weight)  # a block starts as the identity
        self.inner = nn.Sequential(_convolution(width, width, stride=1, relu=True), second)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.relu(maps + self.inner(maps))
        return out


def _convolution(before: int, after: int, *, stride: int, relu: bool) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(after), *([nn.ReLU(inplace=True)] if relu else []))
