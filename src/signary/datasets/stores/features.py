"""The store of video features: the output of a picture network for a fixed number of frames of each clip.

A folder with ``features.npy`` float16 (N, T, D), of the middle frames of T segments of each clip; optionally
``draws.npy`` float16 (N, K, T, D), of randomly drawn frames for training; ``manifest.parquet``, one row per clip;
``backbone.npz``, the weights of the network; and ``features.json``. While it is made, clips are in ``STORE.partial``
under names that change with the clip, the network and the options, so that a stopped run resumes and never mixes
versions.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.datasets.stores.draft import KNOWN
from signary.datasets.stores.landmarks import PARTIAL, Integers
from signary.datasets.stores.manifest import AGAIN, MANIFEST, clip_keys, read_column
from signary.errors import InputError
from signary.output import check_free, make_folder, whole_file, whole_folder

VERSION = 1
DESCRIPTION, FEATURES, DRAWS, BACKBONE = "features.json", "features.npy", "draws.npy", "backbone.npz"
COLUMNS = tuple(name for name in KNOWN if name not in ("fps", "aspect"))

Features = NDArray[np.float16]


class FeatureStore:
    """Features of clips on disk, read by number.

    Parameters
    ----------
    path : str or Path

    Attributes
    ----------
    about : dict
        Content of ``features.json``: ``backbone`` (``name``, ``sha256``, ``side``), ``frames``, ``fit`` and more.
    features : float16 (N, T, D)
    draws : float16 (N, K, T, D)
        K may be 0.

    Raises
    ------
    InputError
        If there is no such store, or it is damaged or of another version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.about: dict[str, Any] = json.loads((self.path / DESCRIPTION).read_text(encoding="utf-8"))
        except FileNotFoundError:
            hint = "signary data prepare clips FOLDER -o STORE --features compact makes one"
            raise InputError(f"{self.path}: no store of video features", hint=hint) from None
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path / DESCRIPTION}: not readable ({error})", hint=AGAIN) from error
        if self.about.get("version") != VERSION:
            said = f"{self.path}: store of version {self.about.get('version')}"
            raise InputError(said, hint=f"this Signary reads version {VERSION}")
        self.features: Features = self._load(FEATURES, 3)
        shape = (len(self.features), 0, *self.features.shape[1:])
        self.draws: Features = self._load(DRAWS, 4) if self.about["draws"] else np.zeros(shape, np.float16)

    def _load(self, name: str, axes: int) -> Features:
        try:
            array: Features = np.load(self.path / name, mmap_mode="r").view(np.ndarray)
        except (OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{self.path}: damaged store ({reason})", hint=AGAIN) from error
        if array.dtype != np.float16 or array.ndim != axes or len(array) != self.about["clips"]:
            said = f"{self.path}: damaged store ({name} holds {array.dtype} {array.shape})"
            raise InputError(said, hint=AGAIN)
        return array

    def __len__(self) -> int:
        return len(self.features)

    @property
    def frames(self) -> int:
        """T."""
        return self.features.shape[1]

    @property
    def width(self) -> int:
        """D."""
        return self.features.shape[2]

    @property
    def lengths(self) -> Integers:
        """T of each clip, int64 (N,)."""
        return np.full(len(self), self.frames, np.int64)

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of the manifest (N,), text: fields of `signary.datasets.stores.draft.Clip`."""
        return read_column(self.path / MANIFEST, name)

    def keys(self) -> list[str]:
        """Return a key that identifies each clip (N,); see `ClipStore.keys`."""
        return clip_keys(*(self.column(name).tolist() for name in ("file", "sha256", "id")))

    def load(self, rows: ArrayLike, draw: ArrayLike | None = None) -> NDArray[np.float32]:
        """Read clips.

        Parameters
        ----------
        rows : int (B,)
        draw : int (B,), optional
            Draw of each clip, 0 to K; 0, the default, is the even sample.

        Returns
        -------
        float32 (B, T, D)
        """
        rows = np.asarray(rows, np.int64)
        drawn = np.zeros(len(rows), np.int64) if draw is None else np.asarray(draw, np.int64)
        batch: NDArray[np.float32] = self.features[rows].astype(np.float32)
        chance = drawn > 0
        batch[chance] = self.draws[rows[chance], drawn[chance] - 1]
        return batch

    def weights(self) -> dict[str, NDArray[Any]]:
        """Return the weights of the network that made the features, by name."""
        try:
            with np.load(self.path / BACKBONE, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path / BACKBONE}: not readable ({error})", hint=AGAIN) from error


class FeatureDraft:
    """A store that is being written, clip by clip.

    Parameters
    ----------
    target : str or Path
    """

    def __init__(self, target: str | Path) -> None:
        self.target = Path(target)
        self.folder = self.target.with_name(self.target.name + PARTIAL)

    def begin(self, state: str, *, force: bool = False) -> bool:
        """Create the folder of the clips; return true, and create nothing, if the store is complete and has this state.

        Parameters
        ----------
        state : str
            Changes with everything that determines the content. A store with another state is made again.
        force : bool
            Make the store again in any case.

        Raises
        ------
        InputError
            If something else is at its path.
        """
        ours = (self.target / DESCRIPTION).is_file()
        check_free(self.target, force=force or ours)
        if ours and not force and FeatureStore(self.target).about.get("state") == state:
            return True
        if self.folder.exists() and (force or not self.folder.is_dir()):
            if not self.folder.is_dir() or any(path.suffix not in (".npy", ".json") for path in self.folder.iterdir()):
                raise InputError(f"{self.folder}: is no draft of a store, so it stays", hint="name another path")
            shutil.rmtree(self.folder)
        make_folder(self.folder)
        return False

    def has(self, key: str) -> bool:
        """Whether a clip is done."""
        return (self.folder / f"{key}.json").is_file()

    def add(self, key: str, features: Features, row: Mapping[str, str]) -> None:
        """Write a clip, completely or not at all: features float16 (1 + K, T, D) and its row of the manifest."""
        with whole_file(self.folder / f"{key}.npy", force=True) as draft:
            np.save(draft, features)
        with whole_file(self.folder / f"{key}.json", force=True) as draft:  # last: it marks the clip as done
            draft.write_text(json.dumps(dict(row)), encoding="utf-8")

    def finish(self, keys: Sequence[str], about: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]) -> None:
        """Join the clips, of which at least one must be done, into the store, and delete them.

        Raises
        ------
        InputError
            If the store cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        done = [key for key in keys if self.has(key)]
        rows = [json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8")) for key in done]
        looks, *shape = np.load(self.folder / f"{done[0]}.npy", mmap_mode="r").shape
        with whole_folder(self.target, force=True, marks=(DESCRIPTION,)) as folder:
            even = _open(folder / FEATURES, (len(done), *shape))
            drawn = _open(folder / DRAWS, (len(done), looks - 1, *shape)) if looks > 1 else None
            for place, key in enumerate(done):
                clip = np.load(self.folder / f"{key}.npy")
                even[place] = clip[0]
                if drawn is not None:
                    drawn[place] = clip[1:]
            del even, drawn  # flush before the folder is renamed
            schema = pa.schema([(name, pa.string()) for name in COLUMNS])
            pq.write_table(pa.Table.from_pylist(rows, schema), folder / MANIFEST)
            np.savez(folder / BACKBONE, **dict(weights))
            told = {"version": VERSION, "clips": len(done), "draws": looks - 1, **about}
            (folder / DESCRIPTION).write_text(json.dumps(told, indent=1), encoding="utf-8")
        shutil.rmtree(self.folder)


def _open(path: Path, shape: tuple[int, ...]) -> Features:
    array: Features = np.lib.format.open_memmap(path, "w+", np.float16, shape)  # type: ignore[no-untyped-call]
    return array


def is_features(path: Path) -> bool:
    """Whether a folder is a store of video features."""
    return (path / DESCRIPTION).is_file()
