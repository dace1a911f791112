"""Image networks, whose features of frames are the input for reading clips, with their weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from signary.errors import ConfigError, InputError, ModelNotFound
from signary.models.compact import CompactNet
from signary.models.inception import SIDE_PX, InceptionV3, trunk_weights
from signary.models.video import Backbone
from signary.models.weights import cast_weights, load_weights
from signary.training.recipes.load import load_recipe
from signary.training.recipes.pictures import PictureRecipe
from signary.training.run import BEST, CONFIG, LAST
from signary.training.videos.weights import INCEPTION_URL, check_sha256, fetched, read_arrays, read_tensors

BACKBONES = ("inception", "compact")
COMPACT = Path(__file__).resolve().parents[2] / "models" / "compact.npz"
COMPACT_SIDE = 128


def open_backbone(name: str, weights: str = "", *, sha256: str = "") -> Backbone:
    """Return an image network with its weights, which stay frozen.

    Parameters
    ----------
    name : {"inception", "compact"}
        `signary.models.inception`, or `signary.models.compact`, which was trained on photos of letters.
    weights : str
        For inception torchvision's file, a path or an address (`INCEPTION_URL` has the ImageNet weights). For compact
        a run of a recipe of pictures; by default the weights that come with the package.
    sha256 : str
        Of the file, or its first digits; by default those at the end of its name, as in torchvision's names.

    Raises
    ------
    ModelNotFound
        If there is no such network.
    InputError
        If the weights cannot be fetched or read, or have another sha256.
    ConfigError
        If they do not fit; the layer is named.
    """
    if name not in BACKBONES:
        raise ModelNotFound.named(name, BACKBONES, kind="backbone")
    if name == "inception":
        return _inception(weights, sha256)
    if not weights:
        return backbone_of(name, read_arrays(COMPACT))
    return _compact_of_run(Path(weights))


def random_backbone(name: str, seed: int = 0, *, side: int = COMPACT_SIDE) -> Backbone:
    """Return an untrained image network, for comparison."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _backbone(name, side, torch.full((3,), 0.5), torch.full((3,), 0.25)).eval()


def backbone_of(name: str, arrays: Mapping[str, Any], *, side: int = 0) -> Backbone:
    """Return an image network with weights as arrays; see `arrays_of`.

    Parameters
    ----------
    name : {"inception", "compact"}
    arrays : mapping of str to array
    side : int
        Pixels; by default the usual size of the network.
    """
    usual = SIDE_PX if name == "inception" else COMPACT_SIDE
    backbone = _backbone(name, side or usual, torch.zeros(3), torch.ones(3))
    load_weights(backbone, cast_weights(arrays), f"weights of {name}")
    return backbone.eval()


def arrays_of(network: nn.Module) -> dict[str, Any]:
    """Return the weights of a network as arrays by name."""
    return {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}


def _backbone(name: str, side: int, mean: Tensor, std: Tensor) -> Backbone:
    if name == "inception":
        return Backbone(name, InceptionV3(), side, mean, std)
    trunk = CompactNet(3, 1)
    trunk.head = nn.Sequential()  # only its features are used
    return Backbone(name, trunk, side, mean, std)


def _inception(weights: str, sha256: str) -> Backbone:
    if not weights:
        hint = f"--weights {INCEPTION_URL}, or the path of that file, fetched elsewhere; or --features compact"
        raise InputError("inception: no weights given", hint=hint)
    path = fetched(weights, sha256) if weights.startswith(("https://", "http://")) else Path(weights)
    check_sha256(path, sha256)
    half = torch.full((3,), 0.5)
    backbone = _backbone("inception", SIDE_PX, half, half)
    load_weights(backbone.trunk, trunk_weights(read_tensors(path)), str(path))
    return backbone.eval()


def _compact_of_run(run: Path) -> Backbone:
    """Return the image network of a run: the best weights (moving average, if there is one), without the last layer."""
    if not (run / CONFIG).is_file():
        raise InputError(f"{run}: no run of a recipe of pictures", hint="signary train letters-cnn-modern makes one")
    recipe = load_recipe(run / CONFIG)
    if not isinstance(recipe, PictureRecipe) or recipe.network != "compact" or recipe.data.grey:
        said = f"{run}: a run of the network {recipe.network}"
        raise ConfigError(said, hint="compact, in color, is the one whose features are read by clips")
    folder = run / "checkpoints" / "final"
    path = next((path for name in (BEST, LAST) if (path := folder / f"{name}.ckpt").is_file()), None)
    if path is None:
        raise InputError(f"{run}: has no checkpoint", hint="train it again")
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    start = "averaged.module." if recipe.average else "network."
    own = {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
    backbone = _backbone("compact", recipe.data.side, torch.zeros(3), torch.ones(3))
    places = {"features.": "normalize.", "network.stages.": "trunk.stages."}
    weights = {
        new + name.removeprefix(old): value
        for old, new in places.items()
        for name, value in own.items()
        if name.startswith(old)
    }
    load_weights(backbone, weights, str(path))
    return backbone.eval()
