"""Read isolated signs: windows slide over a clip, a graph reads each, and windows that agree are a sign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.options import with_thresholds
from signary.recognition.reading import Floats, LabelReader, Said, hand_seen, one_handed
from signary.recognition.slide import TINY_S, SlideOptions, frames_with_hand, thinned, window_frames
from signary.text.recognition import Token
from signary.text.windows import WindowOptions, decode_windows


@dataclass(frozen=True, slots=True)
class WindowReading:
    """Labels of each window over a clip.

    Parameters
    ----------
    probabilities : float32 (W, V)
        Calibrated.
    first, last : int64 (W,)
        First and last frame in which a hand was seen in each window.
    seen : bool (T,)
        Frames in which a hand was seen.
    """

    probabilities: NDArray[np.float32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    seen: NDArray[np.bool_]

    def __getitem__(self, windows: NDArray[np.bool_]) -> WindowReading:
        """Return some of the windows."""
        return WindowReading(self.probabilities[windows], self.first[windows], self.last[windows], self.seen)

    def averaged(self) -> WindowReading:
        """Return the reading of a clip whose frames are all of one moment."""
        moment = np.zeros_like(self.first)
        return WindowReading(self.probabilities, moment, moment, self.seen.any(keepdims=True))


class SignReader(LabelReader):
    """Read isolated signs. Parameters as of `Reader`.

    Attributes
    ----------
    slide : SlideOptions
    options : WindowOptions
        Both with the bundle's thresholds.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.slide = with_thresholds(SlideOptions(), bundle.manifest.thresholds)
        self.options = with_thresholds(WindowOptions(), bundle.manifest.thresholds)

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> WindowReading:
        """Run the graph over each window; a clip no longer than a window is one. As `Reader.read_landmarks`."""
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
            Take the clip as one window, however long it is.
        said : Said, optional
            Probabilities float32 (V,) of each window.
        """
        said = {} if said is None else said
        points = one_handed(sequence.as_holistic().points, hand)
        seen, kept = hand_seen(points), thinned(sequence.times_s, self.slide.max_fps)
        points, times = points[kept], sequence.times_s[kept]
        windows = np.array([[0, len(kept)]]) if short else window_frames(times, seen[kept], self.slide)
        windows, shown = frames_with_hand(windows, seen[kept])
        rows = np.zeros((len(windows), len(self.bundle.vocabulary)), np.float32)
        for row, (start, stop) in zip(rows, windows.tolist(), strict=True):
            key = (float(times[start]), float(times[stop - 1]))
            if key not in said:
                said[key] = self.run(points=points[start:stop])["probabilities"]
            row[:] = said[key]
        first, last = kept[shown].T
        return WindowReading(rows, first, last, seen)

    def decode(
        self, reading: WindowReading, times_s: Floats, *, context: str = "none", ends_s: Floats | None = None
    ) -> list[Token]:
        """Find the signs of a reading; as `Reader.decode`."""
        start_s, end_s = times_s[reading.first], (times_s if ends_s is None else ends_s)[reading.last]
        return decode_windows(reading.probabilities, start_s, end_s, self.bundle.vocabulary, self.options)
