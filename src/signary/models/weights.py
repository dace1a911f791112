"""Weights from elsewhere: loaded, cast and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from signary.errors import ConfigError


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], source: str, *, leave: str = "") -> None:
    """Load weights from elsewhere: all of them, or all but one layer's, or none.

    Parameters
    ----------
    network : Module
    weights : mapping of str to Tensor
    source : str
        What the error calls them.
    leave : str
        Name of the layer that keeps its own weights.

    Raises
    ------
    ConfigError
        If weights are missing, have another shape, or belong to no layer of the network; the first such layer is named.
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


def trainable(weights: Iterable[nn.Parameter]) -> int:
    """Count the weights that are learned."""
    return sum(weight.numel() for weight in weights if weight.requires_grad)
