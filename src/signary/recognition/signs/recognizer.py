"""Recognize isolated signs in sources."""

from __future__ import annotations

from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.recognizer import Recognizer
from signary.recognition.signs.live import SignWindow
from signary.recognition.signs.reader import SignReader

STILL = "a sign is a movement: one picture shows too little of it"


class SignRecognizer(Recognizer):
    """Recognize isolated signs from landmarks. Parameters as of `Recognizer`."""

    tasks = ("signs",)
    engine = "holistic"
    photo_warning = STILL
    reader_type = SignReader
    reader: SignReader

    def classify(self, sequence: LandmarkSequence, *, hand: str = "auto") -> list[tuple[str, float]]:
        """Read a whole clip, however long, as one label; as `Recognizer.classify`."""
        reading = self.reader.read_windows(sequence, hand, short=True)
        return self._ranked(reading.probabilities[0]) if len(reading.probabilities) else []

    def _window(self, hand: str) -> SignWindow:
        return SignWindow(self.reader, hand)
