"""Google - Isolated Sign Language Recognition, as on Kaggle.

94,477 clips of 250 signs by 21 signers, landmarks only, CC BY 4.0: https://www.kaggle.com/competitions/asl-signs
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from signary.datasets.readers.kaggle import LICENCE, check_table, read_map
from signary.datasets.readers.reader import Options, Piece, Reader
from signary.datasets.readers.table import read_table
from signary.datasets.stores.draft import Clip
from signary.errors import InputError
from signary.landmarks.files import read_landmarks
from signary.landmarks.skeleton import HOLISTIC_543
from signary.video.frame import DEFAULT_FPS

TABLE, SIGNS = "train.csv", "sign_to_prediction_index_map.json"
COLUMNS = ("path", "participant_id", "sequence_id", "sign")
LAYOUT = f"{TABLE} ({', '.join(COLUMNS)}), {SIGNS} and the Parquet files that the table names"


def _find(folder: Path, options: Options) -> list[Piece]:
    table = folder / TABLE
    check_table(table, READER.name, LAYOUT)
    known = read_map(folder / SIGNS)  # None: any sign is allowed
    return [_piece(folder, row, known) for row in read_table(table, COLUMNS)]


def _piece(folder: Path, row: dict[str, str], known: Collection[str] | None) -> Piece:
    path, sign, signer = folder / row["path"], row["sign"], row["participant_id"]
    fault = f"{path}: sign {sign!r} is not in {SIGNS}" if known is not None and sign not in known else ""
    about = {"id": row["sequence_id"], "label": sign, "signer": signer, "group": signer}
    return Piece(path, about | {"source": "gislr", "licence": LICENCE}, fault)


def _read(piece: Piece, options: Options) -> Iterator[Clip]:
    import pyarrow.parquet as pq

    sequence = read_landmarks(piece.path, fps=options.fps or DEFAULT_FPS)
    rows, size = pq.read_metadata(piece.path).num_rows, len(HOLISTIC_543)
    if sequence.skeleton is not HOLISTIC_543 or rows != len(sequence) * size:
        said = f"{rows / len(sequence):g} points a frame, must be {size}"
        raise InputError(f"{piece.path}: {said}", hint="cut short or of another kind: download it again")
    yield Clip(points=sequence.points, fps=options.fps or DEFAULT_FPS, aspect=sequence.aspect, **piece.about)


READER = Reader("gislr", LAYOUT, batch=64, find=_find, read=_read, fps=DEFAULT_FPS)
