"""Write a store of clips: batches from any number of processes, then one memory map.

Batches are in ``STORE.partial``, each complete or absent, so a killed run can be resumed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.datasets.stores.landmarks import DESCRIPTION, DRAFT, OFFSETS, PARTIAL, POINTS, VERSION, Integers
from signary.datasets.stores.manifest import MANIFEST
from signary.errors import InputError, ShapeError, SignaryError
from signary.landmarks.sequence import Points
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, RIGHT_HAND
from signary.output import check_free, make_folder, whole_file, whole_folder

if TYPE_CHECKING:
    import pyarrow as pa

HALF_PRECISION_MAX = 65504.0


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip with its metadata; unknown fields are empty or None.

    Parameters
    ----------
    id : str
        Unique in a store.
    points : float32 (T, 543, 3)
        As in `LandmarkSequence`.
    label, signer : str
    group : str
        An honest split keeps clips of one group (a signer, a recording) together.
    split : str
        The data set's own part: train, test and so on.
    fps, aspect : float or None
    source, licence : str
        Of the data set.
    file, sha256 : str
        File from which the clip was read.
    """

    id: str
    points: Points
    label: str = ""
    signer: str = ""
    group: str = ""
    split: str = ""
    fps: float | None = None
    aspect: float | None = None
    source: str = ""
    licence: str = ""
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file or clip that could not be stored, and why."""

    file: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, path: Path, error: Exception) -> Refused:
        """Return the refusal of a file whose reading raised an exception."""
        if not isinstance(error, SignaryError):
            reason = str(error).partition("\n")[0][:200]
            said = f"cannot be read ({type(error).__name__}: {reason})"
            return cls(str(path), f"{path}: {said}", "damaged or of another kind")
        named = str(path) in error.message
        return cls(str(path), error.message if named else f"{path}: {error.message}", error.hint)


KNOWN = tuple(field.name for field in fields(Clip) if field.name != "points")
COUNTS = ("frames", "left_hand_frames", "right_hand_frames", "hand_frames")
FLOATS = ("fps", "aspect")


class StoreDraft:
    """A store that is being written, in batches and by any number of processes.

    Parameters
    ----------
    target : str or Path
        Path of the store.
    points : int (P,)
        Which of the 543 are kept.

    Attributes
    ----------
    is_stored : bool
        The store is written.

    Examples
    --------
    ::

        draft = StoreDraft("signs", choose_points())
        draft.begin()
        draft.add("0", clips)
        draft.finish()
    """

    def __init__(self, target: str | Path, points: ArrayLike) -> None:
        self.target, self.points = Path(target), np.asarray(points, np.int64)
        self.folder = self.target.with_name(self.target.name + PARTIAL)
        self.is_stored = False

    def begin(self, *, resume: bool = False, force: bool = False) -> None:
        """Create the folder of the batches, or resume one.

        Raises
        ------
        InputError
            If the store exists and ``force`` is false, something else is at its path, or there is an unfinished draft
            and neither ``resume`` nor ``force`` is set.
        """
        check_free(self.target, force=force)
        mark = self.folder / DRAFT
        for folder, name, what in ((self.target, DESCRIPTION, "store"), (self.folder, DRAFT, "draft of a store")):
            if folder.is_file() or (folder.is_dir() and not (folder / name).is_file() and any(folder.iterdir())):
                raise InputError(f"{folder}: is no {what}, so it stays", hint="name another path")
        if mark.is_file() and not resume:
            if not force:
                hint = "--resume goes on with it, --force begins again"
                raise InputError(f"{self.folder}: {len(self.keys())} batches of a store half written", hint=hint)
            shutil.rmtree(self.folder)
        make_folder(self.folder)
        with whole_file(mark, force=True) as draft:
            draft.write_text(json.dumps({"version": VERSION}), encoding="utf-8")

    def keys(self) -> list[str]:
        """Return the names of the finished batches, in order."""
        return sorted(path.stem for path in self.folder.glob("*.json") if path.name != DRAFT)

    def add(self, key: str, clips: Iterable[Clip], refused: Sequence[Refused] = ()) -> None:
        """Write a batch, completely or not at all; ``refused`` may grow while ``clips`` is consumed.

        Raises
        ------
        ShapeError
            If a clip is not (T, 543, 3) with at least one frame.
        """
        arrays, rows = [], []
        for clip in clips:
            _check_shape(clip)
            arrays.append(_halves(clip.points[:, self.points]))
            rows.append({name: getattr(clip, name) for name in KNOWN} | _counted(clip.points))
        with whole_file(self.folder / f"{key}.npy", force=True) as draft:
            _write_array(draft, (sum(map(len, arrays)), len(self.points), 3), arrays)
        told = {"clips": rows, "refused": [asdict(one) for one in refused]}
        with whole_file(self.folder / f"{key}.json", force=True) as draft:  # last: it marks the batch as done
            draft.write_text(json.dumps(told), encoding="utf-8")

    def finish(
        self, keys: Sequence[str] | None = None, *, force: bool = False, about: dict[str, Any] | None = None
    ) -> list[Refused]:
        """Join batches (all by default, by name) into the store, and delete them; without any clip no store is written.

        Returns
        -------
        list of Refused
            Everything refused in the batches, and clips with a duplicate id, of which the first is kept.

        Raises
        ------
        InputError
            If the store cannot be written.
        """
        batches = list(_joined(self.folder, self.keys() if keys is None else keys))
        refused = [one for batch in batches for one in batch.refused]
        lengths = np.array([length for batch in batches for length in batch.lengths[batch.kept].tolist()], np.int64)
        if len(lengths):
            with whole_folder(self.target, force=force, marks=(DESCRIPTION,)) as folder:
                self._write(folder, batches, lengths, about or {})
            self.is_stored = True
        shutil.rmtree(self.folder)
        return refused

    def _write(self, folder: Path, batches: Sequence[_Batch], lengths: Integers, about: dict[str, Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        shape = (int(lengths.sum()), len(self.points), 3)
        _write_array(folder / POINTS, shape, (part for batch in batches for part in batch.parts()))
        np.save(folder / OFFSETS, np.concatenate([[0], np.cumsum(lengths)]))
        pq.write_table(pa.concat_tables([batch.table for batch in batches]), folder / MANIFEST)
        told = {"version": VERSION, "skeleton": HOLISTIC_543.name, "points": self.points.tolist()}
        told |= {"clips": len(lengths), "frames": shape[0]} | about
        (folder / DESCRIPTION).write_text(json.dumps(told, indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """A batch of a draft: which clips are kept, and their rows of the manifest."""

    path: Path
    lengths: Integers
    kept: NDArray[np.bool_]
    table: pa.Table
    refused: list[Refused]

    def parts(self) -> Iterator[NDArray[np.float16]]:
        """Yield the points of the kept clips, float16 (T, P, 3)."""
        if not self.kept.any():
            return
        array = np.load(self.path, mmap_mode="r").view(np.ndarray)
        ends = np.cumsum(self.lengths)
        for place in np.flatnonzero(self.kept).tolist():
            yield array[ends[place] - self.lengths[place] : ends[place]]


def _joined(folder: Path, keys: Sequence[str]) -> Iterator[_Batch]:
    """Yield the batches; of clips with one id the first is kept, the others are refused."""
    file_of: dict[str, str] = {}
    for key in keys:
        told = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        rows, refused, kept = told["clips"], [Refused(**one) for one in told["refused"]], []
        for row in rows:
            kept.append(row["id"] not in file_of)
            first = file_of.setdefault(row["id"], row["file"])
            if not kept[-1]:
                said = f"{row['file']}: clip {row['id']} is there already"
                refused.append(Refused(row["file"], said, f"the one of {first} is kept; an id is given once"))
        lengths = np.array([row["frames"] for row in rows], np.int64)
        mask = np.array(kept, np.bool_)
        yield _Batch(folder / f"{key}.npy", lengths, mask, _table(rows).filter(mask), refused)


def _write_array(path: Path, shape: tuple[int, ...], parts: Iterable[NDArray[np.float16]]) -> None:
    """Write parts into one ``.npy`` file; one at a time is in memory."""
    with path.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
        file.writelines(np.ascontiguousarray(part).data for part in parts)


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    kinds = dict.fromkeys(KNOWN, pa.string()) | dict.fromkeys(FLOATS, pa.float64()) | dict.fromkeys(COUNTS, pa.int64())
    return pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))


def _check_shape(clip: Clip) -> None:
    shape = clip.points.shape
    if clip.points.ndim != 3 or not shape[0] or shape[1:] != (len(HOLISTIC_543), 3):
        said = f"points.shape={shape}, must be (T, {len(HOLISTIC_543)}, 3) with T of 1 or more"
        raise ShapeError(f"{clip.file or clip.id}: {said}", hint="points of HOLISTIC_543, NaN = not seen")


def _halves(points: Points) -> NDArray[np.float16]:
    """Return float16; values out of its range are far outside any picture and become NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(points) <= HALF_PRECISION_MAX, points, np.nan).astype(np.float16)


def _counted(points: Points) -> dict[str, int]:
    left, right = (np.isfinite(points[:, slot]).all(axis=(1, 2)) for slot in (LEFT_HAND, RIGHT_HAND))
    return dict(zip(COUNTS, (len(left), int(left.sum()), int(right.sum()), int((left | right).sum())), strict=True))
