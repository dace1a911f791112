"""Metrics for models of single signs and of fingerspelled text.

Labels must be equal to match: bring both sides to the vocabulary's spelling first
(`signary.text.vocabulary.Vocabulary.expected_text`). A clip in which nothing was read has the prediction ``""``,
which is wrong unless ``""`` was expected.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypedDict

from signary.errors import ExtraMissing, InputError, ShapeError

TOP = 10  # how many of the likeliest predictions count at most


class ClassScore(TypedDict):
    """Scores of one class: counts, and shares of 0 to 1 (precision is 0 if the class was never predicted)."""

    n: int
    correct: int
    accuracy: float
    precision: float
    recall: float
    f1: float


def classification_metrics(
    targets: Sequence[str], predictions: Sequence[str], ranked: Sequence[Sequence[str]] | None = None
) -> dict[str, float]:
    """Score predictions of single signs.

    Parameters
    ----------
    targets, predictions : sequence of str (N,)
    ranked : sequence of sequences of str (N,), optional
        Predictions for each clip, likeliest first. Without it there is no ``top5`` and no ``top10``.

    Returns
    -------
    dict of str to float
        0 to 1: ``accuracy``, ``top5``, ``top10``, ``f1_weighted``, ``precision_weighted``, ``recall_weighted`` (means
        over the classes among the targets, weighted by their clips), ``f1_macro``, ``precision_macro``,
        ``recall_macro`` (unweighted means) and ``balanced_accuracy`` (the same as ``recall_macro``).

    Raises
    ------
    InputError
        If there are no clips.
    ShapeError
        If the sequences differ in length.
    ExtraMissing
        If scikit-learn is not installed.
    """
    _check_pairs(targets, predictions)
    if ranked is not None and len(ranked) != len(targets):
        raise ShapeError(f"{len(ranked)} rankings for {len(targets)} targets", hint="give one ranking a clip")
    scores = {"accuracy": _share(target == read for target, read in zip(targets, predictions, strict=True))}
    if ranked is not None:
        for most in (5, TOP):
            clips = zip(targets, predictions, ranked, strict=True)
            scores[f"top{most}"] = _share(target == read or target in best[:most] for target, read, best in clips)
    for average in ("weighted", "macro"):
        precision, recall, f1 = _averages(targets, predictions, average)
        scores |= {f"f1_{average}": f1, f"precision_{average}": precision, f"recall_{average}": recall}
    return scores | {"balanced_accuracy": scores["recall_macro"]}


def per_class(targets: Sequence[str], predictions: Sequence[str]) -> dict[str, ClassScore]:
    """Score every class separately.

    Parameters
    ----------
    targets, predictions : sequence of str (N,)

    Returns
    -------
    dict of str to dict
        For each class among the targets, sorted: ``n`` clips, the number of ``correct`` ones, ``accuracy`` (their
        share, equal to ``recall``), ``precision`` and ``f1``.

    Raises
    ------
    InputError, ShapeError, ExtraMissing
        As `classification_metrics`.
    """
    _check_pairs(targets, predictions)
    score = _scikit_scores()
    labels = sorted(set(targets))
    precisions, recalls, f1s, counts = score(
        list(targets), list(predictions), labels=labels, average=None, zero_division=0
    )
    hits = Counter(target for target, read in zip(targets, predictions, strict=True) if target == read)
    return {
        label: ClassScore(
            n=int(n),
            correct=hits[label],
            accuracy=hits[label] / int(n),
            precision=float(precision),
            recall=float(recall),
            f1=float(f1),
        )
        for label, n, precision, recall, f1 in zip(labels, counts, precisions, recalls, f1s, strict=True)
    }


def spelling_metrics(references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, float]:
    """Score fingerspelled text by Levenshtein distance.

    Parameters
    ----------
    references, hypotheses : sequence of str (N,)
        What was spelled and what was read.

    Returns
    -------
    dict of str to float
        ``score``: 1 - summed edit distance / summed length of the references, as in Google's competition (below 0
        if there are more errors than characters); ``cer`` = 1 - ``score``, the character error rate; ``exact``: share
        of texts read without an error.

    Raises
    ------
    InputError
        If nothing was spelled.
    ShapeError
        If the sequences differ in length.
    ExtraMissing
        If rapidfuzz is not installed.
    """
    _check_pairs(references, hypotheses)
    length = sum(map(len, references))
    if not length:
        raise InputError(f"{len(references)} empty texts: nothing was spelled", hint="give at least one letter")
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise ExtraMissing.named("train", "rapidfuzz") from error
    distances = [Levenshtein.distance(spelled, read) for spelled, read in zip(references, hypotheses, strict=True)]
    rate = sum(distances) / length
    return {"score": 1 - rate, "cer": rate, "exact": distances.count(0) / len(distances)}


def wilson_interval(correct: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the confidence interval of a share, ``correct`` of ``n`` (Wilson, 1927).

    Parameters
    ----------
    correct, n : int
        0 <= correct <= n.
    z : float
        Standard deviations: 1.96 for 95 %.

    Returns
    -------
    (float, float)
        0 to 1; (0, 1) if ``n`` is 0.

    Raises
    ------
    InputError
        If ``correct`` is not 0 to ``n``.

    Examples
    --------
    >>> low, high = wilson_interval(95, 100)
    >>> round(low, 3), round(high, 3)
    (0.888, 0.978)
    """
    if not 0 <= correct <= n:
        raise InputError(f"correct={correct}, must be 0 to n={n}", hint="count the clips again")
    if n == 0:
        return 0.0, 1.0
    share, spread = correct / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low = 0.0 if correct == 0 else max(0.0, middle - reach)
    return low, 1.0 if correct == n else min(1.0, middle + reach)


def _check_pairs(targets: Sequence[str], predictions: Sequence[str]) -> None:
    if len(targets) != len(predictions):
        raise ShapeError(f"{len(targets)} targets, {len(predictions)} predictions", hint="give one of each a clip")
    if not targets:
        raise InputError("0 clips: nothing to score", hint="give at least one that can be read")


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return sum(counted) / len(counted)


def _scikit_scores() -> Callable[..., Any]:
    try:
        from sklearn.metrics import precision_recall_fscore_support
    except ImportError as error:
        raise ExtraMissing.named("train", "scikit-learn") from error
    return precision_recall_fscore_support  # type: ignore[no-any-return]


def _averages(targets: Sequence[str], predictions: Sequence[str], average: str) -> tuple[float, float, float]:
    """Return mean precision, recall and F1 over the classes among the targets, ``"weighted"`` or ``"macro"``."""
    labels = sorted(set(targets))
    scores = _scikit_scores()(list(targets), list(predictions), labels=labels, average=average, zero_division=0)
    return float(scores[0]), float(scores[1]), float(scores[2])
