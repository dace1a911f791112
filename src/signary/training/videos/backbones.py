"""Networks of pictures whose features clips are read by, with the weights they come with."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from signary.digest import sha256_file
from signary.errors import ConfigError, InputError, ModelNotFound
from signary.models.compact import CompactNet
from signary.models.inception import SIDE_PX, InceptionV3, trunk_weights
from signary.models.video import Backbone
from signary.models.weights import cast_weights, load_weights
from signary.output import make_folder, whole_file
from signary.training.recipes.load import load_recipe
from signary.training.recipes.pictures import PictureRecipe
from signary.training.run import BEST, CONFIG, LAST

BACKBONES = ("inception", "compact")
INCEPTION_URL = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"
COMPACT = Path(__file__).resolve().parents[2] / "models" / "compact.npz"
COMPACT_SIDE = 128
NAMED_SHA256 = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
TIMEOUT_S = 60.0


def open_backbone(name: str, weights: str = "", *, sha256: str = "") -> Backbone:
    """Return a network of pictures with its weights, to be kept as it is.

    Parameters
    ----------
    name : {"inception", "compact"}
        `signary.models.inception`, or `signary.models.compact` as it learned letters from photos.
    weights : str
        Of inception torchvision's file, as a path or an address (`INCEPTION_URL` is that of the ImageNet weights). Of
        compact a run of a recipe of pictures, or nothing: those that come with the package.
    sha256 : str
        That the file must have, or the first digits of it; by default those that its name ends with, as torchvision's
        names do.

    Raises
    ------
    ModelNotFound
        If there is no such network.
    InputError
        If the weights cannot be had or read, or have another sha256.
    ConfigError
        If they are of another network; the layer is named.
    """
    if name not in BACKBONES:
        raise ModelNotFound.named(name, BACKBONES, kind="backbone")
    if name == "inception":
        return _inception(weights, sha256)
    if not weights:
        return backbone_of(name, _arrays(COMPACT))
    return _compact_of_run(Path(weights))


def random_backbone(name: str, seed: int = 0, *, side: int = COMPACT_SIDE) -> Backbone:
    """Return a network of pictures that has learned nothing, to compare with."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _backbone(name, side, torch.full((3,), 0.5), torch.full((3,), 0.25)).eval()


def backbone_of(name: str, arrays: Mapping[str, Any], *, side: int = 0) -> Backbone:
    """Return the network of pictures that such arrays are the weights of; see `arrays_of`.

    Parameters
    ----------
    name : {"inception", "compact"}
    arrays : mapping of str to array
    side : int
        Pixels; by default, what the network is meant for.
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
    trunk.head = nn.Sequential()  # pictures are not told apart here
    return Backbone(name, trunk, side, mean, std)


def _inception(weights: str, sha256: str) -> Backbone:
    if not weights:
        hint = f"--weights {INCEPTION_URL}, or the path of that file, fetched elsewhere; or --features compact"
        raise InputError("inception: no weights given", hint=hint)
    path = _fetched(weights, sha256) if weights.startswith(("https://", "http://")) else Path(weights)
    check_sha256(path, sha256)
    half = torch.full((3,), 0.5)
    backbone = _backbone("inception", SIDE_PX, half, half)
    load_weights(backbone.trunk, trunk_weights(_tensors(path)), str(path))
    return backbone.eval()


def check_sha256(path: Path, sha256: str = "") -> None:
    """Compare a file's sha256 with its first digits, those given or those at the end of its name.

    Raises
    ------
    InputError
        If it is another, or there is no file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file", hint=f"fetch it from {INCEPTION_URL}")
    named = NAMED_SHA256.search(path.name)
    expected = (sha256 or (named[1] if named else "")).lower()
    found = sha256_file(path)
    if not found.startswith(expected):
        said = f"{path}: sha256 is {found[: max(8, len(expected))]}, must be {expected}"
        raise InputError(said, hint="fetch it again, it is damaged or another one")


def _fetched(address: str, sha256: str) -> Path:
    """Return a file from the network, fetched once into the cache; one of another sha256 is not kept."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "signary"
    target = root / address.rpartition("/")[2].partition("?")[0]
    if target.is_file():
        return target
    make_folder(root)
    try:
        with (
            whole_file(target) as draft,
            urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer,
            draft.open("wb") as file,
        ):
            while part := answer.read(1 << 20):
                file.write(part)
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        hint = "fetch it on another machine and give its path"
        raise InputError(f"{address}: cannot be fetched ({error})", hint=hint) from error
    try:
        check_sha256(target, sha256)
    except InputError:
        target.unlink()
        raise
    return target


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files make torch raise errors of nearly every kind
        reason = str(error).partition("\n")[0][:200]
        raise InputError(f"{path}: no readable weights ({reason})", hint="a file of torch.save is expected") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path}: holds no weights by name", hint="torchvision's file does")
    return state


def _arrays(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no readable weights ({error})", hint="install Signary again") from error


def _compact_of_run(run: Path) -> Backbone:
    """Return the network of a run of pictures: its best weights, averaged where it averages, without the last layer."""
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
