"""What a model is evaluated on: labeled files of a folder, clips of a prepared store, or a spelling set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from signary.datasets.readers.table import read_table
from signary.datasets.stores.landmarks import DESCRIPTION, DRAFT, ClipStore
from signary.datasets.synthetic.sets import TIMES, SpelledClip, SpellingSet, Times
from signary.digest import sha256_file
from signary.errors import InputError
from signary.landmarks.sequence import LandmarkSequence
from signary.video.files import natural_key
from signary.video.kinds import LANDMARK_ENDINGS, PHOTO_ENDINGS, VIDEO_ENDINGS

MANIFEST = "manifest.csv"
READABLE = frozenset((*PHOTO_ENDINGS, *VIDEO_ENDINGS, *LANDMARK_ENDINGS))


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A clip of a store, loaded when it is needed.

    Parameters
    ----------
    store : ClipStore
    row : int
    name : str
        Its id.
    key : str
        Its hash in a bundle's training list; see `ClipStore.keys`.
    """

    store: ClipStore
    row: int
    name: str
    key: str

    def sequence(self) -> LandmarkSequence:
        """Return its landmarks."""
        return self.store.sequence(self.row)


Source = Path | StoredClip | SpelledClip


@dataclass(frozen=True, slots=True)
class Labeled:
    """A file or a clip, its label, and the group it is counted with."""

    source: Source
    label: str
    group: str = ""

    def read(self) -> str | LandmarkSequence:
        """Return the source for a recognizer."""
        return str(self.source) if isinstance(self.source, Path) else self.source.sequence()

    def key(self) -> str:
        """Return the sha256 by which a bundle lists its training data."""
        return sha256_file(self.source) if isinstance(self.source, Path) else self.source.key

    def letters_s(self) -> Times | None:
        """Return when each character of a phrase is shown, float32 (L, 2), NaN = not known; None if no time is."""
        if isinstance(self.source, StoredClip):
            times = self.source.store.about.get(TIMES, {}).get(self.source.name)
            return None if times is None else np.array(times, np.float32).reshape(-1, 2)
        return self.source.letters_s if isinstance(self.source, SpelledClip) else None


def is_store(data: Path) -> bool:
    """Return whether a folder is a prepared store, even a half-written one."""
    return any((data / name).is_file() for name in (DESCRIPTION, DRAFT))


def label_set(found: SpellingSet, by: str | None = None) -> list[Labeled]:
    """Return the clips of a spelling set.

    Raises
    ------
    InputError
        If groups are asked for.
    """
    if by:
        raise InputError(f"by={by!r}: {found.name} does not say", hint="it is counted by length, speed and kind anyway")
    return [Labeled(clip, clip.text) for clip in found.clips]


def find_labeled(data: Path, by: str | None = None) -> list[Labeled]:
    """Return the clips of a store in its order, or the labeled files of a folder in natural order.

    Parameters
    ----------
    data : Path
        A prepared store; or a folder that holds a ``manifest.csv`` with the columns path and label (and others, to
        group by), or one folder a label, which may lie deeper (``train/A/1.jpg``).
    by : str, optional
        Column of the manifest to group by.

    Raises
    ------
    InputError
        If there is no such folder, nothing in it, or ``by`` is not a column of text.
    """
    if not data.is_dir():
        raise InputError(f"{data}: no such folder", hint="give a store, or a folder with one folder a label")
    if is_store(data):
        return _find_clips(ClipStore(data), by)
    if (data / MANIFEST).is_file():
        return _read_manifest(data / MANIFEST, by)
    if by:
        raise InputError(f"by={by!r}: {data} does not say", hint=f"give it a {MANIFEST} with such a column")
    files = [path for path in data.rglob("*") if path.suffix.lower() in READABLE and path.parent != data]
    if not files:
        raise InputError(f"{data}: nothing to read in folders named by label", hint="make one folder a label")
    return [Labeled(path, path.parent.name) for path in sorted(files, key=natural_key)]


def _find_clips(store: ClipStore, by: str | None) -> list[Labeled]:
    groups = store.column(by) if by else store.column("label")
    if groups.dtype.kind != "U":
        hint = "give a column of text: signer, source, group, split, label"
        raise InputError(f"by={by!r}: {store.path} has numbers there", hint=hint)
    columns = (column.tolist() for column in (store.column("id"), store.column("label"), groups))
    clips = zip(store.keys(), *columns, strict=True)
    return [
        Labeled(StoredClip(store, row, name, key), label, group)
        for row, (key, name, label, group) in enumerate(clips)
    ]  # fmt: skip


def _read_manifest(path: Path, by: str | None) -> list[Labeled]:
    rows = read_table(path, ("path", "label"))
    if by and by not in rows[0]:
        raise InputError(f"by={by!r}: {path.parent} does not say", hint=f"known: {', '.join(rows[0])}")
    files = [Labeled(path.parent / row["path"], row["label"], row[by] if by else "") for row in rows]
    if not any(path.parent.joinpath(row["path"]).is_file() for row in rows):
        hint = f"paths start at the manifest's folder; its first is {rows[0]['path']}"
        raise InputError(f"{path}: none of its files is there", hint=hint)
    return files
