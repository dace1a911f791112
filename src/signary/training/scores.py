"""Scores on held-out data, as model cards report them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.datasets.clips import Clips
from signary.text.calibrate import expected_calibration_error, fit_temperature, reliability, softmax

Places = NDArray[np.int64]


def scores_of(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int64], found: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Return n, accuracy, calibration error and reliability table of calibrated probabilities.

    Parameters
    ----------
    probabilities : float (N, V)
    labels : int64 (N,)
    found : bool (N,), optional
        False = nothing was read, which counts as wrong.
    """
    found = np.ones(len(labels), np.bool_) if found is None else found
    right = (probabilities.argmax(1) == labels) & found
    sure = probabilities[found].max(1)
    return {
        "n": len(labels),
        "accuracy": float(right.mean()),
        "ece": float(expected_calibration_error(sure, right[found])),
        "reliability": reliability(sure, right[found]).rows(),
    }


def calibrated(
    logits: NDArray[np.float32], labels: Places, found: NDArray[np.bool_] | None = None
) -> tuple[float, dict[str, Any]]:
    """Fit a temperature to logits (N, V) and score the result; parameters as of `scores_of`.

    Returns
    -------
    temperature : float
    scores : dict
    """
    kept = slice(None) if found is None else found
    temperature = fit_temperature(logits[kept], labels[kept])
    return temperature, scores_of(softmax(logits, temperature), labels, found)


def scores_by_signer(clips: Clips, logits: NDArray[np.float32], places: Places) -> dict[str, dict[str, float]]:
    """Return the number of clips and the accuracy of each signer."""
    right = logits.argmax(1) == places
    return {
        str(name): {"n": int((clips.signer == name).sum()), "accuracy": float(right[clips.signer == name].mean())}
        for name in np.unique(clips.signer)
    }
