"""Read continuous fingerspelling: a clip is divided into phrases, and the graphs read each phrase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.reading import LEAST_SIZE, SLOTS, Floats, Reader, Said, hand_seen, one_handed
from signary.recognition.slide import TINY_S, thinned
from signary.recognition.spelling.graphs import SpellerGraphs, SpellingOptions
from signary.text.recognition import Alternative, Token
from signary.text.spelled import SpelledText

SPACE = " "

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class SpellingReading:
    """Phrases of a clip of T frames.

    Parameters
    ----------
    phrases : tuple of SpelledText
        In order of time, in frames of the clip.
    seen : bool (T,)
        Frames in which a hand was seen.
    """

    phrases: tuple[SpelledText, ...]
    seen: Flags

    @property
    def confidence(self) -> float:
        """Probability (0 to 1) that all of the text is right; 0 where there is no text."""
        sure = [phrase.confidence for phrase in self.phrases if phrase.text]
        return float(np.prod(sure)) if sure else 0.0

    def averaged(self) -> SpellingReading:
        """Return the reading of a clip whose frames are all of one moment."""
        moments = tuple(replace(one, first=0 * one.first, last=0 * one.last) for one in self.phrases)
        return SpellingReading(moments, self.seen.any(keepdims=True))


class SpellingReader(Reader):
    """Read continuous fingerspelling. Parameters as of `Reader`.

    Attributes
    ----------
    graphs : SpellerGraphs
    options : SpellingOptions
        With the bundle's thresholds.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.graphs = SpellerGraphs(bundle, threads=threads)
        self.options = self.graphs.options

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> SpellingReading:
        """Read each phrase of a clip, see `phrase_spans`; as `Reader.read_landmarks`."""
        points = one_handed(sequence.as_holistic().points, hand)
        phrases = []
        for span in phrase_spans(sequence.times_s, hand_lowered(points), self.options):
            kept = span[thinned(sequence.times_s[span], self.options.max_fps)]
            phrases.append(self.graphs.read(points[kept]).at(kept))
        return SpellingReading(tuple(phrases), hand_seen(points))

    def glimpse(self, sequence: LandmarkSequence, hand: str, said: Said) -> list[Token]:
        """Read a phrase that has not ended, with a smaller beam.

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}
        said : Said
            As of `SpellerGraphs.table`.
        """
        kept = thinned(sequence.times_s, self.options.max_fps)
        points, times_s = one_handed(sequence.points, hand)[kept], sequence.times_s[kept]
        return self._tokens(self.graphs.glimpse(points, times_s, said), times_s)

    def decode(
        self, reading: SpellingReading, times_s: Floats, *, context: str = "none", ends_s: Floats | None = None
    ) -> list[Token]:
        """Return the characters of a reading, a token each, with a space between phrases; as `Reader.decode`.

        A character ends with its last frame: ``ends_s`` is not used.
        """
        tokens: list[Token] = []
        for phrase in reading.phrases:
            found = self._tokens(phrase, times_s)
            if tokens and found:
                tokens.append(space(tokens[-1].end_s, found[0].start_s))
            tokens += found
        return tokens

    def _tokens(self, phrase: SpelledText, times_s: Floats) -> list[Token]:
        rows = phrase.rows[:, : len(self.bundle.vocabulary)]
        ranks = np.argsort(-rows, axis=1, kind="stable")[:, : self.options.alternatives + 1]
        start_s, end_s = times_s[phrase.first], times_s[phrase.last]
        return [
            self._token(symbol, row, rank, float(start), float(end))
            for symbol, row, rank, start, end in zip(phrase.text, rows, ranks, start_s, end_s, strict=True)
        ]

    def _token(self, symbol: str, row: Floats, rank: Integers, start_s: float, end_s: float) -> Token:
        labels = self.bundle.vocabulary.labels
        place = labels.index(symbol)
        others = [int(other) for other in rank if other != place][: self.options.alternatives]
        alternatives = (Alternative(labels[other], float(row[other])) for other in others)
        return Token(symbol, start_s, end_s, float(row[place]), tuple(alternatives))


def space(end_s: float, start_s: float) -> Token:
    """Return the space between a phrase that ends at ``end_s`` and one that starts at ``start_s``."""
    return Token(SPACE, end_s, start_s, 1.0)


def phrase_spans(times_s: Floats, lowered: Floats, options: SpellingOptions) -> Iterator[Integers]:
    """Yield the frames of each phrase, from the first to the last in which a hand is seen: int64 (K,).

    Parameters
    ----------
    times_s : float64 (T,)
    lowered : float64 (T,)
        As of `hand_lowered`.
    options : SpellingOptions
    """
    shown = np.flatnonzero(np.isfinite(lowered))
    gone_s = np.diff(times_s[shown])
    low = np.maximum(lowered[shown[:-1]], lowered[shown[1:]]) >= options.lowered
    least_s = np.where(low, options.pause_s, max(options.pause_s, options.lost_s))
    breaks = np.flatnonzero(gone_s > least_s + TINY_S)
    for part in np.split(shown, breaks + 1):
        if len(part):
            yield np.arange(part[0], part[-1] + 1)


def hand_lowered(points: Points) -> Floats:
    """Return how far the upper hand is below its median height, in heights of the hand.

    Parameters
    ----------
    points : float32 (T, 543, 3)

    Returns
    -------
    float64 (T,)
        Below 0 where it is higher; infinite where no hand was seen.
    """
    heights = np.stack([points[:, slot, 1] for slot in SLOTS])
    known = np.isfinite(heights)
    tops, bottoms = np.where(known, heights, np.inf).min(2), np.where(known, heights, -np.inf).max(2)
    upper = tops.argmin(0)[None]
    top, bottom = (np.take_along_axis(edges, upper, 0)[0] for edges in (tops, bottoms))
    below, seen = np.full(len(points), np.inf), np.isfinite(top)
    if seen.any():
        top, bottom = top[seen], bottom[seen]
        middle, size = (top + bottom) / 2, np.median(bottom - top)
        below[seen] = (middle - np.median(middle)) / max(size, LEAST_SIZE)
    return below
