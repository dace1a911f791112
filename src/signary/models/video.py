"""The video reader: raw pictures of a clip in, logits out, whatever looks at a frame and whatever at the clip."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from signary.errors import ConfigError
from signary.features.picture import PictureFeatures
from signary.models.video_lstm import VideoNetwork


class Trunk(Protocol):
    """A network of pictures without its last layer."""

    width: int

    def features(self, pictures: Tensor) -> Tensor:
        """Return features (B, D) of normalized pictures (B, 3, S, S)."""
        ...


class Backbone(nn.Module):
    """Raw pictures to what they show.

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
        """Return a name of these very weights, 64 hexadecimal digits: other features come of others."""
        said = hashlib.sha256(f"{self.name} {self.side}".encode())
        for name, value in sorted(self.state_dict().items()):
            said.update(name.encode())
            said.update(value.detach().cpu().contiguous().numpy().tobytes())
        return said.hexdigest()


class VideoReader(nn.Module):
    """Raw pictures of a clip to logits.

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


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], source: str, *, leave: str = "") -> None:
    """Give a network weights from elsewhere, all of them or, but for one layer, none.

    Parameters
    ----------
    network : Module
    weights : mapping of str to Tensor
    source : str
        What the error calls them.
    leave : str
        Name of the layer that keeps its own.

    Raises
    ------
    ConfigError
        If a layer lacks its weights, they have another shape, or there are some for a layer that is not there; the
        first such layer is named.
    """
    skipped = (f"{leave}.",) if leave else ()
    own = {name: value for name, value in network.state_dict().items() if not name.startswith(skipped)}
    given = {name: value for name, value in weights.items() if not name.startswith(skipped)}
    for name, value in own.items():
        if name not in given and not name.endswith("num_batches_tracked"):
            raise ConfigError(f"{source}: no weights for the layer {name}", hint="they are of another network")
        if name in given and given[name].shape != value.shape:
            said = f"{source}: layer {name} has {_shape(given[name])}, must have {_shape(value)}"
            raise ConfigError(said, hint="they are of another network, or of other features")
    if strange := [name for name in given if name not in own]:
        raise ConfigError(f"{source}: layer {strange[0]} is not known here", hint="they are of another network")
    network.load_state_dict(given, strict=False)


def _shape(value: Tensor) -> str:
    return " x ".join(map(str, value.shape)) or "one number"


def cast_weights(arrays: Mapping[str, object]) -> dict[str, Tensor]:
    """Return arrays of a file as float32 tensors; counts stay whole numbers."""
    tensors = {name: torch.as_tensor(value) for name, value in arrays.items()}
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
