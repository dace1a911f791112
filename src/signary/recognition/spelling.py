"""Continuous fingerspelling, read from a bundle's graphs: letter by letter, or of each frame a letter or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.export.bundle import Bundle
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.backend import Backend
from signary.recognition.options import ReadOptions, with_thresholds
from signary.recognition.reading import Clip, WindowReading, hand_seen, one_handed
from signary.recognition.recognizer import Progress, Recognizer
from signary.text.calibrate import softmax
from signary.text.characters import CharacterVocabulary
from signary.text.recognition import Alternative, Token

STILL = "spelling is a movement: one picture shows one letter at most"
MEMORY = ("memory_keys", "memory_values")


@dataclass(frozen=True, slots=True)
class SpellingOptions:
    """How far a clip is read.

    Parameters
    ----------
    letters : int
        Most of a clip.
    alternatives : int
        Other readings of a letter to keep.
    """

    letters: int = 32
    alternatives: int = 4


@dataclass(frozen=True, slots=True)
class Spelled:
    """What the graphs say of a clip.

    Parameters
    ----------
    probabilities : float32 (L, V)
        Of each letter; V counts marks, or no letter, too.
    first, last : int64 (L,)
        Frames of each letter; -1 where that is not known.
    ended : bool
        False: there was no end within the letters that are read.
    confidence : float
        How well the clip can be read, 0 to 1, by the network's own word; NaN where it does not say.
    """

    probabilities: NDArray[np.float32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    ended: bool = True
    confidence: float = np.nan


class SpellerRuntime:
    """Read points with a bundle of spelling, each time the likeliest letter; NumPy and ONNX Runtime alone.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        Of the graphs; the number of cores, 4 at most, by default.

    Attributes
    ----------
    characters : CharacterVocabulary
    options : SpellingOptions
        With the bundle's thresholds.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self.characters = CharacterVocabulary("".join(bundle.manifest.vocabulary))
        options = with_thresholds(SpellingOptions(), bundle.manifest.thresholds)
        self.options = replace(options, letters=int(options.letters), alternatives=int(options.alternatives))
        self._graphs = {
            name: Backend(bundle.graph_path(name), threads=1 if name == "step" else threads)  # a step is too short
            for name in bundle.manifest.graphs
        }

    def read(self, points: Points) -> Spelled:
        """Read a clip, float32 (T, 543, 3), T 1 or more."""
        return self._by_frame(points) if "model" in self._graphs else self._by_letter(points)

    def text(self, spelled: Spelled) -> str:
        """Return the letters of what was read."""
        return self.characters.decode(spelled.probabilities.argmax(1))

    def _by_letter(self, points: Points) -> Spelled:
        clip, step, marks = self._graphs["encoder"].run(points=points), self._graphs["step"], self.characters
        memory = {name: clip[name] for name in MEMORY}
        keys, values = (array[..., :0, :] for array in memory.values())
        rows: list[NDArray[np.float32]] = []
        token = marks.start
        while token != marks.end and len(rows) <= self.options.letters:
            said = step.run(token=np.array([token]), keys=keys, values=values, **memory)
            keys, values, logits = said["keys_after"], said["values_after"], said["logits"][0]
            rows.append(logits)
            token = int(logits.argmax())
        probabilities = softmax(np.stack(rows), 1.0).astype(np.float32)
        spelled = probabilities.argmax(1) < marks.pad
        unknown = np.full(int(spelled.sum()), -1)
        confidence = float(1 / (1 + np.exp(-clip["confidence"])))
        return Spelled(probabilities[spelled], unknown, unknown, token == marks.end, confidence)

    def _by_frame(self, points: Points) -> Spelled:
        probabilities = np.exp(self._graphs["model"].run(points=points)["log_probabilities"])
        best = probabilities.argmax(1)
        first = np.flatnonzero(np.diff(best, prepend=-1))
        last = np.append(first[1:], len(best)) - 1
        spelled = best[first] < self.characters.pad
        first, last = first[spelled], last[spelled]
        return Spelled(probabilities[first], first, last)


class SpellingRecognizer(Recognizer):
    """Read continuous fingerspelling with one bundle, from landmarks; made by `signary.recognition.load.load`.

    Parameters
    ----------
    bundle : Bundle
        Its thresholds may hold fields of `SpellingOptions`.
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.
    """

    tasks = ("spelling",)
    engine = "holistic"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.runtime = SpellerRuntime(bundle, threads=threads)

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> WindowReading:
        """Read a clip; a row a letter.

        Letters whose frames the graphs do not tell share out evenly the frames in which a hand was seen.

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}

        Returns
        -------
        WindowReading
        """
        points = one_handed(sequence.as_holistic().points, hand)
        shown = np.flatnonzero(seen := hand_seen(points))
        if not len(shown):
            nothing = np.empty(0, np.int64)
            return WindowReading(np.empty((0, len(self.vocabulary)), np.float32), nothing, nothing, seen)
        spelled = self.runtime.read(points)
        first, last = spelled.first, spelled.last
        if (first < 0).any():
            edges = np.linspace(shown[0], shown[-1], len(first) + 1).round().astype(np.int64)
            first, last = edges[:-1], edges[1:]
        return WindowReading(spelled.probabilities, first, last, seen)

    def decode(self, reading: WindowReading, times_s: NDArray[np.float64], *, context: str = "none") -> list[Token]:
        """Return the letters of a reading, a token each.

        Parameters
        ----------
        reading : WindowReading
        times_s : float64 (T,)
        context : {"none"}
            Phrases are read as they are.

        Returns
        -------
        list of Token
        """
        rows = reading.probabilities[:, : len(self.vocabulary)]
        ranks = np.argsort(-rows, axis=1, kind="stable")[:, : self.runtime.options.alternatives + 1]
        start_s, end_s = times_s[reading.first], times_s[reading.last]
        return [
            self._token(row, rank, float(start), float(end))
            for row, rank, start, end in zip(rows, ranks, start_s, end_s, strict=True)
        ]

    def _token(self, row: NDArray[np.float32], rank: NDArray[np.int64], start_s: float, end_s: float) -> Token:
        best, *others = ((self.vocabulary[place], float(row[place])) for place in rank.tolist())
        return Token(best[0], start_s, end_s, best[1], tuple(Alternative(*other) for other in others))

    def _open(self, threads: int | None) -> None:
        """Leave the graphs to the runtime."""

    def _look(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> Clip[Any]:
        clip = super()._look(source, how, on_progress)
        return replace(clip, warnings=(*clip.warnings, STILL)) if clip.is_photo else clip
