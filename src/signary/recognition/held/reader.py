"""Read held letters and digits: a graph of single frames, then the frames in which a hand is held."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.held.tracking import HandPath
from signary.recognition.options import with_thresholds
from signary.recognition.reading import Floats, LabelReader, one_handed
from signary.text.commit import HeldOptions, decode_held
from signary.text.context import ContextOptions, tokens_in_context
from signary.text.language import load_language
from signary.text.recognition import Token


@dataclass(frozen=True, slots=True)
class Reading:
    """Labels of each frame of a clip.

    Parameters
    ----------
    probabilities : float32 (T, V)
        Calibrated.
    place : float32 (T, 4)
        Center x, y and size of the hand in picture widths, and 1 where it was seen.
    """

    probabilities: NDArray[np.float32]
    place: NDArray[np.float32]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Frames in which the hand was seen: bool (T,)."""
        return self.place[:, 3] > 0.5

    @property
    def position(self) -> Floats:
        """Center of the hand in hand sizes, float64 (T, 2), see `HandPath`; NaN where it was not seen."""
        path = HandPath()
        return np.array([path.step(place) for place in self.place], np.float64).reshape(-1, 2)

    def averaged(self) -> Reading:
        """Return one row: the mean of the rows in which the hand was seen."""
        if not self.seen.any():
            return Reading(self.probabilities[:1], self.place[:1])
        return Reading(*(rows[self.seen].mean(0, keepdims=True) for rows in (self.probabilities, self.place)))


class HeldReader(LabelReader):
    """Read letters or digits. Parameters as of `Reader`.

    Attributes
    ----------
    options : HeldOptions
        With the bundle's thresholds.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.options = with_thresholds(HeldOptions(), bundle.manifest.thresholds)

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> Reading:
        """Run the graph over the frames of a clip; as `Reader.read_landmarks`."""
        points = one_handed(sequence.as_holistic().points, hand)
        if not len(points):
            return Reading(np.zeros((0, len(self.bundle.vocabulary)), np.float32), np.zeros((0, 4), np.float32))
        output = self.run(points=points, aspect=np.asarray(sequence.aspect or 0.0, np.float32))
        return Reading(output["probabilities"], output["hand"])

    def decode(
        self, reading: Reading, times_s: Floats, *, context: str = "none", ends_s: Floats | None = None
    ) -> list[Token]:
        """Find the held letters of a reading; as `Reader.decode`."""

        def held(options: HeldOptions) -> list[Token]:
            read = reading.probabilities, times_s, reading.seen, reading.position
            return decode_held(*read, self.bundle.vocabulary, options, ends_s)

        if context == "none" or len(times_s) < 2:
            return held(self.options)
        words, whole = ContextOptions(), replace(self.options, alternatives=len(self.bundle.vocabulary))
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
            alternatives=self.options.alternatives,
        )
