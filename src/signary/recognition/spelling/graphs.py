"""The graphs of a bundle of fingerspelling: points to text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.bundles.manifest import ENCODER, MEMORY, MODEL, STEP
from signary.graph import Graph
from signary.landmarks.sequence import Points
from signary.recognition.options import with_thresholds
from signary.recognition.reading import Said
from signary.recognition.spelling.letters import read_letters
from signary.text.beam import BeamOptions
from signary.text.characters import CharacterVocabulary
from signary.text.phrase_model import PhraseModel, load_phrase_model
from signary.text.spelled import SpelledText, spelled_text
from signary.text.stitch import stitch_frames
from signary.text.trust import EVIDENCE, Trust

WINDOW, HOP = 384, 256  # frames
GLIMPSED = 16  # beam for a phrase that has not ended

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SpellingOptions:
    """How a clip is divided into phrases and decoded.

    Parameters
    ----------
    letters : int
        Most letters of a phrase, for networks that read letter by letter.
    alternatives : int
        Other readings of a letter to keep.
    letter_beam : int
        Beam of the same networks.
    max_fps : float
        Frames a second that the network reads; faster clips are thinned.
    pause_s : float
        Hands that were lowered and are gone for longer divide phrases.
    lowered : float
        A hand is lowered if it is this far below its median height, in heights of the hand.
    lost_s : float
        Hands that are gone for longer divide phrases even if they were not lowered: detectors lose hands for a while.
    doubt : float
        A text with a lower confidence (0 to 1) is called doubtful.
    """

    letters: int = 32
    alternatives: int = 4
    letter_beam: int = 4
    max_fps: float = 30.0
    pause_s: float = 1.0
    lowered: float = 0.9
    lost_s: float = 1.6
    doubt: float = 0.5


class SpellerGraphs:
    """Read the points of a phrase with a bundle of spelling.

    Parameters
    ----------
    bundle : Bundle
        Its thresholds may hold fields of `SpellingOptions` and `BeamOptions`, and of `Trust` a ``trust_bias`` and a
        weight ``trust_...`` for each of ``EVIDENCE``.
    threads : int, optional
        Of the graphs; the number of cores, 4 at most, by default.

    Attributes
    ----------
    characters : CharacterVocabulary
    options : SpellingOptions
        With the bundle's thresholds.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        thresholds = bundle.manifest.thresholds
        self.characters = CharacterVocabulary("".join(bundle.manifest.vocabulary))
        self.options = with_thresholds(SpellingOptions(), thresholds)
        self._beam = with_thresholds(BeamOptions(weight=0.0), thresholds)
        self._trust = trust_of(thresholds)
        self._language: PhraseModel | None = load_phrase_model() if self._beam.weight else None
        self._graphs = {
            name: Graph(bundle.graph_path(name), threads=1 if name == STEP else threads)  # a step is too short for more
            for name in bundle.manifest.graphs
        }

    def read(self, points: Points) -> SpelledText:
        """Read a phrase, float32 (T, 543, 3), T 1 or more; frames are counted from its first."""
        if MODEL not in self._graphs:  # which gives a character or none for each frame
            return self._by_letter(points)
        return self._spelled(self.table(points), self._beam)

    def glimpse(self, points: Points, times_s: NDArray[np.float64], said: Said) -> SpelledText:
        """Read a phrase that has not ended, with a smaller beam; parameters as of `table`."""
        if MODEL not in self._graphs:
            return self._by_letter(points)
        narrow = replace(self._beam, beam=min(GLIMPSED, self._beam.beam))
        return self._spelled(self.table(points, times_s, said), narrow, ended=False)

    def table(self, points: Points, times_s: NDArray[np.float64] | None = None, said: Said | None = None) -> Table:
        """Return logarithms of the probabilities in each frame; more than 384 are read in windows that overlap.

        Parameters
        ----------
        points : float32 (T, 543, 3)
        times_s : float64 (T,), optional
        said : Said, optional
            Logarithms float32 (384, V + 1) of each whole window.

        Returns
        -------
        float64 (T, V + 1)
        """
        times_s = np.arange(len(points), dtype=np.float64) if times_s is None else times_s
        said = {} if said is None else said
        starts = np.arange(0, max(len(points) - (WINDOW - HOP), 1), HOP)
        pieces = []
        for start in starts.tolist():
            part = slice(start, start + WINDOW)
            key = float(times_s[part][0]), float(times_s[part][-1])
            piece = said.get(key)
            if piece is None:
                piece = self._graphs[MODEL].run(points=points[part])["log_probabilities"]
            if len(piece) == WINDOW:
                said[key] = piece
            pieces.append(piece)
        return stitch_frames(pieces, starts)

    def _spelled(self, table: Table, options: BeamOptions, *, ended: bool = True) -> SpelledText:
        marks = self.characters.characters
        return spelled_text(table, marks, language=self._language, options=options, trust=self._trust, ended=ended)

    def _by_letter(self, points: Points) -> SpelledText:
        clip, marks, options = self._graphs[ENCODER].run(points=points), self.characters, self.options
        memory = {name: clip[name] for name in MEMORY}
        found = read_letters(self._graphs[STEP], memory, marks, letters=options.letters, beam=options.letter_beam)
        confidence = float(1 / (1 + np.exp(-clip["confidence"])))
        if np.isnan(confidence):  # the network was not trained to give one
            confidence = float(np.exp(found.log_probability))
        first, last = found.frames(len(points))
        return SpelledText(marks.decode(found.numbers), first, last, found.rows, confidence)


def trust_of(thresholds: Mapping[str, float]) -> Trust:
    """Return the trust that a bundle's thresholds describe, or the default."""
    if "trust_bias" not in thresholds:
        return Trust()
    weights = tuple(thresholds.get(f"trust_{name}", 0.0) for name in EVIDENCE)
    return Trust(weights, thresholds["trust_bias"], thresholds.get("doubt", 0.5))
