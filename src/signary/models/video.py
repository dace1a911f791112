"""The video reader: from the raw pictures of a clip to logits, with any backbone and any network over time."""

from __future__ import annotations

import hashlib
from typing import Protocol, cast

from torch import Tensor, nn

from signary.features.picture import PictureFeatures
from signary.models.video_lstm import VideoNetwork


class Trunk(Protocol):
    """A network of pictures without its last layer."""

    width: int

    def features(self, pictures: Tensor) -> Tensor:
        """Return features (B, D) of normalized pictures (B, 3, S, S)."""
        ...


class Backbone(nn.Module):
    """From raw pictures to features.

    Parameters
    ----------
    name : str
    trunk : Module
        A `Trunk`.
    side : int
        S in pixels.
    mean, std : float32 (3,)
        See `signary.features.picture.PictureFeatures`.
    """

    def __init__(self, name: str, trunk: nn.Module, side: int, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.name, self.side = name, side
        self.normalize = PictureFeatures(mean, std)
        self.trunk = trunk

    @property
    def width(self) -> int:
        """D."""
        return cast(Trunk, self.trunk).width

    def forward(self, pictures: Tensor) -> Tensor:
        """Return features float32 (B, D) for RGB pictures uint8 (B, S, S, 3)."""
        return cast(Trunk, self.trunk).features(self.normalize(pictures))

    def sha256(self) -> str:
        """Return the hash of the weights, 64 hexadecimal digits: other weights give other features."""
        said = hashlib.sha256(f"{self.name} {self.side}".encode())
        for name, value in sorted(self.state_dict().items()):
            said.update(name.encode())
            said.update(value.detach().cpu().contiguous().numpy().tobytes())
        return said.hexdigest()


class VideoReader(nn.Module):
    """From the raw pictures of a clip to logits.

    Parameters
    ----------
    backbone : Backbone
    network : VideoNetwork
    frames : int
        T.
    """

    def __init__(self, backbone: Backbone, network: VideoNetwork, frames: int) -> None:
        super().__init__()
        self.backbone, self.network, self.frames = backbone, network, frames

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits float32 (V,) for the RGB pictures of a clip, uint8 (T, S, S, 3)."""
        logits: Tensor = self.network(self.backbone(pictures)[None])[0]
        return logits
