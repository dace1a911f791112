"""Continuous fingerspelling, read from a bundle's graphs: letter by letter, or of each frame a letter or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.bundles.manifest import reads_hands_alone
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.options import ReadOptions
from signary.recognition.reading import Clip, hand_lowered, hand_seen, one_handed
from signary.recognition.recognizer import Progress, Recognizer
from signary.recognition.slide import TINY_S, thinned
from signary.recognition.spelling.graphs import SpellerRuntime, SpellingOptions
from signary.recognition.spelling.live import SpellingWindow
from signary.text.recognition import Alternative, Token
from signary.text.spelled import SpelledText

STILL = "spelling is a movement: one picture shows one letter at most"
DOUBTFUL = "not sure of this text: it is the best guess"
SPACE = " "

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class SpellingReading:
    """What was read of a clip of T frames.

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
        """Probability (0 to 1) that all of it is right; 0 if nothing was read."""
        sure = [phrase.confidence for phrase in self.phrases if phrase.text]
        return float(np.prod(sure)) if sure else 0.0

    def averaged(self) -> SpellingReading:
        """Return the reading of a clip whose frames are all one moment."""
        moments = tuple(replace(one, first=0 * one.first, last=0 * one.last) for one in self.phrases)
        return SpellingReading(moments, self.seen.any(keepdims=True))


class SpellingRecognizer(Recognizer):
    """Read continuous fingerspelling with one bundle, from landmarks; made by `signary.recognition.load.load`.

    Parameters
    ----------
    bundle : Bundle
        Its thresholds may hold what `SpellerRuntime` knows.
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.
    """

    tasks = ("spelling",)

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.runtime = SpellerRuntime(bundle, threads=threads)
        self.engine = "hands" if reads_hands_alone(bundle.manifest) else "holistic"

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> SpellingReading:
        """Read a clip, each phrase for itself: hands that are lowered and gone for a while divide them.

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}

        Returns
        -------
        SpellingReading
        """
        points = one_handed(sequence.as_holistic().points, hand)
        seen, times_s, options = hand_seen(points), sequence.times_s, self.runtime.options
        phrases = []
        for span in phrase_spans(times_s, hand_lowered(points), options):
            kept = span[thinned(times_s[span], options.max_fps)]
            phrases.append(self.runtime.read(points[kept]).at(kept))
        return SpellingReading(tuple(phrases), seen)

    def decode(
        self, reading: SpellingReading, times_s: Floats, *, context: str = "none", ends_s: Floats | None = None
    ) -> list[Token]:
        """Return the characters of a reading, a token each, phrases with a space between.

        Parameters
        ----------
        reading : SpellingReading
        times_s : float64 (T,)
        context : {"none"}
            Phrases are read as they are.
        ends_s : float64 (T,), optional
            As of a `LandmarkSequence`; characters are over with their last frame.

        Returns
        -------
        list of Token
        """
        tokens: list[Token] = []
        for phrase in reading.phrases:
            found = self.tokens_of(phrase, times_s)
            if tokens and found:
                tokens.append(self.space(tokens[-1].end_s, found[0].start_s))
            tokens += found
        return tokens

    def tokens_of(self, phrase: SpelledText, times_s: Floats) -> list[Token]:
        """Return the characters of a phrase, a token each."""
        rows = phrase.rows[:, : len(self.vocabulary)]
        ranks = np.argsort(-rows, axis=1, kind="stable")[:, : self.runtime.options.alternatives + 1]
        start_s, end_s = times_s[phrase.first], times_s[phrase.last]
        return [
            self._token(symbol, row, rank, float(start), float(end))
            for symbol, row, rank, start, end in zip(phrase.text, rows, ranks, start_s, end_s, strict=True)
        ]

    def space(self, end_s: float, start_s: float) -> Token:
        """Return the space between two phrases."""
        return Token(SPACE, end_s, start_s, 1.0)

    def confidence_of(self, reading: SpellingReading, tokens: list[Token]) -> float:
        """Return the probability (0 to 1) that all of a reading is right; 0 if nothing was read."""
        return reading.confidence

    def _token(self, symbol: str, row: Floats, rank: Integers, start_s: float, end_s: float) -> Token:
        place = self.vocabulary.index(symbol)
        others = [int(other) for other in rank if other != place][: self.runtime.options.alternatives]
        alternatives = (Alternative(self.vocabulary[other], float(row[other])) for other in others)
        return Token(symbol, start_s, end_s, float(row[place]), tuple(alternatives))

    def _open(self, threads: int | None) -> None:
        """Leave the graphs to the runtime."""

    def _open_text(self, hand: str) -> SpellingWindow:
        return SpellingWindow(self, hand)

    def _look(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> Clip[Any]:
        clip = super()._look(source, how, on_progress)
        warnings = clip.warnings
        if clip.is_photo:
            warnings += (STILL,)
        if any(phrase.text for phrase in clip.reading.phrases) and clip.reading.confidence < self.runtime.options.doubt:
            warnings += (DOUBTFUL,)
        return replace(clip, warnings=warnings)


def phrase_spans(times_s: Floats, lowered: Floats, options: SpellingOptions) -> Iterator[Integers]:
    """Yield the frames of each phrase, from the first in which a hand is seen to the last: int64 (K,).

    Parameters
    ----------
    times_s : float64 (T,)
    lowered : float64 (T,)
        As of `signary.recognition.reading.hand_lowered`.
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
