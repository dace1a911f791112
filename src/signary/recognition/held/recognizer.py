"""Recognize held letters and digits in sources."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signary.recognition.held.live import HeldWindow
from signary.recognition.held.reader import HeldReader, Reading
from signary.recognition.reading import ReadSource
from signary.recognition.recognizer import Recognizer
from signary.text.strokes import as_photo


class HeldRecognizer(Recognizer):
    """Recognize letters or digits from landmarks. Parameters as of `Recognizer`."""

    tasks = ("letters", "digits")
    reader_type = HeldReader
    reader: HeldReader

    def _rank(self, read: ReadSource[Reading]) -> list[tuple[str, float]]:
        reading = read.reading
        if not reading.seen.any():
            return []
        if read.is_photo:
            mean = reading.averaged().probabilities[0]
            mean = as_photo(mean, self.bundle.vocabulary) if self.reader.options.drawn else mean
        else:
            weights = _steadiness(reading, read.times_s) * self._signing(read)
            mean = weights @ reading.probabilities[reading.seen] / weights.sum()
        return self._ranked(mean)

    def _signing(self, read: ReadSource[Reading]) -> NDArray[np.bool_]:
        """Say which frames with a hand lie within a token, bool (S,); all of them where there is no token.

        A hand at rest before and after a sign does not count.
        """
        tokens = self.decode(read.reading, read.times_s, ends_s=read.ends_s)
        times = read.times_s[read.reading.seen]
        inside = np.array([(token.start_s <= times) & (times < token.end_s) for token in tokens], np.bool_)
        return inside.any(0) if inside.any() else np.ones(len(times), np.bool_)

    def _window(self, hand: str) -> HeldWindow:
        return HeldWindow(self.reader, hand)


def _steadiness(reading: Reading, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weigh the frames with a hand, float32 (S,): more where the hand is held than where it moves."""
    seen = reading.seen
    if seen.sum() < 3:
        return np.ones(int(seen.sum()), np.float32)
    position, times = reading.position[seen], times_s[seen]
    speed = np.linalg.norm(np.gradient(position, axis=0), axis=1) / np.maximum(np.gradient(times), 1e-3)
    return np.asarray(1 / (1 + speed), np.float32)
