"""Readers of data sets: how the files of one kind of data set are found and read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.datasets.stores.draft import Clip, Refused
from signary.digest import sha256_file
from signary.errors import InputError, ModelNotFound
from signary.text.vocabulary import canonical
from signary.video.files import natural_key

READERS = {
    "gislr": "signary.datasets.readers.gislr",
    "fingerspelling": "signary.datasets.readers.fingerspelling",
    "mediapipe-arrays": "signary.datasets.readers.mediapipe_arrays",
    "clips": "signary.datasets.readers.clip_folders",
    "chalearn-isogd": "signary.datasets.readers.video_lists:ISOGD",
    "ledasila": "signary.datasets.readers.video_lists:LEDASILA",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user states about a data set.

    Parameters
    ----------
    fps : float, optional
        Frames a second of clips without a rate of their own.
    licence : str
        Replaces the reader's.
    classes : tuple of str
        Labels to keep, in any spelling; all if empty.
    detector : {"holistic", "hands"}
    mirrored : bool
        Videos are mirror images.
    points : tuple of int
        Which of the 543 are stored, so that a reader may skip the others (set by `prepare`).
    """

    fps: float | None = None
    licence: str = ""
    classes: tuple[str, ...] = ()
    detector: str = "holistic"
    mirrored: bool = False
    points: tuple[int, ...] = ()

    def keep(self, label: str | None) -> bool:
        """Whether clips of a label (None = not known yet) are kept."""
        return not self.classes or label is None or canonical(label) in map(canonical, self.classes)


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or a folder of frames, that is read as a whole.

    Parameters
    ----------
    path : Path
    about : dict
        What is known before reading: fields of `Clip`, or for a file of many clips, what its reader needs.
    fault : str
        Why it is useless, if known before reading.
    """

    path: Path
    about: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    def files(self) -> list[Path]:
        """Return its files, in natural order."""
        return sorted(self.path.glob("*.npy"), key=natural_key) if self.path.is_dir() else [self.path]

    def stamp(self) -> list[tuple[str, int, int]]:
        """Return path, sizes and modification times: what changes with its files."""
        found = [(path.name, path.stat()) for path in self.files() if path.exists()]
        return [(str(self.path), 0, 0), *((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)]

    def sha256(self) -> str:
        """Return the sha256 of the file, or of all frames in order."""
        if self.path.is_file():
            return sha256_file(self.path)
        whole = hashlib.sha256()
        for path in self.files():
            whole.update(path.read_bytes())
        return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class Reader:
    """How one kind of data set is read.

    Parameters
    ----------
    name : str
    layout : str
        The expected layout of the folder, for people.
    batch : int
        Pieces that are read and stored together.
    find : callable
        Returns the pieces of a folder, in a stable order.
    read : callable
        Yields the clips of a piece, and `Refused` for useless ones; raises `InputError` if the whole piece is useless.
    fps : float, optional
        Rate assumed if neither the data nor the user gives one.
    has_phrases : bool
        Labels are spelled phrases, not classes.
    """

    name: str
    layout: str
    batch: int
    find: Callable[[Path, Options], list[Piece]]
    read: Callable[[Piece, Options], Iterable[Clip | Refused]]
    fps: float | None = None
    has_phrases: bool = False


def find_reader(name: str) -> Reader:
    """Return a reader by name.

    Raises
    ------
    ModelNotFound
        If there is none of that name; the known ones are listed.
    """
    if name not in READERS:
        raise ModelNotFound.named(name, READERS, kind="reader")
    module, _, variable = READERS[name].partition(":")
    reader: Reader = getattr(import_module(module), variable or "READER")
    return reader


def find_pieces(name: str, root: Path, options: Options) -> list[Piece]:
    """Return the pieces that a reader finds in a folder, of the requested classes.

    Raises
    ------
    InputError
        If there are none, or the folder is not what the reader expects.
    """
    reader = find_reader(name)
    if not root.exists():
        raise InputError(f"{root}: no such folder", hint=f"{name} expects {reader.layout}")
    pieces = [piece for piece in reader.find(root, options) if options.keep(piece.about.get("label"))]
    if not pieces:
        said = f"{root}: nothing for the reader {name}" + (
            f" of {', '.join(options.classes)}" if options.classes else ""
        )
        raise InputError(said, hint=f"it expects {reader.layout}")
    return pieces


def lacking(labels: NDArray[Any], classes: Sequence[str], root: Path) -> list[Refused]:
    """Return a `Refused` for each requested class without a clip."""
    found = {canonical(label) for label in np.unique(labels).tolist()} if classes else set()
    absent = [name for name in classes if canonical(name) not in found]
    return [Refused(str(root), f"{root}: no clip of class {name!r}", "its labels are others") for name in absent]
