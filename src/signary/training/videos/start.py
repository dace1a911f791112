"""Initial weights of a network of video features: those of an earlier run or bundle."""

from __future__ import annotations

import io
import sys

import numpy as np
from torch import Tensor, nn

from signary.bundles.bundle import load_bundle
from signary.errors import BundleError, ConfigError
from signary.models.weights import cast_weights
from signary.training.recipes.videos import VideoRecipe
from signary.training.videos.backbones import arrays_of

WEIGHTS = "weights.npz"  # of the network over time, in its bundle


def carried(recipe: VideoRecipe) -> dict[str, Tensor]:
    """Return the initial weights of a recipe with ``init_from``.

    Raises
    ------
    BundleError
        If it has no weights.
    ConfigError
        If they were trained on features of another image network.
    """
    bundle = load_bundle(recipe.init_from)
    if WEIGHTS not in bundle.manifest.files:
        raise BundleError(f"{recipe.init_from}: has no {WEIGHTS}", hint="a run of a recipe of videos has them")
    before = bundle.manifest.recipe.get("backbone", "")
    if recipe.backbone and before != recipe.backbone:
        said = (
            f"{recipe.init_from}: layer backbone has the weights {before[:8]}, the data those of {recipe.backbone[:8]}"
        )
        raise ConfigError(said, hint="prepare both sets with the same --features and --weights")
    with np.load(bundle.path / WEIGHTS, allow_pickle=False) as arrays:
        weights = cast_weights(dict(arrays))
    old, new = set(bundle.vocabulary.labels), set(recipe.vocabulary)
    sys.stderr.write(
        f"{recipe.init_from}: goes on with all layers but the last, whose {len(old)} labels are replaced by "
        f"{len(new)}, {len(old & new)} of them the same\n"
    )
    return weights


def packed(network: nn.Module) -> bytes:
    """Return the weights of a network as the bytes of a ``weights.npz``."""
    stream = io.BytesIO()
    np.savez(stream, **arrays_of(network))
    return stream.getvalue()
