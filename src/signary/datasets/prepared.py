"""The store of a folder of clips, made once in a cache."""

from __future__ import annotations

import glob
import hashlib
import shutil
from pathlib import Path

from signary.datasets.manifest import VERSION, Options, find_reader, prepare
from signary.errors import InputError
from signary.landmarks.draft import Refused
from signary.landmarks.store import DESCRIPTION, PARTIAL, choose_points
from signary.output import make_folder


def prepared(data: Path, cache: Path, *, workers: int = 1) -> tuple[Path, list[Refused]]:
    """Return the store of a folder of clips, made in a cache if it is not there; what is a store already stays.

    Parameters
    ----------
    data : Path
        A store, a folder of stores, or what the reader ``clips`` reads.
    cache : Path
        A store of the folder as it was before is removed: it may hold clips of people who withdrew.
    workers : int
        Processes.

    Returns
    -------
    Path
    refused : list of Refused
        What could not be read, where the store was made anew.
    """
    if not data.is_dir() or (data / DESCRIPTION).is_file() or any(data.glob(f"*/{DESCRIPTION}")):
        return data, []
    pieces = find_reader("clips").find(data, Options())
    if not pieces:
        return data, []
    place = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:8]
    about = repr([(piece.stamp(), sorted(piece.about.items())) for piece in pieces])
    state = hashlib.sha256(f"{VERSION}{about}".encode()).hexdigest()[:8]
    name = f"{data.resolve().name}-{place}"
    target = cache / f"{name}-{state}.store"
    for old in cache.glob(f"{glob.escape(name)}-*.store*"):
        if old.name not in (target.name, target.name + PARTIAL):
            shutil.rmtree(old)
    if (target / DESCRIPTION).is_file():
        return target, []
    make_folder(cache)
    made = prepare("clips", data, target, choose_points(), Options(), workers=workers, resume=True)
    if made.store is None:
        raise InputError(f"{data}: no clip could be read", hint=made.refused[0].message)
    return target, made.refused
