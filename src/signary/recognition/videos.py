"""Bundles that take the pictures of whole clips, at work: a clip is one sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.errors import ConfigError
from signary.landmarks.sequence import LandmarkSequence, shown_until
from signary.lifetime import Lifetime
from signary.recognition.options import ReadOptions
from signary.recognition.reading import Clip, WindowReading
from signary.recognition.recognizer import Progress, Recognizer
from signary.recognition.signs.recognizer import STILL
from signary.text.calibrate import softmax
from signary.text.recognition import Token
from signary.text.windows import WindowOptions, decode_windows
from signary.video.frame import Frame
from signary.video.sample import sample_clip
from signary.video.source import FrameSource, is_landmark_file, opened


class VideoRecognizer(Recognizer):
    """Read isolated signs with one bundle, from pictures; made by `signary.recognition.load.load`.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.
    """

    input = "clip"
    tasks = ("signs",)

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        frames, side, *_ = self._graph.input_shapes["pictures"]
        self.frames, self.side = int(frames or 0), int(side or 0)
        self.fit = bundle.manifest.recipe.get("fit", "pad")

    def decode(
        self,
        reading: WindowReading,
        times_s: NDArray[np.float64],
        *,
        context: str = "none",
        ends_s: NDArray[np.float64] | None = None,
    ) -> list[Token]:
        """Return the sign of a clip, if it is one; parameters as of `Recognizer.decode`."""
        start_s, end_s = times_s[reading.first], (times_s if ends_s is None else ends_s)[reading.last]
        return decode_windows(reading.probabilities, start_s, end_s, self.bundle.vocabulary, WindowOptions())

    def rank(self, source: Any, **options: Any) -> list[tuple[str, float]]:
        """Read a whole source as one label: as `classify`, given what `recognize` takes."""
        return self._ranked(self._look(source, ReadOptions(**options), None).reading.probabilities[0])

    def landmarks(self, source: Any, **options: Any) -> NoReturn:
        """Refuse: there are none."""
        self._refuse("landmarks")

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> NoReturn:
        """Refuse: pictures are read."""
        self._refuse("landmarks")

    def classify(self, sequence: LandmarkSequence, *, hand: str = "auto") -> NoReturn:
        """Refuse: pictures are read; see `rank`."""
        self._refuse("landmarks")

    def stream(self, source: Any = 0, **options: Any) -> NoReturn:
        """Refuse: a whole clip is read at once."""
        self._refuse("live sources")

    def session(self, **options: Any) -> NoReturn:
        """Refuse: a whole clip is read at once."""
        self._refuse("live sources")

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigError(f"{self.name} reads whole clips of pictures, no {what}", hint="use --model signs for these")

    def _look(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> Clip[WindowReading]:
        if isinstance(source, LandmarkSequence) or is_landmark_file(source):
            self._refuse("landmarks")
        if how.hand != "auto":
            raise ConfigError(f"hand={how.hand!r}: {self.name} reads whole pictures", hint="leave the hand out")
        with opened(source, **how.of_source) as source_frames:
            frames = _Watched(source_frames, on_progress)
            pictures = sample_clip(frames, self.frames, side=self.side, fit=self.fit)
            pictures = np.ascontiguousarray(pictures[:, :, ::-1]) if how.mirrored else pictures
            logits = self._graph.run(pictures=pictures)["logits"]
            said = softmax(logits[None], self.bundle.manifest.calibration.temperature).astype(np.float32)
            times_s, first = np.array(frames.times_s), np.zeros(1, np.int64)
            read = WindowReading(said, first, first + len(times_s) - 1, np.ones(len(times_s), np.bool_))
            warnings = tuple(frames.warnings) + ((STILL,) if len(times_s) == 1 else ())
            return Clip(read, times_s, shown_until(times_s, frames.shown_s), frames.fps, warnings)


class _Watched(Lifetime):
    """A source that remembers when its frames were shown."""

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
