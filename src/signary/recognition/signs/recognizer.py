"""Isolated signs, read from one bundle's graph of whole clips: a window slides over what is longer than a sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.options import ReadOptions, with_thresholds
from signary.recognition.reading import Clip, WindowReading, hand_seen, one_handed
from signary.recognition.recognizer import Progress, Recognizer
from signary.recognition.signs.live import Said, SignWindow
from signary.recognition.slide import TINY_S, SlideOptions, frames_with_hand, thinned, window_frames
from signary.text.calibrate import softmax
from signary.text.recognition import Token
from signary.text.windows import WindowOptions, decode_windows

STILL = "a sign is a movement: one picture shows too little of it"


class SignRecognizer(Recognizer):
    """Read isolated signs with one bundle, from landmarks; made by `signary.recognition.load.load`.

    Parameters
    ----------
    bundle : Bundle
        Its thresholds may hold fields of `SlideOptions` and `WindowOptions`.
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.
    """

    tasks = ("signs",)
    engine = "holistic"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.slide = with_thresholds(SlideOptions(), bundle.manifest.thresholds)
        self._options = with_thresholds(WindowOptions(), bundle.manifest.thresholds)

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> WindowReading:
        """Run the graph over each window of a clip; a clip that is no longer than a window is one.

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}

        Returns
        -------
        WindowReading
        """
        return self.read_windows(sequence, hand, short=sequence.duration_s <= self.slide.window_s + TINY_S)

    def read_windows(
        self, sequence: LandmarkSequence, hand: str, *, short: bool, said: Said | None = None
    ) -> WindowReading:
        """Run the graph over the windows of a clip.

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}
        short : bool
            The clip is one window.
        said : mapping of (first s, last s) to float32 (V,), optional
            What is known of windows; takes what is found.
        """
        said = {} if said is None else said
        points = one_handed(sequence.as_holistic().points, hand)
        seen, kept = hand_seen(points), thinned(sequence.times_s, self.slide.max_fps)
        points, times = points[kept], sequence.times_s[kept]
        windows = np.array([[0, len(kept)]]) if short else window_frames(times, seen[kept], self.slide)
        windows, shown = frames_with_hand(windows, seen[kept])
        rows = np.zeros((len(windows), len(self.vocabulary)), np.float32)
        for row, (start, stop) in zip(rows, windows.tolist(), strict=True):
            key = (float(times[start]), float(times[stop - 1]))
            if key not in said:
                said[key] = self._probabilities(points[start:stop])
            row[:] = said[key]
        first, last = kept[shown].T
        return WindowReading(rows, first, last, seen)

    def decode(
        self,
        reading: WindowReading,
        times_s: NDArray[np.float64],
        *,
        context: str = "none",
        ends_s: NDArray[np.float64] | None = None,
    ) -> list[Token]:
        """Find the signs of a reading.

        Parameters
        ----------
        reading : WindowReading
        times_s : float64 (T,)
        context : {"none"}
            Signs are read as they are.
        ends_s : float64 (T,), optional
            As of a `LandmarkSequence`.

        Returns
        -------
        list of Token
        """
        start_s, end_s = times_s[reading.first], (times_s if ends_s is None else ends_s)[reading.last]
        return decode_windows(reading.probabilities, start_s, end_s, self.bundle.vocabulary, self._options)

    def classify(self, sequence: LandmarkSequence, *, hand: str = "auto") -> list[tuple[str, float]]:
        """Read a whole clip, however long, as one label; as `Recognizer.classify`."""
        reading = self.read_windows(sequence, hand, short=True)
        return self._ranked(reading.probabilities[0]) if len(reading.probabilities) else []

    def _look(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> Clip[Any]:
        clip = super()._look(source, how, on_progress)
        return replace(clip, warnings=(*clip.warnings, STILL)) if clip.is_photo else clip

    def _open_text(self, hand: str) -> SignWindow:
        return SignWindow(self, hand)

    def _probabilities(self, points: Points) -> NDArray[np.float32]:
        temperature = self.bundle.manifest.calibration.temperature
        return softmax(self._graph.run(points=points)["logits"], temperature).astype(np.float32)
