"""Recognize signs from the pixels of pictures, without landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar, NoReturn

import numpy as np

from signary.bundles.bundle import Bundle
from signary.errors import ConfigError, InputError
from signary.landmarks.sequence import LandmarkSequence, shown_until
from signary.lifetime import Lifetime
from signary.recognition.held.reader import Reading
from signary.recognition.held.recognizer import HeldRecognizer
from signary.recognition.options import Progress, ReadOptions
from signary.recognition.reading import ReadSource
from signary.recognition.recognizer import Recognizer
from signary.video.frame import Frame
from signary.video.source import FrameSource, is_landmark_file, opened
from signary.video.square import square

BATCH = 32
WHOLE_PICTURE = (0.5, 0.5, 1, 1)  # center, size and seen: the place of the hand is not known


class WatchedFrames(Lifetime):
    """A source that notes ``time_s`` and ``shown_s`` of each frame, and tells its progress."""

    def __init__(self, source: FrameSource, on_progress: Progress | None) -> None:
        self._source, self._on_progress = source, on_progress
        self.name, self.fps, self.frame_count = source.name, source.fps, source.frame_count
        self.is_still, self.is_live, self.warnings = source.is_still, source.is_live, source.warnings
        self.times_s: list[float] = []
        self.shown_s: list[float | None] = []

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            self.times_s.append(frame.time_s)
            self.shown_s.append(frame.shown_s)
            if self._on_progress is not None:
                self._on_progress(len(self.times_s), self.frame_count)
            yield frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class PixelRecognizer(Recognizer):
    """Recognize signs from pixels. Landmarks, the choice of a hand and live sources are refused."""

    takes: ClassVar[str]
    instead: ClassVar[str]  # names of models that read what is refused

    def rank(self, source: Any, **options: Any) -> list[tuple[str, float]]:
        """Read a whole source as one label; as `Recognizer.rank`."""
        return self._rank(self._read(source, ReadOptions(**options), None))

    def landmarks(self, source: Any, **options: Any) -> NoReturn:
        """Refuse: none are found."""
        self._refuse("landmarks")

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> NoReturn:
        """Refuse: pictures are read."""
        self._refuse("landmarks")

    def stream(self, source: Any = 0, **options: Any) -> NoReturn:
        """Refuse: live reading needs landmarks."""
        self._refuse("live sources")

    def session(self, **options: Any) -> NoReturn:
        """Refuse: live reading needs landmarks."""
        self._refuse("live sources")

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigError(f"{self.name} reads {self.takes}, no {what}", hint=f"use --model {self.instead} for these")

    def _read(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> ReadSource[Any]:
        if how.hand != "auto":
            hint = f"leave the hand out, or use --model {self.instead}"
            raise ConfigError(f"hand={how.hand!r}: {self.name} reads whole pictures, not one hand", hint=hint)
        if isinstance(source, LandmarkSequence) or is_landmark_file(source):
            self._refuse("landmarks")
        with opened(source, **how.of_source) as frames:
            watched = WatchedFrames(frames, on_progress)
            reading = self._read_frames(watched, how)
            times_s = np.array(watched.times_s)
            fps = float((len(times_s) - 1) / max(times_s[-1] - times_s[0], 1e-9))
            ends_s = shown_until(times_s, watched.shown_s)
            return ReadSource(reading, times_s, ends_s, fps, tuple(frames.warnings))

    def _read_frames(self, frames: WatchedFrames, how: ReadOptions) -> Any:
        """Run the graph over the frames of a source."""
        raise NotImplementedError


class PictureRecognizer(PixelRecognizer, HeldRecognizer):
    """Recognize letters or digits from single pictures. Parameters as of `Recognizer`."""

    input = "image"
    takes, instead = "pictures", "letters or digits"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.side = int(self.reader.graph.input_shapes["pictures"][1] or 0)

    def _read_frames(self, frames: WatchedFrames, how: ReadOptions) -> Reading:
        rows, rest = [], iter(frames)
        while batch := list(islice(rest, BATCH)):
            pictures = np.stack([square(frame.image, self.side) for frame in batch])
            pictures = pictures[:, :, ::-1] if how.mirrored else pictures
            rows.append(self.reader.run(pictures=pictures)["probabilities"])
        if not rows:
            raise InputError(f"{frames.name}: no frames", hint="give a photo or video that a player can show")
        place = np.tile(np.array(WHOLE_PICTURE, np.float32), (len(frames.times_s), 1))
        return Reading(np.concatenate(rows), place)
