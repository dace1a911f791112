"""Letters that are held: from a network's probabilities for each frame to letters with times and confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import ShapeError
from signary.text.recognition import Alternative, Token
from signary.text.strokes import REST, Run, as_photo, drawn_labels, join_hooks, read_strokes, runs_of
from signary.text.vocabulary import Vocabulary

Floats = NDArray[np.float64]
ON_ITS_WAY = 6.0  # hand sizes a second; faster than in any held letter
MOMENT_S = 0.05  # a frame that lasts longer is a hold by itself
TINY_S = 1e-9


@dataclass(frozen=True, slots=True)
class HeldOptions:
    """What counts as held.

    Parameters
    ----------
    hold_s : float
        Shortest time that a letter is held.
    smooth_s : float
        Window over which probabilities are averaged.
    min_confidence : float
        Lowest mean probability of a letter (0 to 1).
    gap_s : float
        Shortest break between two holds of one letter that makes it a double.
    bounce : float
        Movement of the hand, in hand sizes, between two holds that makes a long letter a double.
    alternatives : int
        Largest number of alternatives.
    drawn : bool
        Recognize J and Z by their movement (a guess in a photo); else by each frame's handshape.
    """

    hold_s: float = 0.18
    smooth_s: float = 0.15
    min_confidence: float = 0.5
    gap_s: float = 0.15
    bounce: float = 0.35
    alternatives: int = 4
    drawn: bool = True


def decode_held(
    probabilities: NDArray[Any],
    times_s: NDArray[Any],
    seen: NDArray[np.bool_],
    position: NDArray[Any],
    vocabulary: Vocabulary,
    options: HeldOptions | None = None,
    ends_s: NDArray[Any] | None = None,
) -> list[Token]:
    """Find the held letters of a clip.

    Probabilities are averaged over ``smooth_s``. Runs of one label that last ``hold_s`` with enough confidence are
    letters. Breaks shorter than ``gap_s`` are bridged, unless the hand bounced or slid meanwhile: then, as after a
    longer break, the letter is a double. Frames without a hand and silent labels are rests.

    Parameters
    ----------
    probabilities : float (T, V)
        Calibrated; rows of unseen frames are ignored. T = 1 is a photo: its best guess is the token.
    times_s : float (T,)
        Rising.
    seen : bool (T,)
    position : float (T, 2)
        Center of the hand in hand sizes; NaN where it was not seen.
    vocabulary : Vocabulary
    options : HeldOptions, optional
    ends_s : float (T,), optional
        When each frame ends: by default when the next one starts, and for the last one after the median step.

    Returns
    -------
    list of Token

    Raises
    ------
    ShapeError
        If the arrays do not fit together.
    """
    options = options or HeldOptions()
    probabilities, times = np.asarray(probabilities, np.float64), np.asarray(times_s, np.float64)
    _check_shapes(probabilities, times, seen, position, vocabulary)
    if not len(times):
        return []
    if len(times) == 1:
        looks = as_photo(probabilities, vocabulary) if options.drawn else probabilities
        runs = runs_of(frame_labels(looks, times, times, seen, vocabulary, options))
        return [_token(run, looks, times, times, seen, vocabulary, options) for run in runs]
    ends = (
        np.append(times[1:], times[-1] + np.median(np.diff(times)).round(9)) if ends_s is None else np.asarray(ends_s)
    )
    labels = frame_labels(probabilities, times, ends, seen, vocabulary, options)
    runs = held_runs(labels, times, ends, vocabulary, options)
    return held_tokens(runs, probabilities, times, ends, seen, position, vocabulary, options)


def frame_labels(
    probabilities: NDArray[Any],
    times_s: Floats,
    ends_s: Floats,
    seen: NDArray[np.bool_],
    vocabulary: Vocabulary,
    options: HeldOptions,
) -> NDArray[np.int64]:
    """Return the likeliest label of each frame, averaged over ``smooth_s``: int64 (T,), `REST` for no letter.

    Parameters are those of `decode_held`. A frame's label depends only on frames within half of ``smooth_s``; a frame
    that lasts ``smooth_s`` or longer is not averaged.
    """
    silent = np.array([not vocabulary.text(label) for label in range(len(vocabulary))])
    rows = np.asarray(probabilities, np.float64)
    long = ends_s - times_s >= options.smooth_s - TINY_S
    smooth = np.where((long & seen)[:, None], rows, _smoothed(rows, times_s, seen, options.smooth_s))
    label = np.where(seen, smooth.round(9).argmax(1), REST)  # of tied labels the first, however sums were rounded
    label[seen & silent[label]] = REST
    return label


def held_runs(
    labels: NDArray[np.int64], times_s: Floats, ends_s: Floats, vocabulary: Vocabulary, options: HeldOptions
) -> list[Run]:
    """Return the runs of one label, of labels int64 (T,), of any length, with short breaks bridged."""
    runs = _bridged(runs_of(labels), times_s, ends_s, options)
    return join_hooks(runs, times_s, vocabulary, options.gap_s) if options.drawn else runs


def held_tokens(
    runs: list[Run],
    probabilities: NDArray[Any],
    times_s: Floats,
    ends_s: Floats,
    seen: NDArray[np.bool_],
    position: NDArray[Any],
    vocabulary: Vocabulary,
    options: HeldOptions,
) -> list[Token]:
    """Return the letters among runs from `held_runs`; the other parameters are those of `decode_held`, T > 1."""
    place = np.asarray(position, np.float64)
    drawn = drawn_labels(vocabulary) if options.drawn else {}

    def lasting(runs: list[Run]) -> list[Run]:
        return [run for run in runs if ends_s[run[2] - 1] - times_s[run[1]] >= options.hold_s - TINY_S]

    runs = lasting(read_strokes(runs, times_s, place, vocabulary, options.gap_s) if options.drawn else runs)
    runs = [part for run in runs for part in ([run] if run[0] in drawn else _parted(run, times_s, place, options))]
    runs = lasting([run if run[0] in drawn else _settled(run, times_s, place) for run in runs])
    known = probabilities, times_s, ends_s, seen, vocabulary, options
    tokens = [_token(run, *known, drawn.get(run[0], [])) for run in runs]
    return [token for token in tokens if token.confidence >= options.min_confidence]


def left_s(run: Run, times_s: Floats, ends_s: Floats) -> float:
    """Return when a run is over: at the start of its last frame, or shortly before its end if that frame is long."""
    return max(float(times_s[run[2] - 1]), float(ends_s[run[2] - 1]) - MOMENT_S)


def recognition_text(tokens: Sequence[Token], task: str) -> str:
    """Return the tokens' text joined as the task joins it: signs by spaces, letters and digits by nothing."""
    return (" " if task == "signs" else "").join(token.text for token in tokens)


def mean_confidence(tokens: Sequence[Token]) -> float:
    """Return the mean confidence of the tokens; 0 without tokens."""
    return float(np.mean([token.confidence for token in tokens])) if tokens else 0.0


def _check_shapes(
    probabilities: Floats,
    times: Floats,
    seen: NDArray[np.bool_],
    position: NDArray[Any],
    vocabulary: Vocabulary,
) -> None:
    frames = len(times)
    shapes = (probabilities.shape, times.shape, np.shape(seen), np.shape(position))
    expected = ((frames, len(vocabulary)), (frames,), (frames,), (frames, 2))
    if shapes != expected:
        raise ShapeError(f"shapes {shapes}, must be {expected}", hint="one row a frame, one column a label")


def _smoothed(probabilities: Floats, times: Floats, seen: NDArray[np.bool_], smooth_s: float) -> Floats:
    """Average the seen frames within half of ``smooth_s`` before and after each: (T, V)."""
    weights = np.where(seen, 1.0, 0.0)
    total = np.vstack([np.zeros(probabilities.shape[1]), np.cumsum(np.where(seen[:, None], probabilities, 0), 0)])
    count = np.concatenate([[0.0], np.cumsum(weights)])
    first = np.searchsorted(times, times - smooth_s / 2 - 1e-9)
    last = np.searchsorted(times, times + smooth_s / 2 + 1e-9, side="right")
    return np.asarray((total[last] - total[first]) / np.maximum(count[last] - count[first], 1)[:, None])


def _bridged(runs: list[Run], times: Floats, ends: Floats, options: HeldOptions) -> list[Run]:
    """Join runs of one label across breaks shorter than ``gap_s``; runs in between are flicker."""
    joined: list[Run] = []
    for run in runs:
        since_s = times[run[1]] - options.gap_s
        near = [k for k in range(len(joined) - 1, -1, -1) if left_s(joined[k], times, ends) > since_s]
        same = next((k for k in near if joined[k][0] == run[0]), None)
        if same is None:
            joined.append(run)
        else:
            joined[same:] = [(run[0], joined[same][1], run[2])]
    return joined


def _parted(run: Run, times: Floats, position: NDArray[Any], options: HeldOptions) -> list[Run]:
    """Split a run where the hand bounced or slid quickly between two holds."""
    label, first, end = run
    clock, place = times[first:end], np.asarray(position[first:end], np.float64)
    known = np.isfinite(place).all(1)
    if known.sum() < 3 or clock[-1] - clock[0] < options.hold_s:
        return [run]
    place = np.column_stack([np.interp(clock, clock[known], place[known, axis]) for axis in (0, 1)])
    speed = np.linalg.norm(np.gradient(place, clock, axis=0), axis=1)
    moving = speed > options.bounce / 0.5
    parts, start = [], first
    for flag, begin, stop in runs_of(np.where(moving, 1, REST)):
        way = np.linalg.norm(place[begin:stop] - place[begin], axis=1).max() if flag else 0.0
        before = clock[begin] - times[start] >= options.hold_s / 2
        after = clock[-1] - clock[stop - 1] >= options.hold_s / 2
        if way >= options.bounce and before and after:
            parts.append((label, start, first + begin))
            start = first + stop
    return [*parts, (label, start, end)]


def _settled(run: Run, times: Floats, position: Floats) -> Run:
    """Cut off the frames at both ends in which the hand is in transition."""
    label, first, end = run
    place = position[first:end]
    if end - first < 3 or not np.isfinite(place).all():
        return run
    speed = np.linalg.norm(np.gradient(place, times[first:end], axis=0), axis=1)
    calm = np.flatnonzero(speed < ON_ITS_WAY)
    return (label, first + int(calm[0]), first + int(calm[-1]) + 1) if len(calm) else run


def _token(
    run: Run,
    probabilities: NDArray[Any],
    times: Floats,
    ends: Floats,
    seen: NDArray[np.bool_],
    vocabulary: Vocabulary,
    options: HeldOptions,
    like: Sequence[int] = (),
) -> Token:
    """Return the token of a run; probabilities of labels that a drawn letter looks ``like`` count for it."""
    label, first, end = run
    weights = np.where(seen, np.maximum(ends - times, TINY_S), 0)[first:end]
    mean = weights @ np.where(seen[first:end, None], probabilities[first:end], 0) / weights.sum()
    mean[label] += mean[list(like)].sum()
    mean[list(like)] = 0
    likely = [other for other in np.argsort(-mean).tolist() if other != label and mean[other] > 0.01]
    others = [other for other in likely if vocabulary.text(other)]
    return Token(
        text=vocabulary.text(label),
        start_s=float(times[first]),
        end_s=float(ends[end - 1]),
        confidence=float(np.clip(mean[label], 0, 1)),
        alternatives=tuple(
            Alternative(vocabulary.text(other), float(mean[other])) for other in others[: options.alternatives]
        ),
    )
