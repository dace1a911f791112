"""The manifest of a store: a Parquet file with one row per clip."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError

MANIFEST = "manifest.parquet"
AGAIN = "prepare it again with --force"


def read_column(manifest: Path, name: str) -> NDArray[Any]:
    """Return a column of a Parquet file (N,); see `ClipStore.column`.

    Raises
    ------
    InputError
        If there is no such file or column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(manifest).names
        if name in names:
            column = pq.read_table(manifest, columns=[name])[name]
            values: NDArray[Any] = column.to_numpy()
            return values.astype(np.str_) if pa.types.is_string(column.type) else values
    except (OSError, ValueError) as error:
        raise InputError(f"{manifest}: not readable ({error})", hint=AGAIN) from error
    raise InputError(f"{name!r}: no such column", hint=f"known: {', '.join(names)}")


def clip_keys(file: Sequence[str], sha256: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return the key of each clip (N,), given its file, the file's sha256 and its id; see `ClipStore.keys`."""
    files = list(zip(file, sha256, strict=True))
    clips_of = Counter(files)
    return [
        whole if not whole or clips_of[name, whole] == 1 else hashlib.sha256(f"{whole}/{one}".encode()).hexdigest()
        for (name, whole), one in zip(files, ids, strict=True)
    ]
