"""Measure a model on a folder of labeled files."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from signary.errors import InputError, SignaryError
from signary.evaluation.metrics import classification_metrics, per_class
from signary.export.bundle import sha256_file
from signary.video.source import LANDMARK_ENDINGS, PHOTO_ENDINGS, VIDEO_ENDINGS, natural_key

if TYPE_CHECKING:
    from signary.recognition.recognizer import Recognizer

MANIFEST = "manifest.csv"
READABLE = frozenset((*PHOTO_ENDINGS, *VIDEO_ENDINGS, *LANDMARK_ENDINGS))
SILENT = "(none)"


@dataclass(frozen=True, slots=True)
class Labeled:
    """A file, its label, and what else is known of it (``signer``, ...)."""

    path: Path
    label: str
    about: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Evaluation:
    """What was measured.

    Parameters
    ----------
    summary : dict
        The object that ``signary evaluate --json`` writes.
    targets, predictions : list of str
        Text of each file counted; ``(none)`` stands for empty text.
    confidence : list of float
    paths : list of Path
        The files counted.
    """

    summary: dict[str, Any]
    targets: list[str]
    predictions: list[str]
    confidence: list[float]
    paths: list[Path] = field(default_factory=list)


def find_labeled(data: Path) -> list[Labeled]:
    """Return the labeled files of a folder, in natural order.

    Parameters
    ----------
    data : Path
        Holds a ``manifest.csv`` with the columns path and label (and others, to group by), or one folder a label,
        which may lie deeper (``train/A/1.jpg``).

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it.
    """
    if not data.is_dir():
        raise InputError(f"{data}: no such folder", hint="give a folder with one folder a label")
    if (data / MANIFEST).is_file():
        return _read_manifest(data / MANIFEST)
    files = [path for path in data.rglob("*") if path.suffix.lower() in READABLE and path.parent != data]
    if not files:
        raise InputError(f"{data}: nothing to read in folders named by label", hint="make one folder a label")
    return [Labeled(path, path.parent.name) for path in sorted(files, key=natural_key)]


def _read_manifest(path: Path) -> list[Labeled]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream, restkey="", strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no readable CSV ({error})", hint="save it as UTF-8, with commas") from error
    if not rows or not {"path", "label"} <= rows[0].keys():
        raise InputError(f"{path}: needs the columns path and label", hint="name them in its first line")
    for line, row in enumerate(rows, 2):
        if "" in row or None in row.values():
            raise InputError(f"{path}: line {line} has not as many cells as the first", hint="one cell a column")
    files = [Labeled(path.parent / row["path"], row["label"], row) for row in rows]
    if not any(file.path.is_file() for file in files):
        hint = f"paths start at the manifest's folder; its first is {rows[0]['path']}"
        raise InputError(f"{path}: none of its files is there", hint=hint)
    return files


def evaluate(
    recognizer: Recognizer,
    data: Path,
    *,
    by: str | None = None,
    track: Callable[[list[Labeled]], Any] = iter,
) -> Evaluation:
    """Read every labeled file of a folder and compare.

    Parameters
    ----------
    recognizer : Recognizer
    data : Path
        See `find_labeled`.
    by : str, optional
        Column of the manifest to group by.
    track : callable
        Wraps the files, to show progress.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If nothing can be counted, or ``by`` is no column.
    """
    files = find_labeled(data)
    if by and by not in files[0].about:
        raise InputError(f"by={by!r}: {data} does not say", hint=f"known: {', '.join(files[0].about) or 'none'}")
    skipped: list[str] = []
    seconds: list[float] = []
    rows: list[tuple[Labeled, str, list[tuple[str, float]]]] = []
    for file in track(files):
        expected = recognizer.bundle.vocabulary.expected_text(file.label)
        if expected is None:
            skipped.append(f"{_name(file, data)}: label {file.label!r} is not in the vocabulary")
            continue
        started_s = time.perf_counter()
        try:
            rows.append((file, expected, recognizer.rank(str(file.path))))
        except SignaryError as error:
            skipped.append(f"{_name(file, data)}: {error.message}")
        else:
            seconds.append(time.perf_counter() - started_s)
    if not rows:
        raise InputError(f"{data}: no file to count for {recognizer.name}", hint=f"skipped: {'; '.join(skipped[:3])}")
    evaluation = _summary(recognizer, data, rows, skipped, by)
    evaluation.summary["speed"] = _speed(seconds)
    return evaluation


def _summary(
    recognizer: Recognizer,
    data: Path,
    rows: list[tuple[Labeled, str, list[tuple[str, float]]]],
    skipped: list[str],
    by: str | None,
) -> Evaluation:
    targets = [expected or SILENT for _, expected, _ in rows]
    ranked = [_distinct(ranking) for _, _, ranking in rows]
    # no hand found: no answer, which is wrong even where silence is expected
    predictions = [ranking[0] if ranking else "" for ranking in ranked]
    hashes = [sha256_file(file.path) for file, _, _ in rows]
    known = recognizer.bundle.trained_on(hashes)
    summary = {
        "model": recognizer.name,
        "data": str(data),
        "n": len(rows),
        "skipped": skipped,
        "trained_on": sum(sha256 in known for sha256 in hashes),
        "metrics": classification_metrics(targets, predictions, ranked),
        "per_class": per_class(targets, predictions),
        "by": _grouped(rows, targets, predictions, by) if by else {},
    }
    confidence = [ranking[0][1] if ranking else 0.0 for _, _, ranking in rows]
    return Evaluation(summary, targets, predictions, confidence, [file.path for file, _, _ in rows])


def _speed(seconds: list[float]) -> dict[str, float]:
    median_ms, p95_ms = (1000 * float(np.percentile(seconds, share)) for share in (50, 95))
    return {"files_per_s": len(seconds) / sum(seconds), "median_ms": median_ms, "p95_ms": p95_ms}


def _name(file: Labeled, data: Path) -> str:
    return str(file.path.relative_to(data) if file.path.is_relative_to(data) else file.path)


def _distinct(ranking: list[tuple[str, float]]) -> list[str]:
    return list(dict.fromkeys(text or SILENT for text, _ in ranking))


def _grouped(
    rows: list[tuple[Labeled, str, list[tuple[str, float]]]], targets: list[str], predictions: list[str], by: str
) -> dict[str, dict[str, dict[str, float]]]:
    hits = defaultdict(list)
    for (file, _, _), target, prediction in zip(rows, targets, predictions, strict=True):
        hits[file.about[by]].append(target == prediction)
    return {by: {name: {"n": len(hit), "accuracy": sum(hit) / len(hit)} for name, hit in sorted(hits.items())}}
