"""Google - American Sign Language Fingerspelling Recognition, as on Kaggle.

67,208 spelled phrases and 52,958 supplemental sentences from a short list; landmarks only, CC BY 4.0:
https://www.kaggle.com/competitions/asl-fingerspelling

A file holds about a thousand clips, one row per frame, and is read once, a few rows at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.datasets.readers.kaggle import LICENCE, check_table, read_map
from signary.datasets.readers.reader import Options, Piece, Reader
from signary.datasets.readers.table import read_table
from signary.datasets.split import SUPPLEMENTAL
from signary.datasets.stores.draft import Clip, Refused
from signary.errors import InputError
from signary.landmarks.files import WIDE_COLUMNS, wide_names
from signary.landmarks.sequence import Points, scattered
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, RIGHT_HAND
from signary.text.characters import CHARACTERS
from signary.video.frame import DEFAULT_FPS

TABLES = {"train": "train.csv", SUPPLEMENTAL: "supplemental_metadata.csv"}
MAP = "character_to_prediction_index.json"
COLUMNS = ("path", "file_id", "sequence_id", "participant_id", "phrase")
LAYOUT = (
    f"{TABLES['train']} ({', '.join(COLUMNS)}), {MAP}, the Parquet files that the table names, "
    f"and of the supplemental part, if it is wanted, {TABLES[SUPPLEMENTAL]} and its files"
)
_ROWS = 1024  # in memory at once: 7 MB of all points

Row = tuple[str, str, str]  # sequence_id, participant_id, phrase


def _find(folder: Path, options: Options) -> list[Piece]:
    check_table(folder / TABLES["train"], READER.name, LAYOUT)
    known = read_map(folder / MAP)
    characters = CHARACTERS if known is None else "".join(known)
    tables = {split: folder / name for split, name in TABLES.items() if (folder / name).is_file()}
    return [piece for split, path in tables.items() for piece in _pieces(folder, path, split, characters)]


def _pieces(folder: Path, table: Path, split: str, known: str) -> Iterator[Piece]:
    """Yield the files of a table, each with its rows."""
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in read_table(table, COLUMNS):
        clip = (row["sequence_id"], row["participant_id"], row["phrase"])
        rows.setdefault((row["path"], row["file_id"]), []).append(clip)
    for (path, file_id), clips in rows.items():
        about = {"file_id": file_id, "split": split, "table": table.name, "known": known, "clips": tuple(clips)}
        yield Piece(folder / path, about)


def _read(piece: Piece, options: Options) -> Iterator[Clip | Refused]:
    try:
        yield from _read_file(piece, options)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0][:200]
        said = f"{piece.path}: cannot be read, {len(piece.about['clips'])} sequences were expected ({reason})"
        raise InputError(said, hint="damaged or of another kind: download it again") from error


def _read_file(piece: Piece, options: Options) -> Iterator[Clip | Refused]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(piece.path, memory_map=True, page_checksum_verification=True) as file:
        _check_columns(file.schema_arrow.names)
        sequences, frames = (_integers(file, name) for name in WIDE_COLUMNS)
        starts = np.flatnonzero(np.diff(sequences, prepend=sequences[:1] - 1))
        names, lengths = sequences[starts].astype(np.str_).tolist(), np.diff(starts, append=len(sequences))
        faults = dict(_faults(piece, names))
        yield from (Refused(str(piece.path), f"{piece.path}: {said}", hint) for said, hint in faults.values())
        rows = {row[0]: row for row in piece.about["clips"]}
        for name, start, points in zip(names, starts, _runs(_batches(file, options), lengths), strict=True):
            if name in faults:
                continue
            order = np.argsort(frames[start : start + len(points)], kind="stable")
            if (np.diff(frames[start + order]) == 0).any():
                said = f"{piece.path}: sequence {name} has a frame twice"
                yield Refused(str(piece.path), said, "cut or joined by hand: download it again")
            else:
                yield _clip(piece, rows[name], points[order], options)


def _integers(file: Any, name: str) -> NDArray[np.int64]:
    column = file.read(columns=[name])[name].cast("int64")
    if column.null_count:
        raise ValueError(f"{name} is lacking in {column.null_count} rows")
    values: NDArray[np.int64] = column.to_numpy()
    return values


def _check_columns(names: Sequence[str]) -> None:
    found = set(names)
    if missing := [name for name in (*WIDE_COLUMNS, *wide_names()) if name not in found]:
        listed = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        raise ValueError(f"lacks columns {listed}")


def _faults(piece: Piece, names: Sequence[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (name, (fault, hint)) of bad sequences, given the name of each run of rows."""
    table, runs = piece.about["table"], Counter(names)
    listed = Counter(name for name, _, _ in piece.about["clips"])
    for name in runs.keys() - listed.keys():
        yield name, (f"sequence {name} is not in {table}", "its phrase is not known")
    for name, _, phrase in piece.about["clips"]:
        said = f"sequence {name} of {table}"
        if listed[name] > 1:
            yield name, (f"{said} is named {listed[name]} times", "keep one of its lines")
        elif not runs[name]:
            yield name, (f"{said} has no frames in it", "download the file again")
        elif runs[name] > 1:
            yield name, (f"{said} is in {runs[name]} places", "sort the rows by sequence_id")
        elif unknown := "".join(sorted(set(phrase) - set(piece.about["known"]))):
            yield name, (f"{said}: phrase {phrase!r} has {unknown!r}", f"{MAP} has no such characters")
        elif not phrase:
            yield name, (f"{said}: its phrase is empty", "there is nothing to learn from it")


def _batches(file: Any, options: Options) -> Iterator[Points]:
    """Yield points float32 (R, 543, 3) of a few rows at a time: the hands, and the points to store."""
    hands = (*range(LEFT_HAND.start, LEFT_HAND.stop), *range(RIGHT_HAND.start, RIGHT_HAND.stop))
    points = sorted({*hands, *options.points})
    names = np.array(wide_names()).reshape(3, len(HOLISTIC_543))[:, points].reshape(-1).tolist()
    for batch in file.iter_batches(_ROWS, columns=names):
        values = np.stack([batch.column(name).to_numpy(zero_copy_only=False) for name in names])
        yield scattered(values.reshape(3, len(points), -1).T, points)


def _runs(batches: Iterator[Points], lengths: Iterable[int]) -> Iterator[Points]:
    """Regroup a stream of rows into runs of these lengths."""
    held = next(batches, np.empty((0, len(HOLISTIC_543), 3), np.float32))
    for length in lengths:
        while len(held) < length:
            held = np.concatenate([held, next(batches)])
        yield held[:length]
        held = held[length:]


def _clip(piece: Piece, row: Row, points: Points, options: Options) -> Clip:
    name, signer, phrase = row
    about = {"source": READER.name, "licence": LICENCE, "split": piece.about["split"]}
    place = f"{piece.about['file_id']}/{name}"  # a sequence_id may occur in several files
    return Clip(place, points, phrase, signer, group=signer, fps=options.fps or DEFAULT_FPS, **about)


READER = Reader("fingerspelling", LAYOUT, batch=1, find=_find, read=_read, fps=DEFAULT_FPS, has_phrases=True)
