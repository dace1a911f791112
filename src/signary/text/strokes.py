"""Letters drawn in the air: J is an I that draws a hook, Z a pointing finger that draws a zigzag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.text.vocabulary import Vocabulary

Run = tuple[int, int, int]  # label, first frame, frame after the last
REST = -1

HOOKED, HOOK_FROM = "J", "I"
ZIGZAG, ZIGZAG_LIKE = "Z", ("D", "X", "G", "L")
# Factor on their probability in a photo; chosen on letters of signers held out from training.
DRAWN_IN_PHOTO = 0.1
HOOK_WAY, HOOK_S = 1.0, 0.5  # hand sizes down, then aside; seconds for the latter
STROKE_SPEED, STROKE_WAY = 1.5, 0.8  # hand sizes a second, hand sizes


def runs_of(values: NDArray[np.int64]) -> list[Run]:
    """Return the runs of equal values, without `REST`."""
    starts = np.flatnonzero(np.diff(values, prepend=values[0] - 1)) if len(values) else np.array([], np.int64)
    ends = np.append(starts[1:], len(values))
    kept = values[starts] != REST
    columns = (values[starts][kept], starts[kept], ends[kept])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def join_hooks(runs: list[Run], times_s: NDArray[np.float64], vocabulary: Vocabulary, gap_s: float) -> list[Run]:
    """Join an I to the J that follows within ``gap_s``; parameters as for `read_strokes`."""
    joined: list[Run] = []
    for run in runs:
        before = joined[-1] if joined else None
        near = before is not None and times_s[run[1]] - times_s[before[2] - 1] < gap_s
        if before and near and (vocabulary.text(before[0]), vocabulary.text(run[0])) == (HOOK_FROM, HOOKED):
            joined[-1] = (run[0], before[1], run[2])
        else:
            joined.append(run)
    return joined


def read_strokes(
    runs: list[Run],
    times_s: NDArray[np.float64],
    position: NDArray[np.float64],
    vocabulary: Vocabulary,
    gap_s: float,
) -> list[Run]:
    """Find drawn letters by the path of the hand.

    Parameters
    ----------
    runs : list of (label, first frame, frame after the last)
        In order, as from `join_hooks`.
    times_s : float64 (T,)
    position : float64 (T, 2)
        Center of the hand in hand sizes; NaN where it was not seen.
    vocabulary : Vocabulary
        Without J and Z nothing changes.
    gap_s : float
        Longest break within one letter.

    Returns
    -------
    list of (label, first frame, frame after the last)
    """
    labels = {vocabulary.text(label): label for label in range(len(vocabulary))}
    if HOOKED in labels and HOOK_FROM in labels:
        runs = _swung(runs, times_s, position, labels[HOOK_FROM], labels[HOOKED])
    if ZIGZAG in labels:
        like = {labels[text] for text in ZIGZAG_LIKE if text in labels} | {labels[ZIGZAG]}
        chains = _chains(runs, times_s, like, gap_s)
        runs = [run for chain in chains for run in _zigzagged(chain, times_s, position, labels[ZIGZAG], like)]
    return runs


def drawn_labels(vocabulary: Vocabulary) -> dict[int, list[int]]:
    """Return the labels that are drawn, each with the held ones that it looks like meanwhile."""
    like = {HOOKED: (HOOK_FROM,), ZIGZAG: ZIGZAG_LIKE}
    texts = [vocabulary.text(label) for label in range(len(vocabulary))]
    return {
        label: [other for other, said in enumerate(texts) if said in like[text]]
        for label, text in enumerate(texts)
        if text in like
    }


def as_photo(probabilities: NDArray[Any], vocabulary: Vocabulary) -> NDArray[Any]:
    """Return probabilities (..., V) for photos, which show no movement: drawn letters become the last guess."""
    drawn = list(drawn_labels(vocabulary))
    if not drawn:
        return probabilities
    factor = np.ones(len(vocabulary))
    factor[drawn] = DRAWN_IN_PHOTO
    weighed = probabilities * factor
    total = weighed.sum(-1, keepdims=True)
    return np.asarray(weighed / np.where(total > 0, total, 1))


def _swung(
    runs: list[Run], times: NDArray[np.float64], position: NDArray[np.float64], start: int, hook: int
) -> list[Run]:
    """Turn an I that goes down and then aside into a J; labels during the movement belong to it."""
    swung: list[Run] = []
    free_from = 0
    for label, first, end in runs:
        if end <= free_from:
            continue
        first = max(first, free_from)
        last = _hook_end(position[first : np.searchsorted(times, times[end - 1] + HOOK_S)]) if label == start else 0
        free_from = max(free_from, first + last)
        swung.append((hook, first, max(end, free_from)) if last else (label, first, end))
    return swung


def _hook_end(position: NDArray[np.float64]) -> int:
    """Return how many frames a hand (T, 2) takes to go down and then aside; 0 if it does not."""
    known = np.isfinite(position).all(1)
    if known.sum() < 3:
        return 0
    frames, place = np.flatnonzero(known), position[known]
    sunk = place[:, 1] - np.minimum.accumulate(place[:, 1])
    low = int(np.argmax(sunk >= HOOK_WAY))
    aside = np.abs(place[low:, 0] - place[low, 0])
    if sunk[low] < HOOK_WAY or aside.max() < HOOK_WAY:
        return 0
    return int(frames[low + int(aside.argmax())]) + 1


def _chains(runs: list[Run], times: NDArray[np.float64], like: set[int], gap_s: float) -> list[list[Run]]:
    """Group neighboring runs of pointing fingers; every other run is its own group."""
    chains: list[list[Run]] = []
    for run in runs:
        last = chains[-1][-1] if chains else None
        near = last is not None and times[run[1]] - times[last[2] - 1] < gap_s
        if last is not None and near and last[0] in like and run[0] in like:
            chains[-1].append(run)
        else:
            chains.append([run])
    return chains


def _zigzagged(
    chain: list[Run], times: NDArray[np.float64], position: NDArray[np.float64], label: int, like: set[int]
) -> Iterable[Run]:
    """Return the letters of a chain: a Z for each zigzag, and the others outside of them."""
    first, end = chain[0][1], chain[-1][2]
    if chain[0][0] not in like:
        return chain
    drawn = [(label, first + start, first + stop) for start, stop in zigzags(times[first:end], position[first:end, 0])]
    if not drawn:
        return chain
    beside = [
        run for run in chain if run[0] != label and all(run[2] <= z[1] or run[1] >= z[2] for z in drawn)
    ]  # fmt: skip
    return sorted([*drawn, *beside], key=lambda run: run[1])


def zigzags(times_s: NDArray[np.float64], x: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Find zigzags: three strokes to, fro and to.

    Parameters
    ----------
    times_s, x : float64 (T,)
        Seconds; hand sizes, NaN where not seen.

    Returns
    -------
    list of (first frame, frame after the last)
        A stroke back to the start of another Z belongs to neither.
    """
    known = np.isfinite(x)
    if known.sum() < 4:
        return []
    x = np.interp(times_s, times_s[known], x[known])
    speed = np.gradient(x, np.maximum(times_s - times_s[0], 1e-9 * np.arange(len(times_s))))
    moving = np.where(np.abs(speed) > STROKE_SPEED, np.where(speed > 0, 1, 0), REST)
    strokes = [
        run for run in runs_of(moving) if abs(x[run[2] - 1] - x[run[1]]) >= STROKE_WAY
    ]  # fmt: skip
    found, at = [], 0
    while at + 2 < len(strokes):
        signs = [stroke[0] for stroke in strokes[at : at + 3]]
        if signs[0] == signs[2] != signs[1]:
            found.append((strokes[at][1], strokes[at + 2][2]))
            at += 4
        else:
            at += 1
    return found
