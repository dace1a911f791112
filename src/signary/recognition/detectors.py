"""Landmarks of any source, and the detectors that find them, which stay open from one source to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from signary.landmarks.detect import open_detector
from signary.landmarks.detector import Detector
from signary.landmarks.extract import extract, look_closely
from signary.landmarks.files import read_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.options import Progress, ReadOptions
from signary.video.source import is_landmark_file, opened


class Detectors:
    """The detectors of one engine.

    Parameters
    ----------
    engine : {"hands", "holistic"}
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.kept: dict[tuple[bool, int, bool], Detector] = {}

    def landmarks(
        self, source: Any, how: ReadOptions, on_progress: Progress | None = None
    ) -> tuple[LandmarkSequence, tuple[str, ...]]:
        """Return the landmarks ``HOLISTIC_543`` of a source and its warnings; parameters as of `recognize`."""
        if isinstance(source, LandmarkSequence):
            return source.as_holistic(), ()
        if is_landmark_file(source):
            sequence = read_landmarks(Path(source), fps=how.fps or 30.0).as_holistic()
            return sequence.mirrored() if how.mirrored else sequence, ()
        with opened(source, **how.of_source) as frames:
            detector = self.get(how, still=frames.is_still)
            sequence = look_closely(frames, detector) if frames.is_still else extract(frames, detector, on_progress)
            return sequence, tuple(frames.warnings)

    def get(self, how: ReadOptions, *, still: bool = False) -> Detector:
        """Return a detector that is kept open, without memory of the last source."""
        key = (still, how.max_hands, how.mirrored)
        if key not in self.kept:
            self.kept[key] = self.new(how, still=still)
        self.kept[key].reset()
        return self.kept[key]

    def new(self, how: ReadOptions, *, still: bool = False) -> Detector:
        """Open a detector that the caller closes."""
        return open_detector(self.engine, still=still, max_hands=how.max_hands, mirrored=how.mirrored)

    def close(self) -> None:
        """Free the detectors; they open again when needed."""
        while self.kept:
            self.kept.popitem()[1].close()
