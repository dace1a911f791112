"""Landmark files: the two Parquet layouts of Google's sign competitions, and NumPy's npz.

*Long*, of "Google - Isolated Sign Language Recognition" (https://www.kaggle.com/competitions/asl-signs): one clip, a
row per point with ``frame``, ``row_id``, ``type``, ``landmark_index``, ``x``, ``y`` and ``z``.
*Wide*, of "Google - American Sign Language Fingerspelling Recognition"
(https://www.kaggle.com/competitions/asl-fingerspelling): many clips, a row per frame with ``sequence_id``, ``frame``
and ``x_face_0`` ... ``z_right_hand_20``.

Neither has times or the picture's shape. Files written by Signary have both in their metadata and are lossless; in
others, times are frame numbers, counted from the first one, divided by ``fps``.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError, ShapeError, SkeletonMismatch
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.landmarks.skeleton import HOLISTIC_543, SKELETONS, Skeleton, find_skeleton
from signary.ranges import FPS, above_zero

LANDMARK_ENDINGS = (".parquet", ".npz")
VERSION = 1

LONG_COLUMNS = ("frame", "type", "landmark_index", "x", "y", "z")
WIDE_COLUMNS = ("sequence_id", "frame")
NPZ_KEYS = ("points", "times_s", "skeleton", "aspect")
ENDS = "ends_s"  # optional key: end times of the frames
METADATA_KEY = b"signary"
_BATCH_ROWS = 2048
_DAMAGE = (OSError, ValueError, LookupError, TypeError, EOFError, NotImplementedError, BadZipFile, zlib.error)
Name = int | str
Integers = NDArray[np.int64]
Metadata = dict[str, Any]


def read_landmarks(path: str | Path, *, fps: float = 30.0, sequence_id: int | None = None) -> LandmarkSequence:
    """Read one clip.

    Parameters
    ----------
    path : str or Path
        With an ending of `LANDMARK_ENDINGS`.
    fps : float
        Frames a second of a file without times.
    sequence_id : int, optional
        Clip of a wide file; not needed if there is only one.

    Returns
    -------
    LandmarkSequence
        Missing rows or columns are NaN. Frames missing in a Kaggle file are gaps in the times.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged, lacks columns or keys, or does not contain that clip.
    """
    return next(iter(_read(Path(path), fps, lambda names: [_chosen(path, names, sequence_id)]).values()))


def read_all_landmarks(path: str | Path, *, fps: float = 30.0) -> dict[int | str, LandmarkSequence]:
    """Read every clip of a file, in file order; parameters and errors as for `read_landmarks`.

    Returns
    -------
    dict of int or str to LandmarkSequence
        By ``sequence_id``; the clip of a long file or npz by the file's name without its ending.
    """
    return _read(Path(path), fps, lambda names: names)


def _read(path: Path, fps: float, choose: Callable[[list[Name]], list[Name]]) -> dict[Name, LandmarkSequence]:
    above_zero(FPS, fps=fps)
    ending = known_ending(path)
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}", hint="name a landmark file")
    if not path.stat().st_size:
        raise InputError(f"{path}: is empty", hint="0 bytes; fetch or write it again")
    if ending == ".npz":
        return {name: _read_npz(path) for name in choose([path.stem])}
    columns, metadata = _schema(path)
    if set(columns) & set(wide_names()):
        return _read_wide(path, columns, metadata, fps, choose)
    return {name: _read_long(path, columns, metadata, fps) for name in choose([path.stem])}


def _chosen(path: str | Path, names: list[Name], sequence_id: int | None) -> Name:
    """Return the name of the chosen clip; a file of one clip may be named by its ``sequence_id``, as Kaggle's are."""
    named = [name for name in names if sequence_id is None or str(name) == str(sequence_id)]
    if not named:
        raise InputError(f"sequence_id={sequence_id}: not in {path}", hint=f"it holds {_listed(names)}")
    if len(named) > 1:
        raise InputError(f"{path}: holds {len(named)} clips", hint=f"name one with its sequence_id: {_listed(named)}")
    return named[0]


def known_ending(path: Path) -> str:
    """Return a file's ending in lower case; raise `InputError` if it is not one of `LANDMARK_ENDINGS`."""
    ending = path.suffix.lower()
    if ending not in LANDMARK_ENDINGS:
        raise InputError(f"{path.name}: not a landmark file", hint=f"known endings: {', '.join(LANDMARK_ENDINGS)}")
    return ending


@contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Turn errors of a library into an `InputError` that names the file."""
    try:
        yield
    except (ShapeError, SkeletonMismatch) as error:
        raise InputError(f"{path}: {error.message}", hint=error.hint) from error
    except _DAMAGE as error:
        reason = str(error).partition("\n")[0][:120]
        raise InputError(f"{path}: cannot be read as {kind}", hint=reason or "damaged or of another kind") from error


def _listed(names: Sequence[Name]) -> str:
    return ", ".join(map(str, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _need(path: Path, found: list[str], needed: tuple[str, ...], what: str) -> None:
    missing = [name for name in needed if name not in found]
    if missing:
        raise InputError(f"{path}: lacks {what} {', '.join(missing)}", hint=f"it has {_listed(found) or 'none'}")


def _read_npz(path: Path) -> LandmarkSequence:
    if not is_zipfile(path):
        raise InputError(f"{path}: cannot be read as npz", hint="damaged or of another kind")
    with _reading(path, "npz"), np.load(path, allow_pickle=False) as arrays:
        _need(path, list(arrays.files), NPZ_KEYS, "keys")
        points, times, skeleton, aspect = (arrays[key] for key in NPZ_KEYS)
        ends = arrays[ENDS] if ENDS in arrays.files else None
        return LandmarkSequence(points, times, str(skeleton), None if np.isnan(aspect) else float(aspect), ends)


def _schema(path: Path) -> tuple[list[str], Metadata]:
    """Return the columns of a Parquet file and Signary's metadata, empty if there is none."""
    import pyarrow.parquet as pq

    with _reading(path, "Parquet"):
        footer = pq.read_metadata(path)
        metadata = dict(json.loads((footer.metadata or {}).get(METADATA_KEY, b"{}")))
    version = metadata.get("version", VERSION)
    if version != VERSION:
        raise InputError(f"{path}: landmark file of version {version}", hint=f"this Signary reads version {VERSION}")
    return footer.schema.to_arrow_schema().names, metadata


def _read_long(path: Path, columns: list[str], metadata: Metadata, fps: float) -> LandmarkSequence:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    _need(path, columns, LONG_COLUMNS, "columns")
    with _reading(path, "landmarks of the long layout"):
        file = pq.ParquetFile(path, read_dictionary=["type"], page_checksum_verification=True)
        table = file.read(columns=list(LONG_COLUMNS))
        kinds = pc.dictionary_encode(table["type"].cast("string")).combine_chunks()
        names = kinds.dictionary.to_pylist()
        skeleton = _long_skeleton(names, metadata)
        slots = _slots(_integers(kinds.indices), _integers(table["landmark_index"]), names, skeleton)
        rows, times = _timeline(_integers(table["frame"]), metadata, fps)
        flat = rows * len(skeleton) + slots
        if len(flat) and np.bincount(flat).max() > 1:
            raise ValueError("a point occurs twice in one frame: more than one clip?")
        points = np.full((len(times) * len(skeleton), 3), np.nan, np.float32)
        points[flat] = np.stack([table[axis].cast("float32", safe=False).to_numpy() for axis in "xyz"], axis=1)
        placed = points.reshape(len(times), len(skeleton), 3)
        return LandmarkSequence(placed, times, skeleton, metadata.get("aspect"), metadata.get(ENDS))


def _integers(values: Any) -> Integers:
    """Return a column of whole numbers as int64 (N,); raise ValueError for nulls or fractions."""
    array = values.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        whole = np.asarray(array).astype(np.int64)
    if not np.array_equal(whole, array):
        raise ValueError("frame, type, landmark_index and sequence_id must be filled, and numbers whole")
    return whole


def _long_skeleton(types: list[str], metadata: Metadata) -> Skeleton:
    """Return the skeleton named in the metadata, or the one with these parts."""
    found = [skeleton for skeleton in SKELETONS.values() if set(types) <= set(skeleton.parts)]
    skeletons = [find_skeleton(metadata["skeleton"])] if metadata else found
    if not skeletons or skeletons[0] not in found:
        raise ValueError(f"column type holds {_listed(types)}; known: {', '.join(HOLISTIC_543.parts)}")
    return skeletons[0]


def _slots(kinds: Integers, indices: Integers, types: list[str], skeleton: Skeleton) -> Integers:
    """Return the skeleton point of each row, int64 (N,)."""
    if not len(kinds):
        return indices
    bounds = np.array([(skeleton.parts[name].start, skeleton.parts[name].stop) for name in types])
    slots: Integers = bounds[kinds, 0] + indices
    wrong = np.flatnonzero((indices < 0) | (slots >= bounds[kinds, 1]))
    if len(wrong):
        raise ValueError(f"landmark_index {indices[wrong[0]]} is beyond the points of {types[kinds[wrong[0]]]}")
    return slots


def _timeline(frames: Integers, described: Metadata, fps: float) -> tuple[Integers, NDArray[np.float64]]:
    """Return the frame index of each row, int64 (N,), and the times of the frames."""
    if described:
        times = np.asarray(described["times_s"], np.float64)
        if len(frames) and not (frames.min() >= 0 and frames.max() < len(times)):
            raise ValueError("frame numbers lie beyond the times in its metadata")
        return frames, times
    if not len(frames):
        raise ValueError("no rows, so no frames")
    numbers, rows = np.unique(frames, return_inverse=True)
    return rows, (numbers - numbers[0]) / fps


def _read_wide(
    path: Path, columns: list[str], metadata: Metadata, fps: float, choose: Callable[[list[Name]], list[Name]]
) -> dict[Name, LandmarkSequence]:
    _need(path, columns, WIDE_COLUMNS, "columns")
    with _reading(path, "landmarks of the wide layout"):
        known = _clip_names(path)
    wanted = choose(known)
    with _reading(path, "landmarks of the wide layout"):
        names, frames, points = _wide_rows(path, columns, wanted if len(wanted) < len(known) else None)
        order = np.argsort(names, kind="stable")
        runs = zip(*np.unique(names[order], return_index=True, return_counts=True), strict=True)
        chosen = {name: order[first : first + count] for name, first, count in runs}
        described = metadata["sequences"] if metadata else {str(name): {} for name in wanted}
        return {name: _wide_clip(frames, points, chosen[name], described[str(name)], fps) for name in wanted}


def _wide_clip(frames: Integers, points: Points, chosen: Integers, described: Metadata, fps: float) -> LandmarkSequence:
    frames, points = frames[chosen], points[chosen]
    rows, times = _timeline(frames, described, fps)
    if len(np.unique(rows)) < len(rows):
        raise ValueError("a frame occurs twice in one clip")
    placed = np.full((len(times), len(HOLISTIC_543), 3), np.nan, np.float32)
    placed[rows] = points
    return LandmarkSequence(placed, times, HOLISTIC_543, described.get("aspect"), described.get(ENDS))


def _clip_names(path: Path) -> list[Name]:
    """Return the ``sequence_id`` of each clip, in file order."""
    import pyarrow.parquet as pq

    names = _integers(pq.ParquetFile(path).read(columns=["sequence_id"])["sequence_id"].unique())
    if not len(names):
        raise ValueError("no rows, so no clips")
    return list(names.tolist())


def _wide_rows(path: Path, columns: list[str], wanted: list[Name] | None) -> tuple[Integers, Integers, Points]:
    """Return sequence_id (N,), frame (N,) and points float32 (N, 543, 3) of wanted clips or all, read in batches."""
    import pyarrow.dataset as ds

    places = {name: place for place, name in enumerate(wide_names()) if name in set(columns)}
    by_axis = np.array(list(places.values()))
    targets = by_axis % len(HOLISTIC_543) * 3 + by_axis // len(HOLISTIC_543)
    rows = None if wanted is None else ds.field("sequence_id").isin(wanted)
    checked = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    data = ds.dataset(path, format=ds.ParquetFileFormat(default_fragment_scan_options=checked))
    names, frames, points = [], [], []
    for batch in data.to_batches(columns=[*WIDE_COLUMNS, *places], filter=rows, batch_size=_BATCH_ROWS):
        values = np.full((batch.num_rows, len(HOLISTIC_543) * 3), np.nan, np.float32)
        for target, name in zip(targets, places, strict=True):
            values[:, target] = batch.column(name).to_numpy(zero_copy_only=False)
        names.append(_integers(batch.column("sequence_id")))
        frames.append(_integers(batch.column("frame")))
        points.append(values.reshape(-1, len(HOLISTIC_543), 3))
    return np.concatenate(names), np.concatenate(frames), np.concatenate(points)


def wide_names() -> list[str]:
    """Return the 1,629 point columns: x of all points, then y, then z."""
    return [
        f"{axis}_{name}_{point}"
        for axis in "xyz"
        for name, part in HOLISTIC_543.parts.items()
        for point in range(part.stop - part.start)
    ]
