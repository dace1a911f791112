"""The graphs of a bundle of fingerspelling: points to texts; NumPy and ONNX Runtime alone."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.bundles.manifest import MEMORY
from signary.graph import Graph
from signary.landmarks.sequence import Points
from signary.recognition.options import with_thresholds
from signary.recognition.spelling.letters import read_letters
from signary.text.beam import BeamOptions
from signary.text.characters import CharacterVocabulary
from signary.text.phrase_model import PhraseModel, load_phrase_model
from signary.text.spelled import SpelledText, spelled_text
from signary.text.stitch import stitch_frames
from signary.text.trust import EVIDENCE, Trust

WINDOW, HOP = 384, 256  # frames
GLIMPSED = 16  # texts that are followed while a phrase goes on

Table = NDArray[np.float64]
Said = MutableMapping[tuple[float, float], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class SpellingOptions:
    """How far a clip is read.

    Parameters
    ----------
    letters : int
        Most of a clip, by networks that read letter by letter.
    alternatives : int
        Other readings of a letter to keep.
    letter_beam : int
        Texts that are followed at a time, by the same networks.
    max_fps : float
        Frames a second above which some are left out.
    pause_s : float
        Hands that were lowered and are gone for longer divide phrases.
    lowered : float
        How far below its usual place, in its heights, a hand was lowered.
    lost_s : float
        Hands that are gone for longer divide phrases wherever they were seen last: detectors lose hands for a while.
    doubt : float
        Confidence (0 to 1) below which a text is called doubtful.
    """

    letters: int = 32
    alternatives: int = 4
    letter_beam: int = 4
    max_fps: float = 30.0
    pause_s: float = 1.0
    lowered: float = 0.9
    lost_s: float = 1.6
    doubt: float = 0.5


class SpellerRuntime:
    """Read points with a bundle of spelling.

    Parameters
    ----------
    bundle : Bundle
        Its thresholds may hold fields of `SpellingOptions` and `BeamOptions`, and for `Trust` a ``trust_bias`` and a
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
        options = with_thresholds(SpellingOptions(), thresholds)
        whole = {name: int(getattr(options, name)) for name in ("letters", "alternatives", "letter_beam")}
        self.options = replace(options, **whole)
        beam = with_thresholds(BeamOptions(weight=0.0), thresholds)
        self._beam = replace(beam, beam=int(beam.beam), best=int(beam.best))
        self._trust = trust_of(thresholds)
        self._language: PhraseModel | None = load_phrase_model() if self._beam.weight else None
        self._graphs = {
            name: Graph(bundle.graph_path(name), threads=1 if name == "step" else threads)  # a step is too short
            for name in bundle.manifest.graphs
        }

    @property
    def by_frame(self) -> bool:
        """Whether the network says of each frame a character or none, rather than one after the other."""
        return "model" in self._graphs

    def read(self, points: Points) -> SpelledText:
        """Read a phrase, float32 (T, 543, 3), T 1 or more; frames are counted from its first."""
        if not self.by_frame:
            return self._by_letter(points)
        return self._spelled(self.table(points), self._beam)

    def glimpse(self, points: Points, times_s: NDArray[np.float64], said: Said) -> SpelledText:
        """Read a phrase that goes on, faster; what is known of whole windows is looked up, and noted."""
        if not self.by_frame:
            return self._by_letter(points)
        narrow = replace(self._beam, beam=min(GLIMPSED, self._beam.beam))
        return self._spelled(self.table(points, times_s, said), narrow, ended=False)

    def table(self, points: Points, times_s: NDArray[np.float64] | None = None, said: Said | None = None) -> Table:
        """Return what a network says of every frame: logarithms of probabilities, (T, V + 1).

        More than 384 frames are read in windows that overlap by a third.
        """
        starts = np.arange(0, max(len(points) - (WINDOW - HOP), 1), HOP)
        pieces = []
        for start in starts.tolist():
            part = slice(start, min(start + WINDOW, len(points)))
            key = None if times_s is None else (float(times_s[part][0]), float(times_s[part][-1]))
            known = None if said is None or key is None else said.get(key)
            piece = self._graphs["model"].run(points=points[part])["log_probabilities"] if known is None else known
            if said is not None and key is not None and len(piece) == WINDOW:
                said[key] = piece
            pieces.append(piece)
        return stitch_frames(pieces, starts)

    def _spelled(self, table: Table, options: BeamOptions, *, ended: bool = True) -> SpelledText:
        marks = self.characters.characters
        return spelled_text(table, marks, language=self._language, options=options, trust=self._trust, ended=ended)

    def _by_letter(self, points: Points) -> SpelledText:
        clip, marks, options = self._graphs["encoder"].run(points=points), self.characters, self.options
        memory = {name: clip[name] for name in MEMORY}
        how = {"letters": options.letters, "beam": options.letter_beam}
        found = read_letters(self._graphs["step"], memory, marks, **how)
        confidence = float(1 / (1 + np.exp(-clip["confidence"])))
        if np.isnan(confidence):  # the network has no word of its own for it
            confidence = float(np.exp(found.log_probability))
        first, last = found.frames(len(points))
        return SpelledText(marks.decode(found.numbers), first, last, found.rows, confidence)


def trust_of(thresholds: Mapping[str, float]) -> Trust:
    """Return the trust that a bundle's thresholds describe, or the network's own."""
    if "trust_bias" not in thresholds:
        return Trust()
    weights = tuple(thresholds.get(f"trust_{name}", 0.0) for name in EVIDENCE)
    return Trust(weights, thresholds["trust_bias"], thresholds.get("doubt", 0.5))
