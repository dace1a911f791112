"""Signs in windows: from a network's probabilities for windows over a clip to signs with times and confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import ShapeError
from signary.text.recognition import Alternative, Token
from signary.text.vocabulary import Vocabulary

TINY_S = 1e-9
LEAST = 0.01  # less likely labels are not alternatives

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """What counts as a sign.

    Parameters
    ----------
    min_confidence : float
        Lowest probability of a sign (0 to 1).
    overlap : float
        Share of the shorter of two signs that the other may cover (0 to 1); if two overlap more, the likelier one is
        kept.
    smooth_s : float
        Windows are averaged with those whose middles are within half of this time.
    gap_s : float
        Windows whose middles are farther apart do not belong to one sign.
    alternatives : int
        Largest number of alternatives.
    """

    min_confidence: float = 0.5
    overlap: float = 0.3
    smooth_s: float = 0.5
    gap_s: float = 0.5
    alternatives: int = 4


def decode_windows(
    probabilities: NDArray[Any],
    start_s: NDArray[Any],
    end_s: NDArray[Any],
    vocabulary: Vocabulary,
    options: WindowOptions | None = None,
) -> list[Token]:
    """Find the signs of a clip.

    Neighboring windows are averaged. A run of windows with the same label is one sign. Its start and end are the means
    over its windows, weighted by score; its confidence is its highest score. Windows with another label, even a silent
    one, separate two signs with the same label.

    Parameters
    ----------
    probabilities : float (W, V)
        Calibrated, in any order.
    start_s, end_s : float (W,)
        Seconds.
    vocabulary : Vocabulary
    options : WindowOptions, optional

    Returns
    -------
    list of Token
        Sorted by start; no two overlap by more than ``overlap``.

    Raises
    ------
    ShapeError
        If the arrays do not fit together, or a window ends before it starts.
    """
    options = options or WindowOptions()
    probabilities, start, end = (np.asarray(rows, np.float64) for rows in (probabilities, start_s, end_s))
    _check_shapes(probabilities, start, end, vocabulary)
    order = np.lexsort((end, start, start + end))
    start, end = start[order], end[order]
    score = _smoothed(probabilities[order], (start + end) / 2, options.smooth_s)
    label, best, span = _runs(score, start, end, options.gap_s)
    silent = np.array([not vocabulary.text(k) for k in range(len(vocabulary))])
    confidence = score[best, label]
    signs = np.flatnonzero(~silent[label] & (confidence >= options.min_confidence))
    kept = signs[_strongest(span[signs], confidence[signs], options.overlap)]
    return [
        Token(
            text=vocabulary.text(int(label[k])),
            start_s=float(span[k, 0]),
            end_s=float(span[k, 1]),
            confidence=float(np.clip(confidence[k], 0, 1)),
            alternatives=_others(score[best[k]], int(label[k]), silent, vocabulary, options.alternatives),
        )
        for k in kept[np.lexsort((span[kept, 1], span[kept, 0]))]
    ]


def shared(spans: NDArray[Any]) -> Floats:
    """Return the share (0 to 1) of the shorter of each two spans, float (N, 2), that the other covers: (N, N).

    Two equal moments share 1.
    """
    first, last = np.asarray(spans, np.float64).reshape(-1, 2).T
    both = np.minimum(last[:, None], last) - np.maximum(first[:, None], first)
    shorter = np.minimum((last - first)[:, None], last - first)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(shorter > TINY_S, both / shorter, both >= 0)
    return np.asarray(np.clip(share, 0, 1), np.float64)


def _check_shapes(probabilities: Floats, start: Floats, end: Floats, vocabulary: Vocabulary) -> None:
    shapes = (probabilities.shape, start.shape, end.shape)
    expected = ((len(start), len(vocabulary)), (len(start),), (len(start),))
    if shapes != expected:
        raise ShapeError(f"shapes {shapes}, must be {expected}", hint="one row a window, one column a label")
    if (end < start).any():
        raise ShapeError(f"window {int((end < start).argmax())} ends before it starts", hint="seconds, start first")


def _smoothed(probabilities: Floats, middle: Floats, smooth_s: float) -> Floats:
    """Average the windows within half of ``smooth_s`` before and after each, by ascending middles: (W, V)."""
    total = np.vstack([np.zeros(probabilities.shape[1]), np.cumsum(probabilities, 0)])
    first = np.searchsorted(middle, middle - smooth_s / 2 - TINY_S)
    last = np.searchsorted(middle, middle + smooth_s / 2 + TINY_S, side="right")
    return np.asarray((total[last] - total[first]) / (last - first)[:, None])


def _runs(
    score: Floats, start: Floats, end: Floats, gap_s: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return label (R,), best window (R,) and span (R, 2) of each run of one label."""
    label, middle = score.argmax(1), (start + end) / 2
    new = (np.diff(label, prepend=-1) != 0) | (np.diff(middle, prepend=-np.inf) > gap_s + TINY_S)
    first, run = np.flatnonzero(new), np.cumsum(new) - 1
    weight = score[np.arange(len(label)), label]
    spans = np.add.reduceat(np.stack([start, end], 1) * weight[:, None], first) if len(first) else np.zeros((0, 2))
    total = np.bincount(run, weight, len(first))
    best = np.lexsort((-weight, run))[first]
    return label[first], best, spans / total[:, None]


def _strongest(spans: Floats, confidence: Floats, overlap: float) -> NDArray[np.int64]:
    """Return which signs are kept: the likeliest, then each next one that overlaps none of them too much."""
    apart = shared(spans) <= overlap
    kept: list[int] = []
    for k in np.argsort(-confidence, kind="stable").tolist():
        if apart[k, kept].all():
            kept.append(k)
    return np.array(kept, np.int64)


def _others(
    score: Floats, label: int, silent: NDArray[np.bool_], vocabulary: Vocabulary, count: int
) -> tuple[Alternative, ...]:
    order = np.argsort(-score, kind="stable")
    order = order[(order != label) & ~silent[order] & (score[order] > LEAST)][:count]
    return tuple(Alternative(vocabulary.text(int(k)), float(score[k])) for k in order)
