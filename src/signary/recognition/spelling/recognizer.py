"""Recognize continuous fingerspelling in sources."""

from __future__ import annotations

from typing import Any, NoReturn

from signary.bundles.bundle import Bundle
from signary.bundles.manifest import reads_hands_alone
from signary.errors import ConfigError
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.reading import ReadSource
from signary.recognition.recognizer import Recognizer
from signary.recognition.spelling.live import SpellingWindow
from signary.recognition.spelling.reader import SpellingReader, SpellingReading
from signary.text.recognition import Token

STILL = "spelling is a movement: one picture shows one letter at most"
DOUBTFUL = "not sure of this text: it is the best guess"


class SpellingRecognizer(Recognizer):
    """Recognize continuous fingerspelling from landmarks. Parameters as of `Recognizer`."""

    tasks = ("spelling",)
    photo_warning = STILL
    reader_type = SpellingReader
    reader: SpellingReader

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self.engine = "hands" if reads_hands_alone(bundle.manifest) else "holistic"
        super().__init__(bundle, threads=threads)

    def classify(self, sequence: LandmarkSequence, *, hand: str = "auto") -> NoReturn:
        """Refuse: a phrase is no label."""
        raise ConfigError(f"{self.name} reads phrases, no label of a whole source", hint="use recognize")

    def rank(self, source: Any, **options: Any) -> NoReturn:
        """Refuse: as `classify`."""
        self.classify(source)

    def confidence_of(self, reading: SpellingReading, tokens: list[Token]) -> float:
        """Return the probability (0 to 1) that all of a reading is right; 0 where there is no text."""
        return reading.confidence

    def _warnings(self, read: ReadSource[Any]) -> tuple[str, ...]:
        reading: SpellingReading = read.reading
        doubtful = any(phrase.text for phrase in reading.phrases) and reading.confidence < self.reader.options.doubt
        return (*super()._warnings(read), *((DOUBTFUL,) if doubtful else ()))

    def _window(self, hand: str) -> SpellingWindow:
        return SpellingWindow(self.reader, hand)
