"""Write landmarks: the two Parquet layouts, with times and aspect as metadata, and npz."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from signary.errors import InputError, SkeletonMismatch
from signary.landmarks.files import ENDS, METADATA_KEY, NPZ_KEYS, VERSION, Metadata, known_ending, wide_names
from signary.landmarks.sequence import LandmarkSequence, join_sequences
from signary.landmarks.skeleton import HOLISTIC_543
from signary.output import whole_file

if TYPE_CHECKING:
    import pyarrow as pa


def write_landmarks(path: str | Path, sequence: LandmarkSequence, *, force: bool = False) -> Path:
    """Write one clip; as `write_landmark_parts` with one part."""
    return write_landmark_parts(path, [sequence], force=force)


def write_landmark_parts(path: str | Path, parts: Iterable[LandmarkSequence], *, force: bool = False) -> Path:
    """Write one clip without loss: ``.parquet`` in the long layout, ``.npz`` as arrays. Return the path.

    Parameters
    ----------
    path : str or Path
        With an ending of `LANDMARK_ENDINGS`.
    parts : iterable of LandmarkSequence
        Of one skeleton and aspect, in order of time; Parquet keeps one in memory.
    force : bool
        Overwrite an existing file.

    Raises
    ------
    InputError
        If the ending is unknown, the file exists, or its folder does not.
    """
    path = Path(path)
    if known_ending(path) == ".npz":
        sequence = join_sequences(list(parts))
        with whole_file(path, force=force) as draft:
            aspect = np.nan if sequence.aspect is None else sequence.aspect
            values = (sequence.points, sequence.times_s, sequence.skeleton.name, aspect, sequence.ends_s)
            arrays = {key: np.array(value) for key, value in zip((*NPZ_KEYS, ENDS), values, strict=True)}
            np.savez_compressed(draft, **arrays)
        return path
    described: Metadata = {"times_s": [], ENDS: []}
    return _write_parquet(path, _long_tables(parts, described), described, force=force)


def write_wide(path: str | Path, sequences: Mapping[int, LandmarkSequence], *, force: bool = False) -> Path:
    """Write clips of ``HOLISTIC_543``, by ``sequence_id``, as one ``.parquet`` file (wide layout). Return the path.

    Raises
    ------
    InputError
        As `write_landmarks`, or if there is no clip or one is empty.
    SkeletonMismatch
        If a clip has another skeleton.
    """
    path = Path(path)
    if known_ending(path) != ".parquet":
        raise InputError(f"{path.name}: the wide layout is Parquet", hint="end the name in .parquet")
    _check_wide(path, sequences)
    metadata = {"sequences": {str(name): _described(sequence) for name, sequence in sequences.items()}}
    return _write_parquet(path, [_wide_table(sequences)], metadata, force=force)


def _check_wide(path: Path, sequences: Mapping[int, LandmarkSequence]) -> None:
    if not sequences:
        raise InputError(f"{path}: no clips to write", hint="give one or more")
    for name, sequence in sequences.items():
        if sequence.skeleton is not HOLISTIC_543:
            raise SkeletonMismatch(f"clip {name}: {sequence.skeleton.name}, must be HOLISTIC_543", hint="as_holistic()")
        if not len(sequence):
            raise InputError(f"clip {name}: has no frames", hint="leave empty clips out")


def _described(sequence: LandmarkSequence) -> Metadata:
    times, ends = sequence.times_s.tolist(), sequence.ends_s.tolist()
    return {"skeleton": sequence.skeleton.name, "aspect": sequence.aspect, "times_s": times, ENDS: ends}


def _long_tables(parts: Iterable[LandmarkSequence], described: Metadata) -> Iterator[pa.Table]:
    """Yield each part in the long layout; add the metadata to ``described``."""
    start = 0
    for part in parts:
        before = {name: described[name] for name in ("times_s", ENDS)}
        described.update(_described(part))
        described.update({name: known + described[name] for name, known in before.items()})
        yield _long_table(part, start)
        start += len(part)


def _long_table(sequence: LandmarkSequence, start: int) -> pa.Table:
    """Return a part in the long layout, its frames numbered from ``start``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = {name: part.stop - part.start for name, part in sequence.skeleton.parts.items()}
    numbers = np.arange(start, start + len(sequence), dtype=np.int32)
    frames = pa.array(np.repeat(numbers, len(sequence.skeleton)))
    types = pa.array(np.tile(np.repeat(list(sizes), list(sizes.values())), len(sequence)))
    indices = pa.array(
        np.tile(np.concatenate([np.arange(size, dtype=np.int16) for size in sizes.values()]), len(sequence))
    )
    row_ids = pc.binary_join_element_wise(frames.cast("string"), types, indices.cast("string"), "-")
    columns = {"frame": frames, "row_id": row_ids, "type": types, "landmark_index": indices}
    return pa.table(columns | {axis: sequence.points[..., place].ravel() for place, axis in enumerate("xyz")})


def _wide_table(sequences: Mapping[int, LandmarkSequence]) -> pa.Table:
    """Return the wide layout, the frames of each clip numbered from 0."""
    import pyarrow as pa

    lengths = [len(sequence) for sequence in sequences.values()]
    points = np.concatenate([sequence.points for sequence in sequences.values()])
    columns: dict[str, Any] = {"frame": np.concatenate([np.arange(length, dtype=np.int32) for length in lengths])}
    columns |= dict(zip(wide_names(), points.transpose(2, 1, 0).reshape(-1, len(points)).copy(), strict=True))
    columns["sequence_id"] = np.repeat(np.array(list(sequences), np.int64), lengths)
    return pa.table(columns)


def _write_parquet(path: Path, tables: Iterable[pa.Table], metadata: Metadata, *, force: bool) -> Path:
    """Write tables of one schema into one file, then ``metadata``, which may change until then."""
    import pyarrow.parquet as pq

    with whole_file(path, force=force) as draft:
        first = next(rest := iter(tables))
        with pq.ParquetWriter(draft, first.schema, write_page_checksum=True) as writer:
            for table in chain([first], rest):
                writer.write_table(table)
            writer.add_key_value_metadata({METADATA_KEY: json.dumps({"version": VERSION} | metadata)})
    return path
