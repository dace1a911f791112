"""Labeled clips of one or more stores; only their metadata is held in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.datasets.split import group_folds
from signary.datasets.stores.features import DESCRIPTION as FEATURES_DESCRIPTION
from signary.datasets.stores.features import FeatureStore
from signary.datasets.stores.landmarks import DESCRIPTION, ClipStore, Integers
from signary.errors import InputError
from signary.text.vocabulary import canonical

Names = NDArray[np.str_]
Stored = ClipStore | FeatureStore


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """N labeled clips.

    Parameters
    ----------
    stores : list of Stored
    store, row : int64 (N,)
        Store and row of each clip.
    length : int64 (N,)
        Frames.
    label, signer, group, source, licence, key : str (N,)
        See `signary.datasets.stores.draft.Clip`; signers and groups of different sources have different names. ``key``
        is unique.
    """

    stores: Sequence[Stored]
    store: Integers
    row: Integers
    length: Integers
    label: Names
    signer: Names
    group: Names
    source: Names
    licence: Names
    key: Names

    def __len__(self) -> int:
        return len(self.row)

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Clips:
        """Return some of the clips."""
        per_clip = (field.name for field in fields(self) if field.name != "stores")
        return replace(self, **{name: getattr(self, name)[rows] for name in per_clip})

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of the stores (N,); see `ClipStore.column`."""
        first = np.cumsum([0, *map(len, self.stores)])[self.store]
        values: NDArray[Any] = np.concatenate([store.column(name) for store in self.stores])[first + self.row]
        return values

    def padded(self, rows: ArrayLike, frames: int, points: ArrayLike) -> tuple[NDArray[np.float32], Integers]:
        """Read a padded batch; see `ClipStore.padded`.

        Parameters
        ----------
        rows : int (B,)
        frames : int
            Longer clips lose their end; the batch is as long as its longest clip.
        points : int (P,)
            Which of the 543.

        Returns
        -------
        float32 (B, T, P, 3)
            NaN where nothing was seen, and after a clip's end.
        lengths : int64 (B,)
        """
        rows, points = np.asarray(rows, np.int64), np.asarray(points, np.int64)
        longest = int(np.minimum(self.length[rows], frames).max(initial=1))
        stores = cast(list[ClipStore], self.stores)
        if len(stores) == 1:
            return stores[0].padded(self.row[rows], longest, points)
        batch = np.empty((len(rows), longest, len(points), 3), np.float32)
        lengths = np.empty(len(rows), np.int64)
        for number, store in enumerate(stores):
            mine = np.flatnonzero(self.store[rows] == number)
            batch[mine], lengths[mine] = store.padded(self.row[rows[mine]], longest, points)
        return batch, lengths


def open_clips(
    data: Path,
    *,
    aliases: Mapping[str, str] | None = None,
    teams: Mapping[str, str] | None = None,
    kind: type[Stored] = ClipStore,
) -> Clips:
    """Open the clips of a store, or of all stores in a folder.

    Parameters
    ----------
    data : Path
    aliases : mapping, optional
        Other name of a label -> label, compared as `signary.text.vocabulary.canonical` does.
    teams : mapping, optional
        Source -> the name to use for it.
    kind : type
        Type of the stores.

    Raises
    ------
    InputError
        If there is no such store, or a clip occurs twice.
    """
    stores = [kind(path) for path in _store_paths(data, DESCRIPTION if kind is ClipStore else FEATURES_DESCRIPTION)]
    parts = [_clips(store, number) for number, store in enumerate(stores)]
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Clips)
        if field.name != "stores"
    }
    clips = Clips(stores, **columns)
    keys, counts = np.unique(clips.key, return_counts=True)
    if (counts > 1).any():
        raise _kept_twice(clips, np.flatnonzero(clips.key == keys[counts > 1][0])[:2])
    return replace(clips, label=_renamed(clips.label, aliases or {}), source=_teams(clips.source, teams or {}))


def _kept_twice(clips: Clips, places: NDArray[np.int64]) -> InputError:
    rows, (before, after) = clips.row[places], clips.store[places]
    path = clips.stores[after].path
    if before == after:
        said = f"{path}: clips {rows[0]} and {rows[1]} are one file, kept twice"
        return InputError(said, hint="remove one of them, and prepare again")
    return InputError(
        f"{path}: clip {rows[1]} is in another store, too", hint="keep each clip in one store of the folder"
    )


def _store_paths(data: Path, description: str) -> list[Path]:
    if (data / description).is_file() or not data.is_dir():
        return [data]  # opening it tells what is wrong
    paths = sorted(path.parent for path in data.glob(f"*/{description}"))
    return paths or [data]


def _clips(store: Stored, number: int) -> Clips:
    signer, group, source = (store.column(name).astype(np.str_) for name in ("signer", "group", "source"))
    group = np.where(group == "", source, group)
    return Clips(
        stores=[store],
        store=np.full(len(store), number),
        row=np.arange(len(store)),
        length=store.lengths,
        label=store.column("label"),
        signer=_within(source, np.where(signer == "", group, signer)),
        group=_within(source, group),
        source=source,
        licence=store.column("licence"),
        # without a hash of the file, its position has to do
        key=np.array([key or f"{store.path.name}/{row}" for row, key in enumerate(store.keys())]),
    )


def _within(source: Names, name: Names) -> Names:
    before = np.char.add(source, "/")
    return np.where(np.char.startswith(name, before), name, np.char.add(before, name))


def _renamed(names: Names, other: Mapping[str, str]) -> Names:
    """Give equivalent names one form: the one of ``other``, or else the most frequent."""
    kinds, place, count = np.unique(names, return_inverse=True, return_counts=True)
    forms = {canonical(name): label for name, label in other.items()}
    for kind in kinds[np.argsort(-count, kind="stable")].tolist():
        forms.setdefault(canonical(kind), kind)
    return np.array([forms[canonical(kind)] for kind in kinds.tolist()])[place]


def _teams(sources: Names, teams: Mapping[str, str]) -> Names:
    names, place = np.unique(sources, return_inverse=True)
    return np.array([teams.get(str(name), str(name)) for name in names])[place]


def fold_of(clips: Clips, by: str, folds: int, *, seed: int = 0) -> tuple[Integers, Sequence[str]]:
    """Assign clips to folds so that all clips of one signer (group, source) are in the same fold.

    Parameters
    ----------
    clips : Clips
    by : {"signer", "group", "source", "key"}
        ``key`` also separates clips of one person, so its scores are too high.
    folds : int
        0: each signer (group, source) is a fold of its own, in order of name.
    seed : int

    Returns
    -------
    fold : int64 (N,)
    names : sequence of str
        Of the folds.
    """
    groups: Names = getattr(clips, by)
    if folds == 0:
        names, place = np.unique(groups, return_inverse=True)
        return place.astype(np.int64), [str(name) for name in names]
    return group_folds(groups, folds, seed=seed), [f"{number + 1} of {folds} by {by}" for number in range(folds)]
