"""Evaluate a model on a folder of labeled files, on a prepared store, or on a spelling set."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from signary.datasets.synthetic.sets import SpelledClip, find_spelling_set, is_spelling_set
from signary.errors import InputError
from signary.evaluation.answers import SPELLING, Answer, answers, is_film, useful_workers
from signary.evaluation.labeled import Labeled, Source, find_labeled, is_store, label_set
from signary.evaluation.metrics import TOP, classification_metrics, per_class, spelling_metrics
from signary.evaluation.readings import ReadPhrase, in_sight, reading_report
from signary.evaluation.wording import counted
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.many import check_workers

if TYPE_CHECKING:
    from signary.recognition.recognizer import Recognizer

SILENT = "(none)"
SUMS = ("score", "cer", "cer_folded", "exact", "time_median_s", "time_p90_s", "confidence_auc")


@dataclass(slots=True)
class Evaluation:
    """The result of an evaluation.

    Parameters
    ----------
    summary : dict
        The object that ``signary evaluate --json`` writes.
    targets, predictions : list of str
        Text of each file or clip that counts; ``(none)`` stands for empty text, ``""`` for no answer.
    confidence : list of float
    sources : list of Path, StoredClip or SpelledClip
        The files or clips that count.
    ranked : list of list of str
        The likeliest texts of each, at most `signary.evaluation.metrics.TOP`.
    readings : list of ReadPhrase
        For spelling, each with its tokens.
    """

    summary: dict[str, Any] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)
    predictions: list[str] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    ranked: list[list[str]] = field(default_factory=list)
    readings: list[ReadPhrase] = field(default_factory=list)


def evaluate(
    recognizer: Recognizer,
    data: Path,
    *,
    by: str | None = None,
    limit: int | None = None,
    workers: int | None = 1,
    track: Callable[[list[Labeled]], Iterable[Labeled]] = iter,
) -> Evaluation:
    """Read every labeled file or clip and compare with the labels.

    Parameters
    ----------
    recognizer : Recognizer
    data : Path
        See `find_labeled`; for a spelling model also the name of a set, see `find_spelling_set`.
    by : str, optional
        Column of the manifest to group by; by default ``signer`` for spelling from a store.
    limit : int, optional
        Read only so many files or clips, the first ones.
    workers : int, optional
        Processes that read files and films of the avatar, as for `Recognizer.recognize_many`. None: all cores, but 1 if
        there is little to do.
    track : callable
        Wraps the files or clips, to show progress.

    Returns
    -------
    Evaluation
        Its summary names each skipped file. For a store, which may have thousands, it counts the skipped clips by
        reason. ``files_per_s`` of its ``speed`` is by the time that recognition took; with several workers, by the
        wall-clock time from the first to the last, for all workers together.

    Raises
    ------
    InputError
        If nothing can be counted, ``by`` is not a column of text, or ``limit`` or ``workers`` is below 1.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit={limit}, must be 1 or more", hint="files or clips to read")
    check_workers(workers)
    spelled = recognizer.bundle.task == SPELLING
    by = by or ("signer" if spelled and is_store(data) else None)
    evaluation = Evaluation()
    labeled, about = _find(recognizer, data, by, limit)
    expected = [_expected(recognizer, one.label) for one in labeled]
    asked = [one for one, text in zip(labeled, expected, strict=True) if text is not None]
    workers = useful_workers(asked, workers)
    read: list[Labeled] = []
    skipped: list[tuple[Source, str]] = []
    seconds: list[float] = []
    started_s = time.perf_counter()
    said = answers(recognizer, asked, data, limit=limit, workers=workers)
    for one, text in zip(track(labeled), expected, strict=True):
        if text is None:
            skipped.append((one.source, f"label {one.label!r} is not in the vocabulary"))
        elif isinstance(answer := next(said), str):
            skipped.append((one.source, answer))
        else:
            seconds.append(answer.seconds)
            read.append(one)
            _add(evaluation, one, text, answer, silent="" if spelled else SILENT)
    wall_s = time.perf_counter() - started_s
    told = _told(skipped, data)
    if not read:
        unit = _unit(data)
        raise InputError(f"{data}: no {unit} to count for {recognizer.name}", hint=f"skipped: {'; '.join(told[:3])}")
    evaluation.summary = _summary(recognizer, data, evaluation, read, by)
    speed = _speed(seconds, sum(seconds) if workers == 1 else wall_s)
    evaluation.summary |= {"skipped": told, "n_skipped": len(skipped), "speed": speed} | about
    return evaluation


def _find(
    recognizer: Recognizer, data: Path, by: str | None, limit: int | None
) -> tuple[list[Labeled], dict[str, Any]]:
    """Return what to read, and the description of a set."""
    if recognizer.bundle.task == SPELLING and is_spelling_set(data):
        found = find_spelling_set(data, limit, engine=recognizer.engine)
        return label_set(found, by), {"set": found.about} if found.about else {}
    return find_labeled(data, by)[:limit], {}


def _expected(recognizer: Recognizer, label: str) -> str | None:
    """Return the text of a label, None if it is outside the vocabulary; a phrase is its own text."""
    if recognizer.bundle.task == SPELLING:
        return label if label and set(label) <= set(recognizer.bundle.vocabulary.labels) else None
    return recognizer.bundle.vocabulary.expected_text(label)


def _unit(data: Path) -> str:
    return "clip" if is_store(data) or is_spelling_set(data) else "file"


def _add(evaluation: Evaluation, one: Labeled, expected: str, answer: Answer, *, silent: str) -> None:
    best = list(dict.fromkeys(text or silent for text, _ in answer.ranking))[:TOP]
    evaluation.targets.append(expected or silent)
    # no hand found: no answer, which is wrong even if silence is expected
    evaluation.predictions.append(best[0] if best else "")
    evaluation.confidence.append(answer.ranking[0][1] if answer.ranking else 0.0)
    evaluation.sources.append(_kept(one.source, answer.sequence))
    evaluation.ranked.append(best)
    if answer.found is not None:
        letters_s, sight = one.letters_s(), None
        if letters_s is not None and answer.sequence is not None:
            sight = in_sight(letters_s, answer.sequence)
        evaluation.readings.append(ReadPhrase(one.label, answer.found, letters_s, sight))


def _kept(source: Source, sequence: LandmarkSequence | None) -> Source:
    """Return a source; a film keeps its landmarks, so that a report need not film it again."""
    if sequence is not None and isinstance(source, SpelledClip) and is_film(source):
        return replace(source, make=lambda: sequence)
    return source


def _summary(
    recognizer: Recognizer, data: Path, evaluation: Evaluation, read: Sequence[Labeled], by: str | None
) -> dict[str, Any]:
    targets, predictions = evaluation.targets, evaluation.predictions
    keys = [one.key() for one in read]
    known = recognizer.bundle.trained_on(keys)
    new = [place for place, key in enumerate(keys) if key not in known]
    groups = [one.group for one in read]
    summary: dict[str, Any] = {
        "model": recognizer.name,
        "data": str(data),
        "unit": _unit(data),
        "n": len(read),
        "trained_on": len(read) - len(new),
    }
    if recognizer.bundle.task == SPELLING:
        summary |= _phrase_scores(evaluation.readings, by, groups)
    else:
        summary["metrics"] = classification_metrics(targets, predictions, evaluation.ranked)
        summary["per_class"] = per_class(targets, predictions)
        summary["by"] = {by: _grouped(groups, targets, predictions)} if by else {}
    if 0 < len(new) < len(read):
        asked, said = ([side[place] for place in new] for side in (targets, predictions))
        ranked = [evaluation.ranked[place] for place in new]
        spelled = recognizer.bundle.task == SPELLING
        rest = spelling_metrics(asked, said) if spelled else classification_metrics(asked, said, ranked)
        summary["held_out"] = {"n": len(new), "metrics": rest}
    return summary


def _phrase_scores(readings: Sequence[ReadPhrase], by: str | None, groups: Sequence[str]) -> dict[str, Any]:
    report = reading_report(readings, groups if by else None)
    kinds = {by if by and name == "signer" else name: found for name, found in report["by"].items()}
    metrics = {name: report[name] for name in SUMS if name in report}
    rest = {name: report[name] for name in ("characters", "errors", "substitutions")}
    return {"metrics": metrics, "per_class": {}, "by": kinds, **rest}


def _told(skipped: Sequence[tuple[Source, str]], data: Path) -> list[str]:
    if is_store(data):
        reasons = Counter(reason for _, reason in skipped).most_common()
        return [f"{reason}: {counted(count, 'clip')}" for reason, count in reasons]
    return [f"{_name(source, data)}: {reason}" for source, reason in skipped]


def _name(source: Source, data: Path) -> str:
    if isinstance(source, Path) and source.is_relative_to(data):
        return str(source.relative_to(data))
    return str(source)


def _speed(seconds: list[float], in_all_s: float) -> dict[str, float]:
    median_ms, p95_ms = (1000 * float(np.percentile(seconds, share)) for share in (50, 95))
    return {"files_per_s": len(seconds) / in_all_s, "median_ms": median_ms, "p95_ms": p95_ms}


def _grouped(groups: Sequence[str], targets: Sequence[str], predictions: Sequence[str]) -> dict[str, dict[str, float]]:
    hits = defaultdict(list)
    for group, target, prediction in zip(groups, targets, predictions, strict=True):
        hits[group].append(target == prediction)
    return {group: {"n": len(hit), "accuracy": sum(hit) / len(hit)} for group, hit in sorted(hits.items())}
