"""InceptionV3 without its top: from pictures to 2,048 features each.

Szegedy et al. (2016), "Rethinking the Inception Architecture for Computer Vision", with the layers, names and constants
of torchvision's port, so that its ImageNet weights can be loaded unchanged. 21,785,568 parameters. The auxiliary head,
which only helps training, is left out. (The 1,024 features a frame that are sometimes quoted are MobileNet's.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 2048
SIDE_PX = 299
LEFT_OUT = ("AuxLogits.", "fc.")  # of torchvision's file

Layer = tuple[str, int, int | tuple[int, int]]  # name, channels, kernel


class InceptionV3(nn.Module):
    """Pictures to features."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.ModuleDict(
            {
                "Conv2d_1a_3x3": _Convolution(3, 32, 3, stride=2),
                "Conv2d_2a_3x3": _Convolution(32, 32, 3),
                "Conv2d_2b_3x3": _Convolution(32, 64, 3, padding=1),
                "maxpool1": nn.MaxPool2d(3, 2),
                "Conv2d_3b_1x1": _Convolution(64, 80, 1),
                "Conv2d_4a_3x3": _Convolution(80, 192, 3),
                "maxpool2": nn.MaxPool2d(3, 2),
                "Mixed_5b": _Mixed(192, _five(32)),
                "Mixed_5c": _Mixed(256, _five(64)),
                "Mixed_5d": _Mixed(288, _five(64)),
                "Mixed_6a": _Mixed(288, SIX_A, stride=2),
                "Mixed_6b": _Mixed(768, _six(128)),
                "Mixed_6c": _Mixed(768, _six(160)),
                "Mixed_6d": _Mixed(768, _six(160)),
                "Mixed_6e": _Mixed(768, _six(192)),
                "Mixed_7a": _Mixed(768, SEVEN_A, stride=2),
                "Mixed_7b": _Mixed(1280, SEVEN, forks=SEVEN_FORKS),
                "Mixed_7c": _Mixed(2048, SEVEN, forks=SEVEN_FORKS),
            }
        )
        self.width = FEATURES

    def features(self, pictures: Tensor) -> Tensor:
        """Return float32 (B, 2048) for pictures float32 (B, 3, H, W) of -1 to 1, H and W 75 or more, usually 299."""
        maps = pictures
        for layer in self.trunk.values():
            maps = layer(maps)
        return maps.mean((2, 3))

    forward = features


def trunk_weights(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of `InceptionV3` by name, given those of torchvision's ``inception_v3``.

    Parameters
    ----------
    published : mapping of str to Tensor
        ``Mixed_5b.branch1x1.conv.weight``, ...; both heads are left out.
    """
    return {f"trunk.{name}": value for name, value in published.items() if not name.startswith(LEFT_OUT)}


class _Convolution(nn.Module):
    def __init__(
        self,
        before: int,
        after: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = functional.relu(self.bn(self.conv(maps)))
        return out


class _Mixed(nn.Module):
    """Parallel branches, concatenated by channels. The last one pools, then convolves if it has a layer.

    Parameters
    ----------
    before : int
        Channels.
    branches : iterable of list of Layer
    stride : int
        2: the last layer of each branch and the pooling halve height and width, without padding.
    forks : mapping of str to (Layer, Layer)
        Layer -> two layers that both follow it and are concatenated.
    """

    def __init__(
        self,
        before: int,
        branches: Iterable[list[Layer]],
        *,
        stride: int = 1,
        forks: Mapping[str, tuple[Layer, Layer]] | None = None,
    ) -> None:
        super().__init__()
        forks = forks or {}
        self.paths: list[list[str]] = []
        self.forks = {name: (one[0], other[0]) for name, (one, other) in forks.items()}
        self.stride = stride
        for branch in branches:
            self.paths.append([name for name, _, _ in branch])
            width = before
            for place, (name, after, kernel) in enumerate(branch):
                halves = stride == 2 and place == len(branch) - 1
                self.add_module(name, _layer(width, after, kernel, stride=2 if halves else 1))
                width = after
                for fork, channels, shape in forks.get(name, ()):
                    self.add_module(fork, _layer(width, channels, shape))

    def forward(self, maps: Tensor) -> Tensor:
        *paths, pool = self.paths
        pooled = functional.max_pool2d(maps, 3, 2) if self.stride == 2 else functional.avg_pool2d(maps, 3, 1, 1)
        return torch.cat([*(self._along(path, maps) for path in paths), self._along(pool, pooled)], 1)

    def _along(self, path: list[str], maps: Tensor) -> Tensor:
        for name in path:
            maps = self.get_submodule(name)(maps)
            if name in self.forks:
                maps = torch.cat([self.get_submodule(fork)(maps) for fork in self.forks[name]], 1)
        return maps


def _layer(before: int, after: int, kernel: int | tuple[int, int], *, stride: int = 1) -> _Convolution:
    high, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (0, 0) if stride == 2 else (high // 2, wide // 2)
    return _Convolution(before, after, kernel, stride=stride, padding=padding)


def _five(pooled: int) -> list[list[Layer]]:
    return [
        [("branch1x1", 64, 1)],
        [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
        [("branch_pool", pooled, 1)],
    ]


def _six(width: int) -> list[list[Layer]]:
    wide, high = (1, 7), (7, 1)
    return [
        [("branch1x1", 192, 1)],
        [("branch7x7_1", width, 1), ("branch7x7_2", width, wide), ("branch7x7_3", 192, high)],
        [
            ("branch7x7dbl_1", width, 1),
            ("branch7x7dbl_2", width, high),
            ("branch7x7dbl_3", width, wide),
            ("branch7x7dbl_4", width, high),
            ("branch7x7dbl_5", 192, wide),
        ],
        [("branch_pool", 192, 1)],
    ]


SIX_A: list[list[Layer]] = [
    [("branch3x3", 384, 3)],
    [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
    [],
]
SEVEN_A: list[list[Layer]] = [
    [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3)],
    [
        ("branch7x7x3_1", 192, 1),
        ("branch7x7x3_2", 192, (1, 7)),
        ("branch7x7x3_3", 192, (7, 1)),
        ("branch7x7x3_4", 192, 3),
    ],
    [],
]
SEVEN: list[list[Layer]] = [
    [("branch1x1", 320, 1)],
    [("branch3x3_1", 384, 1)],
    [("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3)],
    [("branch_pool", 192, 1)],
]
SEVEN_FORKS: dict[str, tuple[Layer, Layer]] = {
    "branch3x3_1": (("branch3x3_2a", 384, (1, 3)), ("branch3x3_2b", 384, (3, 1))),
    "branch3x3dbl_2": (("branch3x3dbl_3a", 384, (1, 3)), ("branch3x3dbl_3b", 384, (3, 1))),
}
