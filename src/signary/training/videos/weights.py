"""Files of weights of image networks: fetched, checked and read."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from signary.digest import sha256_file
from signary.errors import InputError
from signary.output import make_folder, whole_file

INCEPTION_URL = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"
NAMED_SHA256 = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
TIMEOUT_S = 60.0


def check_sha256(path: Path, sha256: str = "") -> None:
    """Check the first digits of a file's sha256: those given, or those at the end of its name.

    Raises
    ------
    InputError
        If they differ, or there is no file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file", hint=f"fetch it from {INCEPTION_URL}")
    named = NAMED_SHA256.search(path.name)
    expected = (sha256 or (named[1] if named else "")).lower()
    found = sha256_file(path)
    if not found.startswith(expected):
        said = f"{path}: sha256 is {found[: max(8, len(expected))]}, must be {expected}"
        raise InputError(said, hint="fetch it again, it is damaged or another one")


def fetched(address: str, sha256: str) -> Path:
    """Download a file into the cache, if it is not there; it is deleted if its sha256 is wrong."""
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


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the weights in a file of torch.save; an InputError names an unreadable one."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises nearly every kind of error for damaged files
        reason = str(error).partition("\n")[0][:200]
        raise InputError(f"{path}: no readable weights ({reason})", hint="a file of torch.save is expected") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path}: holds no weights by name", hint="torchvision's file does")
    return state


def read_arrays(path: Path) -> dict[str, Any]:
    """Read the weights that come with the package."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no readable weights ({error})", hint="install Signary again") from error
