"""From a network's probabilities for each frame to characters with times (CTC).

Connectionist temporal classification (Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented
Sequence Data with Recurrent Neural Networks", 2006): consecutive frames with the same character are one character;
doubles are separated by a frame of no character, the blank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError
from signary.text.spelling import Spelling

LEAST = np.finfo(np.float64).min  # instead of -inf where that would make NaN

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def greedy(log_probabilities: ArrayLike, blank: int) -> Spelling:
    """Read the likeliest class of every frame (best path).

    Parameters
    ----------
    log_probabilities : float (T, V + 1)
        Natural logarithms; ``-inf`` = impossible.
    blank : int
        The class of no character; usually the last.

    Returns
    -------
    Spelling

    Raises
    ------
    ShapeError
        If they are not (T, V + 1) or the blank is not a class.
    InputError
        If one is NaN or infinite, or in a frame nothing is possible.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.array([0, 0, 2, 0, 1])  # 2 = no character
    >>> found = greedy(np.log(np.eye(3)[frames] * 0.97 + 0.01), blank=2)
    >>> found.characters.tolist(), found.first.tolist(), found.last.tolist()
    ([0, 0, 1], [0, 3, 4], [1, 3, 4])
    """
    table = checked(log_probabilities, blank)
    best = table.argmax(1)
    return _spelled(table, best, best, blank)


def align(log_probabilities: ArrayLike, characters: ArrayLike, blank: int) -> Spelling:
    """Find when each character of a known text is spelled: the likeliest path that reads it (Viterbi).

    Parameters
    ----------
    log_probabilities, blank
        As `greedy`.
    characters : int (L,)
        Classes.

    Returns
    -------
    Spelling
        Of these characters.

    Raises
    ------
    ShapeError, InputError
        As `greedy`, and if a character is not a class, or the text does not fit into these frames: each character
        takes one, and doubles one more between them.
    """
    table = checked(log_probabilities, blank)
    states, skip = _states([_classes(characters, table, blank)], blank)
    states, skip = states[0], skip[0]
    score, came = _entered(len(states)), np.zeros((len(table), len(states)), np.int8)
    for frame, row in enumerate(table[:, states]):
        ways = _ways(score, skip)
        came[frame] = ways.argmax(0)
        score = ways.max(0) + row
    end = len(states) - 1 - int(len(states) > 1 and score[-2] > score[-1])
    if score[end] == -np.inf:
        raise InputError(f"{len(states) // 2} characters: not in {len(table)} frames", hint="give a shorter text")
    path = np.empty(len(table), np.int64)
    for frame in range(len(table) - 1, -1, -1):
        path[frame] = end
        end -= int(came[frame, end])
    return _spelled(table, path, states[path], blank)


def log_likelihood(log_probabilities: ArrayLike, texts: Sequence[ArrayLike], blank: int) -> Floats:
    """Return the log-likelihoods of texts: sums over all paths that read them (forward algorithm).

    Parameters
    ----------
    log_probabilities, blank
        As `greedy`.
    texts : sequence of int (L,)
        Classes; N texts.

    Returns
    -------
    float64 (N,)
        Natural logarithms; ``-inf`` for a text that does not fit into these frames.

    Raises
    ------
    ShapeError, InputError
        As `greedy`, and if a character is not a class.
    """
    table = checked(log_probabilities, blank)
    states, skip = _states([_classes(text, table, blank) for text in texts], blank)
    score = np.broadcast_to(_entered(states.shape[1]), states.shape)
    with np.errstate(divide="ignore"):
        for row in table:
            score = _log_sum(_ways(score, skip)) + row[states]
    each, ends = np.arange(len(texts)), 2 * np.array([len(np.asarray(text)) for text in texts], np.int64)
    on_last = np.where(ends > 0, score[each, ends - 1], -np.inf)
    return np.asarray(np.logaddexp(score[each, ends], on_last))


def checked(log_probabilities: ArrayLike, blank: int) -> Floats:
    """Return logarithms of probabilities as float64 (T, V + 1); raises what `greedy` raises."""
    table = np.asarray(log_probabilities, np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ShapeError(f"log_probabilities {table.shape}, must be (T, V + 1)", hint="a row a frame, a column a class")
    if not 0 <= blank < table.shape[1]:
        raise ShapeError(f"blank={blank}, no class of {table.shape[1]}", hint="usually the last class")
    if not np.isfinite(table.max(1)).all():
        frame = int(np.isfinite(table.max(1)).argmin())
        raise InputError(f"log_probabilities of frame {frame}: not finite", hint="logarithms; some class is possible")
    return table


def _classes(characters: ArrayLike, table: Floats, blank: int) -> Integers:
    found = np.asarray(characters)
    found = found.astype(np.int64) if found.size == 0 else found
    if found.ndim != 1 or not np.issubdtype(found.dtype, np.integer):
        raise ShapeError(f"characters {found.dtype} {found.shape}, must be int (L,)", hint="classes")
    if strange := found[(found < 0) | (found >= table.shape[1]) | (found == blank)].tolist():
        raise InputError(f"{strange[0]}: no character of {table.shape[1] - 1}", hint="give classes but the blank")
    return found.astype(np.int64)


def _states(texts: Sequence[Integers], blank: int) -> tuple[Integers, NDArray[np.bool_]]:
    """Return the classes (N, 2 L + 1) of texts with blanks around characters, and where a blank may be skipped."""
    states = np.full((len(texts), 2 * max(map(len, texts), default=0) + 1), blank, np.int64)
    for row, text in zip(states, texts, strict=True):
        row[1 : 2 * len(text) : 2] = text
    return states, (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])


def _entered(states: int) -> Floats:
    """Return the scores (S,) before the first frame, which may show the first blank or character."""
    score = np.full(states, -np.inf)
    score[0] = 0
    return score


def _ways(score: Floats, skip: NDArray[np.bool_]) -> Floats:
    """Return the scores (3, ..., S) of staying in a state, and of entering it by one or two steps."""
    ways = np.full((3, *score.shape), -np.inf)
    ways[0] = score
    ways[1, ..., 1:] = score[..., :-1]
    np.copyto(ways[2, ..., 2:], score[..., :-2], where=skip)
    return ways


def _log_sum(scores: Floats) -> Floats:
    """Return the log-sum-exp along the first axis; faster than `numpy.logaddexp.reduce`."""
    most = np.maximum(scores.max(0), LEAST)
    return np.asarray(np.log(np.exp(scores - most).sum(0)) + most)


def _spelled(table: Floats, states: Integers, classes: Integers, blank: int) -> Spelling:
    """Turn each run of one state (T,) whose class (T,) is not blank into a character."""
    first = np.flatnonzero(np.diff(states, prepend=-1))
    last = np.append(first[1:], len(states))[: len(first)] - 1
    run = np.repeat(np.arange(len(first)), last - first + 1)
    peak = np.lexsort((-table[np.arange(len(table)), classes], run))[first]
    named = classes[first] != blank
    return Spelling(classes[first[named]], first[named], last[named], np.exp(table[peak[named]]))
