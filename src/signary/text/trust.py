"""Confidence of a spelled text: from the results of a beam search to one probability, and a flag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError
from signary.text.beam import Candidate
from signary.text.spelling import Spelling

EVIDENCE = ("odds", "margin", "least", "mean", "share")
FARTHEST = 20.0  # logarithms are clipped to this

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trust:
    """From evidence to the probability that a text is right in every character.

    By default it is the network's probability of the text, summed over all paths; `fit_trust` learns better weights.

    Parameters
    ----------
    weights : tuple of float
        Of each of `EVIDENCE`.
    bias : float
    threshold : float
        Texts with a lower probability (0 to 1) are doubtful.

    Raises
    ------
    ShapeError
        If there is not one weight for each of `EVIDENCE`.
    """

    weights: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 0.0)
    bias: float = 0.0
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if len(self.weights) != len(EVIDENCE):
            raise ShapeError(f"{len(self.weights)} weights, must be {len(EVIDENCE)}", hint=f"of {', '.join(EVIDENCE)}")

    def confidence(self, evidence: ArrayLike) -> Floats:
        """Return the probabilities (0 to 1) of texts, (...), by their evidence (..., 5)."""
        return np.asarray(1 / (1 + np.exp(-(np.asarray(evidence, np.float64) @ self.weights + self.bias))))

    def doubtful(self, evidence: ArrayLike) -> NDArray[np.bool_]:
        """Return which texts are too improbable to rely on; they are still the best guess."""
        return np.asarray(self.confidence(evidence) < self.threshold)


def evidence(candidates: Sequence[Candidate], spelling: Spelling) -> Floats:
    """Return what speaks for the first of some readings.

    Parameters
    ----------
    candidates : sequence of Candidate
        Of one clip, the best first.
    spelling : Spelling
        The characters of the best one with their times.

    Returns
    -------
    float64 (5,)
        In the order of `EVIDENCE`: ``odds``, the network's log-odds that the text is right; ``margin`` of its score
        over all others together; the logarithms of the confidence of its ``least`` sure character and of the ``mean``
        confidence; ``share``, the logarithm of the text's probability divided among its characters and its end. All
        are clipped to -20 to 20; without characters, ``least`` and ``mean`` are -20.

    Raises
    ------
    InputError
        If there is no candidate.
    """
    if not candidates:
        raise InputError("0 readings", hint="as of prefix_beam")
    best = candidates[0]
    total = min(best.log_probability, -1e-12)
    odds = total - np.log(-np.expm1(total))
    sure = spelling.confidence if len(spelling.characters) else np.zeros(1)
    others = [other.score for other in candidates[1:]] or [-np.inf]
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = best.score - np.logaddexp.reduce(others)
        least, mean = np.log(sure.min()), np.log(sure.mean())
    found = np.array([odds, margin, least, mean, total / (len(best.characters) + 1)])
    return np.asarray(np.clip(np.nan_to_num(found, nan=0.0), -FARTHEST, FARTHEST))


def fit_trust(evidence: ArrayLike, right: ArrayLike, *, threshold: float = 0.5, ridge: float = 1e-2) -> Trust:
    """Fit a logistic regression on clips with known texts, by Newton's method.

    Parameters
    ----------
    evidence : float (N, 5)
        Of clips outside all training data.
    right : bool (N,)
        Whether each was read without an error.
    threshold : float
        Of the result.
    ridge : float
        L2 penalty, above 0; keeps weights finite if the two kinds can be separated.

    Returns
    -------
    Trust

    Raises
    ------
    ShapeError
        If the arrays do not fit together.
    InputError
        If all are right or all are wrong.
    """
    rows, target = np.asarray(evidence, np.float64), np.asarray(right, np.bool_)
    if rows.shape != (len(target), len(EVIDENCE)) or target.ndim != 1:
        raise ShapeError(f"evidence {rows.shape}, right {target.shape}", hint=f"(N, {len(EVIDENCE)}) and (N,)")
    if target.all() or not target.any():
        raise InputError(f"{int(target.sum())} of {len(target)} right: nothing to tell", hint="give both kinds")
    design = np.column_stack([rows, np.ones(len(rows))])
    penalty = ridge * np.append(np.ones(len(EVIDENCE)), 0)
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        said = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (said - target) / len(rows) + penalty * weights
        curve = (design.T * (said * (1 - said))) @ design / len(rows) + np.diag(penalty + 1e-9)
        weights = weights - np.linalg.solve(curve, slope)
    return Trust(tuple(weights[:-1].tolist()), float(weights[-1]), threshold)
