"""The two rounds of fingerspelling: the first, on folds of signers, scores how well each clip can be read.

After Christof Henkel's and Darragh Hanley's winning entry of the American sign language fingerspelling recognition
competition (Kaggle, 2023).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from signary.datasets.split import SUPPLEMENTAL
from signary.errors import InputError
from signary.output import whole_file
from signary.training.run import CONFIG, STATE
from signary.training.spelling.batches import Phrases

PREDICTIONS = "predictions.parquet"
SUPPLEMENTAL_SCORE = 0.5
_AGAIN = "train it again, it ends with that file"


def write_predictions(path: Path, phrases: Phrases, read: Sequence[str]) -> None:
    """Write a row for each clip: ``key``, ``id``, ``phrase``, the text ``read``, and ``score``.

    Parameters
    ----------
    path : Path
        A Parquet file.
    phrases : Phrases
    read : sequence of str (N,)
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"key": phrases.clips.key, "id": phrases.name, "phrase": phrases.clips.label, "read": read}
    table = pa.table({**columns, "score": phrase_scores(phrases.clips.label.tolist(), read)})
    with whole_file(path, force=True) as draft:
        pq.write_table(table, draft)


def phrase_scores(phrases: Sequence[str], read: Sequence[str]) -> NDArray[np.float32]:
    """Return the score of each phrase, float32 (N,): 1 - distance / length, at least 0."""
    from rapidfuzz.distance import Levenshtein

    distances = (Levenshtein.distance(*pair) for pair in zip(phrases, read, strict=True))
    shares = (max(0.0, 1 - distance / len(phrase)) for distance, phrase in zip(distances, phrases, strict=True))
    return np.fromiter(shares, np.float32, len(phrases))


def fold_scores(runs: Sequence[Path], phrases: Phrases) -> NDArray[np.float32]:
    """Return the score of each clip in the runs that did not train on its signer, float32 (N,).

    Parameters
    ----------
    runs : sequence of Path
        Run folders of all folds; several of one fold are averaged.
    phrases : Phrases
        Supplemental ones, which no fold reads, score 0.5.

    Raises
    ------
    InputError
        If a run is incomplete, a fold is missing, or no run read a clip.
    """
    import pyarrow.parquet as pq

    _check_folds(runs)
    tables = [pq.read_table(run / PREDICTIONS, columns=["key", "score"]) for run in runs]
    keys = np.concatenate([table["key"].to_numpy().astype(np.str_) for table in tables])
    scores = np.concatenate([table["score"].to_numpy() for table in tables])
    names, place = np.unique(keys, return_inverse=True)
    means = np.bincount(place, weights=scores) / np.bincount(place)
    found = np.searchsorted(names, phrases.clips.key).clip(max=len(names) - 1)
    known, extra = names[found] == phrases.clips.key, phrases.split == SUPPLEMENTAL
    if lacking := phrases.name[~known & ~extra].tolist():
        said = f"{', '.join(map(str, runs))}: {len(lacking)} clips were read in none, {lacking[0]} first"
        raise InputError(said, hint="train the folds on the same data")
    return np.where(extra, SUPPLEMENTAL_SCORE, means[found]).astype(np.float32)


def _check_folds(runs: Sequence[Path]) -> None:
    for run in runs:
        for name in (CONFIG, STATE, PREDICTIONS):
            if not (run / name).is_file():
                raise InputError(f"{run}: no whole run of a fold ({name} is missing)", hint=_AGAIN)
    plans = [yaml.safe_load((run / CONFIG).read_text(encoding="utf-8")) for run in runs]
    counts = {plan.get("data", {}).get("folds") for plan in plans}
    if len(counts) > 1 or not isinstance(count := counts.pop(), int):
        raise InputError(f"{', '.join(map(str, runs))}: not of one number of folds", hint="train all with one recipe")
    done = {json.loads((run / STATE).read_text(encoding="utf-8"))["fold"] for run in runs}
    if missing := sorted(set(range(count)) - done):
        said = f"--oof: fold {', '.join(map(str, missing))} of {count} is missing"
        raise InputError(said, hint=f"train it: signary train {plans[0]['name']} --fold {missing[0]} -o RUN")
