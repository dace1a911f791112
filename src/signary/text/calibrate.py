"""Calibrated confidence: probabilities from logits, temperature scaling, calibration error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError
from signary.ranges import above_zero

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityTable:
    """Confidence against accuracy, in K bins of equal width.

    Parameters
    ----------
    edges : float64 (K + 1,)
        From 0 to 1; a bin includes its upper edge.
    count : int64 (K,)
        Readings in each bin.
    mean_confidence, accuracy : float64 (K,)
        Of the readings in each bin, 0 to 1; NaN in an empty bin.
    """

    edges: Floats
    count: NDArray[np.int64]
    mean_confidence: Floats
    accuracy: Floats

    def rows(self) -> list[tuple[float, float, int]]:
        """Return mean confidence, accuracy and count of each non-empty bin."""
        columns = (self.mean_confidence.round(4), self.accuracy.round(4), self.count)
        return [row for row in zip(*(column.tolist() for column in columns), strict=True) if row[2]]


def softmax(logits: ArrayLike, temperature: float = 1.0) -> Floats:
    """Turn logits into probabilities.

    Parameters
    ----------
    logits : (..., V)
    temperature : float
        Above 0; above 1 makes a model less confident.

    Returns
    -------
    float64 (..., V)
        0 to 1, sum 1 over the last axis.

    Raises
    ------
    InputError
        If ``temperature`` is not above 0.
    """
    above_zero("1 leaves the logits as they are", temperature=temperature)
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_temperature(logits: ArrayLike, targets: ArrayLike) -> float:
    """Find the temperature that gives the true labels the highest likelihood.

    Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017). It changes the confidence, never
    the prediction. Fit it on data outside the training set.

    Parameters
    ----------
    logits : (N, V)
        Finite.
    targets : int (N,)
        True labels, 0 to V - 1.

    Returns
    -------
    float
        0.05 to 20; 1 if no other temperature is better.

    Raises
    ------
    ShapeError
        If the shapes do not fit together.
    InputError
        If there are no rows, a logit is not finite or a target is outside 0 to V - 1.
    """
    rows, labels = np.asarray(logits, np.float64), np.asarray(targets)
    _check_rows(rows, labels)
    shifted = rows - rows.max(axis=1, keepdims=True)
    true = np.take_along_axis(shifted, labels[:, None].astype(np.int64), axis=1)[:, 0]

    def loss(log_temperature: float) -> float:
        inverse = math.exp(-log_temperature)
        return float(np.mean(np.log(np.exp(shifted * inverse).sum(axis=1)) - true * inverse))

    best = _golden_section(loss, math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE))
    return math.exp(best) if loss(best) < loss(0.0) else 1.0


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> ReliabilityTable:
    """Sort predictions into bins of confidence and compare each bin's confidence with its accuracy.

    Parameters
    ----------
    confidence : (N,)
        0 to 1.
    correct : bool (N,)
    bins : int
        1 or more.

    Raises
    ------
    ShapeError
        If the two differ in length.
    InputError
        If a confidence is outside 0 to 1 or ``bins`` is below 1.
    """
    sure, right = np.asarray(confidence, np.float64), np.asarray(correct).astype(np.bool_)
    if sure.ndim != 1 or sure.shape != right.shape:
        raise ShapeError(
            f"confidence {sure.shape}, correct {right.shape}, must both be (N,)", hint="one pair a reading"
        )
    if not ((sure >= 0) & (sure <= 1)).all():
        raise InputError("confidence outside 0 to 1", hint="give probabilities, not logits")
    if bins < 1:
        raise InputError(f"bins={bins}, must be 1 or more", hint="10 and 15 are usual")
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], sure, side="left")
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(place, sure, bins) / count
        accuracy = np.bincount(place, right, bins) / count
    return ReliabilityTable(edges, count.astype(np.int64), mean_confidence, accuracy)


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Return the mean distance of confidence and accuracy over bins, weighted by their counts.

    Parameters
    ----------
    confidence, correct, bins
        As of `reliability`.

    Returns
    -------
    float
        0 (perfectly calibrated) to 1.

    Raises
    ------
    InputError
        If there are no readings, and as `reliability`.
    """
    table = reliability(confidence, correct, bins)
    total = int(table.count.sum())
    if not total:
        raise InputError("0 readings: no calibration error", hint="give at least one")
    filled = table.count > 0
    distance = np.abs(table.mean_confidence - table.accuracy)[filled]
    return float((distance * table.count[filled]).sum() / total)


def _check_rows(logits: Floats, targets: NDArray[np.generic]) -> None:
    if logits.ndim != 2 or targets.shape != logits.shape[:1]:
        raise ShapeError(f"logits {logits.shape}, targets {targets.shape}, must be (N, V), (N,)", hint="a target a row")
    if not logits.size:
        raise InputError(f"logits {logits.shape}: empty", hint="give at least one row and one label")
    if not np.isfinite(logits).all():
        raise InputError("logits not finite", hint="leave out what the model could not read")
    if not np.issubdtype(targets.dtype, np.integer):
        raise ShapeError(f"targets.dtype={targets.dtype}, must be whole numbers", hint="places in the vocabulary")
    if not np.isin(targets, np.arange(logits.shape[1])).all():
        raise InputError(f"targets outside 0 to {logits.shape[1] - 1}", hint="places in the vocabulary")


def _golden_section(loss: Callable[[float], float], low: float, high: float, tolerance: float = 1e-6) -> float:
    """Return the minimum of ``loss``, which falls and then rises between ``low`` and ``high``."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > tolerance:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = loss(right)
    return (low + high) / 2
