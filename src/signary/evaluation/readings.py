"""Scores of read phrases, with times and confidence: by length, speed, hands seen, kind and character."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.evaluation.metrics import spelling_metrics
from signary.evaluation.phrases import grouped, spelling_report
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.reading import hand_seen
from signary.text.recognition import Recognition
from signary.text.twins import fold

# Upper bounds of the groups, exclusive.
LENGTHS = (5, 10, 15, 20, 30)
SPEEDS = (2, 3, 4, 5, 6, 8)
HANDS_SEEN = (0.5, 0.66, 0.8, 0.9, 0.95)
LETTERS_A_SECOND = "letters a second"
SEEN, NOT_SEEN = "hand seen", "hand not seen"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ReadPhrase:
    """A spelled phrase and its reading.

    Parameters
    ----------
    text : str
        What was spelled.
    found : Recognition
    letters_s : float32 (L, 2), optional
        When each character is shown, seconds; NaN = not known.
    in_sight : bool (L,), optional
        Whether the hand was seen while each is shown.
    """

    text: str
    found: Recognition
    letters_s: NDArray[np.float32] | None = None
    in_sight: NDArray[np.bool_] | None = None

    @property
    def speed(self) -> float:
        """Characters a second: from the first to the last, or over the whole clip if times are not known; else NaN."""
        if self.letters_s is not None and np.isfinite(self.letters_s).any():
            seconds = float(np.nanmax(self.letters_s) - np.nanmin(self.letters_s))
        else:
            seconds = self.found.frames / self.found.fps if self.found.fps else 0.0
        return len(self.text) / seconds if seconds > 0 else np.nan


def reading_report(readings: Sequence[ReadPhrase], signers: Sequence[str] | None = None) -> dict[str, Any]:
    """Score readings.

    Parameters
    ----------
    readings : sequence of ReadPhrase
    signers : sequence of str, optional

    Returns
    -------
    dict
        As `spelling_report`, and more. ``cer_folded``: the character error rate if symbols with the same handshape
        (2/V, 6/W, 9/F, 0/O) count as equal. ``confidence_auc``: the probability that an exact reading is more confident
        than one with errors, 0.5 = confidence says nothing; only if there are both. ``time_median_s``, ``time_p90_s``:
        distance between the middle of a character read right and the middle of the time in which it is shown; only if
        that is known. ``by``: also ``length``, ``letters a second``, ``hand seen`` (share of a clip's frames), and for
        characters ``character`` and, if it is known when they are shown, ``in sight``: ``n`` times spelled, ``score``,
        the share read right, and ``cer``, the rest. Characters during which no hand is seen can only be guessed.

    Raises
    ------
    InputError
        If nothing was spelled.
    """
    texts, said = [one.text for one in readings], [one.found.text for one in readings]
    report = spelling_report(texts, said, signers)
    report["cer_folded"] = spelling_metrics([*map(fold, texts)], [*map(fold, said)])["cer"]
    exact = np.array(texts) == np.array(said)
    sure = np.array([one.found.confidence for one in readings])
    if (area := confidence_area(sure, exact)) is not None:
        report["confidence_auc"] = area
    if len(errors := np.concatenate([time_errors(one) for one in readings])):
        report["time_median_s"], report["time_p90_s"] = np.quantile(errors, (0.5, 0.9)).tolist()
    bins = {
        "length": (LENGTHS, [len(text) for text in texts]),
        LETTERS_A_SECOND: (SPEEDS, [one.speed for one in readings]),
        "hand seen": (HANDS_SEEN, [one.found.hand_rate for one in readings]),
    }
    for name, (ends, values) in bins.items():
        names, of = binned(np.array(values, np.float64), ends)
        found = grouped(texts, said, of)
        report["by"][name] = {bin_name: found[bin_name] for bin_name in names if bin_name in found}
    report["by"]["character"] = character_scores(readings, [list(text) for text in texts])
    if known := [(one, one.in_sight) for one in readings if one.in_sight is not None]:
        sights = [np.where(sight, SEEN, NOT_SEEN).tolist() for _, sight in known]
        report["by"]["in sight"] = character_scores([one for one, _ in known], sights)
    return report


def confidence_area(confidence: Floats, exact: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve of confidence (N,) for exactness (N,), ties halved; None if all are alike."""
    right, wrong = np.sort(confidence[exact]), confidence[~exact]
    if not len(right) or not len(wrong):
        return None
    above, at_least = (len(right) - np.searchsorted(right, wrong, side=side) for side in ("right", "left"))
    return float((above + at_least).mean() / 2 / len(right))


def time_errors(reading: ReadPhrase) -> Floats:
    """Return the time error of each character read right, by its middle, seconds (K,); empty if times are not known.

    Characters are matched along a shortest edit path from the spelled to the read text.
    """
    shown, found = reading.letters_s, reading.found
    places = np.array([*matched(reading.text, found.text)], np.int64).reshape(-1, 2)
    middles = [(token.start_s + token.end_s) / 2 for token in found.tokens for _ in token.text]
    if shown is None or len(middles) != len(found.text):
        return np.empty(0)
    errors = np.abs(np.array(middles)[places[:, 1]] - shown.astype(np.float64).mean(1)[places[:, 0]])
    return np.asarray(errors[np.isfinite(errors)])


def matched(spelled: str, read: str) -> Iterator[tuple[int, int]]:
    """Yield the positions of each character read right: in the spelled and in the read text."""
    from rapidfuzz.distance import Levenshtein

    for block in Levenshtein.opcodes(spelled, read):
        if block.tag == "equal":
            yield from zip(range(block.src_start, block.src_end), range(block.dest_start, block.dest_end), strict=True)


def character_scores(readings: Sequence[ReadPhrase], groups: Sequence[Sequence[str]]) -> dict[str, dict[str, float]]:
    """Return how often the characters of each group were spelled (``n``), and the shares read right and wrong.

    Parameters
    ----------
    readings : sequence of ReadPhrase (N,)
    groups : sequence of sequences of str
        The group of each character of each reading.
    """
    right = np.concatenate([_right(one.text, one.found.text) for one in readings])
    spelled = np.array([name for names in groups for name in names])
    names, of, counts = np.unique(spelled, return_inverse=True, return_counts=True)
    shares = np.bincount(of, right, len(names)) / counts
    rows = zip(names.tolist(), counts.tolist(), shares.tolist(), strict=True)
    return {name: {"n": n, "score": share, "cer": 1 - share} for name, n, share in rows}


def _right(text: str, read: str) -> NDArray[np.bool_]:
    right = np.zeros(len(text), np.bool_)
    right[[place for place, _ in matched(text, read)]] = True
    return right


def in_sight(letters_s: NDArray[np.float32], clip: LandmarkSequence) -> NDArray[np.bool_]:
    """Return for each character, shown in ``letters_s`` (L, 2), whether a hand was seen then: bool (L,).

    Half a frame is added on both sides, so that characters shown for less than a frame count, too. A character whose
    times are not known counts as in sight.
    """
    times = clip.times_s[hand_seen(clip.as_holistic().points)]
    half_s = 0.5 / clip.fps if clip.fps else 0.0
    begin = np.searchsorted(times, letters_s[:, 0] - half_s)
    end = np.searchsorted(times, letters_s[:, 1] + half_s, side="right")
    return np.asarray((end > begin) | np.isnan(letters_s).any(1))


def binned(values: Floats, ends: Sequence[float]) -> tuple[list[str], list[str]]:
    """Return the names of groups, in order, and the group of each value; NaN has its own group, ``not known``.

    Examples
    --------
    >>> binned(np.array([3, 5, 12]), (5, 10))
    (['under 5', '5 to 10', '10 and more', 'not known'], ['under 5', '5 to 10', '10 and more'])
    """
    inner = [f"{low:g} to {high:g}" for low, high in pairwise(ends)]
    names = [f"under {ends[0]:g}", *inner, f"{ends[-1]:g} and more", "not known"]
    places = np.where(np.isnan(values), len(names) - 1, np.searchsorted(ends, values, side="right"))
    return names, [names[place] for place in places]
