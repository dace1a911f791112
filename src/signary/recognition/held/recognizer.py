"""Letters and digits that are held, read from one bundle's graph of single frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.held.live import Window
from signary.recognition.options import with_thresholds
from signary.recognition.reading import Clip, Reading, one_handed
from signary.recognition.recognizer import Recognizer
from signary.text.calibrate import softmax
from signary.text.commit import HeldOptions, decode_held
from signary.text.context import ContextOptions, tokens_in_context
from signary.text.language import load_language
from signary.text.recognition import Token
from signary.text.strokes import as_photo


class HeldRecognizer(Recognizer):
    """Read letters or digits with one bundle, from landmarks; made by `signary.recognition.load.load`.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.
    """

    tasks = ("letters", "digits")

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self._held = with_thresholds(HeldOptions(), bundle.manifest.thresholds)

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> Reading:
        """Run the graph over a clip (T frames).

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}

        Returns
        -------
        Reading
        """
        points = one_handed(sequence.as_holistic().points, hand)
        if not len(points):
            return Reading(np.zeros((0, len(self.vocabulary)), np.float32), np.zeros((0, 4), np.float32))
        output = self._graph.run(points=points, aspect=np.asarray(sequence.aspect or 0.0, np.float32))
        temperature = self.bundle.manifest.calibration.temperature
        return Reading(softmax(output["logits"], temperature).astype(np.float32), output["hand"])

    def decode(
        self,
        reading: Reading,
        times_s: NDArray[np.float64],
        *,
        context: str = "none",
        ends_s: NDArray[np.float64] | None = None,
    ) -> list[Token]:
        """Find the held letters of a reading.

        Parameters
        ----------
        reading : Reading
        times_s : float64 (T,)
        context : {"none", "words"}
            As for `ReadOptions`.
        ends_s : float64 (T,), optional
            As of a `LandmarkSequence`.

        Returns
        -------
        list of Token
        """

        def held(options: HeldOptions) -> list[Token]:
            vocabulary = self.bundle.vocabulary
            read = reading.probabilities, times_s, reading.seen, reading.position
            return decode_held(*read, vocabulary, options, ends_s)

        if context == "none" or len(times_s) < 2:
            return held(self._held)
        words, whole = ContextOptions(), replace(self._held, alternatives=len(self.vocabulary))
        quick = replace(
            whole,
            hold_s=min(words.hold_s, whole.hold_s),
            min_confidence=min(words.min_confidence, whole.min_confidence),
        )
        return tokens_in_context(
            held(whole),
            load_language(),
            frame_s=float(np.median(np.diff(times_s))),
            doubtful=held(quick),
            options=words,
            alternatives=self._held.alternatives,
        )

    def classify(self, sequence: LandmarkSequence, *, hand: str = "auto") -> list[tuple[str, float]]:
        """Read a whole clip as one label; see `Recognizer.classify`."""
        return self._rank(self._clip(sequence, hand))

    def _rank(self, clip: Clip[Reading]) -> list[tuple[str, float]]:
        reading, times_s = clip.reading, clip.times_s
        if not reading.seen.any():
            return []
        if clip.is_photo:
            mean = reading.averaged().probabilities[0]
            mean = as_photo(mean, self.bundle.vocabulary) if self._held.drawn else mean
        else:
            weights = _steadiness(reading, times_s) * self._signing(clip)
            mean = weights @ reading.probabilities[reading.seen] / weights.sum()
        return self._ranked(mean)

    def _signing(self, clip: Clip[Reading]) -> NDArray[np.bool_]:
        """Say which seen frames of a clip belong to what is read, bool (S,): a hand at rest before and after does not.

        All of them where nothing is read.
        """
        tokens = self.decode(clip.reading, clip.times_s, ends_s=clip.ends_s)
        times = clip.times_s[clip.reading.seen]
        inside = np.array([(token.start_s <= times) & (times < token.end_s) for token in tokens], np.bool_)
        return inside.any(0) if inside.any() else np.ones(len(times), np.bool_)

    def _open_text(self, hand: str) -> Window:
        return Window(self, hand, self._held)


def _steadiness(reading: Reading, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weigh the seen frames of a clip, float32 (S,): the sign is where the hand is held, not where it moves."""
    seen = reading.seen
    if seen.sum() < 3:
        return np.ones(int(seen.sum()), np.float32)
    position, times = reading.position[seen], times_s[seen]
    speed = np.linalg.norm(np.gradient(position, axis=0), axis=1) / np.maximum(np.gradient(times), 1e-3)
    return np.asarray(1 / (1 + speed), np.float32)
