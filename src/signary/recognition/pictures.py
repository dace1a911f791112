"""Bundles that take whole pictures, at work."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.errors import ConfigError, InputError
from signary.landmarks.sequence import LandmarkSequence, shown_until
from signary.recognition.held.recognizer import HeldRecognizer
from signary.recognition.options import ReadOptions
from signary.recognition.reading import Clip, Reading
from signary.recognition.recognizer import Progress
from signary.text.calibrate import softmax
from signary.video.source import FrameSource, is_landmark_file, opened, source_name
from signary.video.square import square

BATCH = 32
WHOLE_PICTURE = (0.5, 0.5, 1, 1)  # center, size and seen: nothing is known of a hand


class PictureRecognizer(HeldRecognizer):
    """Read signs with one bundle, from whole pictures; made by `signary.recognition.load.load`.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.
    """

    input = "image"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.side = int(self._graph.input_shapes["pictures"][1] or 0)

    def landmarks(self, source: Any, **options: Any) -> NoReturn:
        """Refuse: there are none."""
        self._refuse("landmarks")

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> NoReturn:
        """Refuse: pictures are read."""
        self._refuse("landmarks")

    def rank(self, source: Any, **options: Any) -> list[tuple[str, float]]:
        """Read a whole source as one label: as `classify`, given what `recognize` takes."""
        return self._rank(self._look(source, ReadOptions(**options), None))

    def stream(self, source: Any = 0, **options: Any) -> NoReturn:
        """Refuse: a model of landmarks follows a hand, this one does not."""
        self._refuse("live sources")

    def _open_text(self, hand: str) -> NoReturn:  # a model of landmarks follows a hand, this one does not
        self._refuse("live sources")

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigError(f"{self.name} reads pictures, no {what}", hint="use --model letters or digits for these")

    def _look(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> Clip[Reading]:
        if how.hand != "auto":
            hint = "leave the hand out, or use --model letters or digits"
            raise ConfigError(f"hand={how.hand!r}: {self.name} reads whole pictures, not one hand", hint=hint)
        if isinstance(source, LandmarkSequence) or is_landmark_file(source):
            self._refuse("landmarks")
        with opened(source, **how.of_source) as frames:
            rows = list(self._read_frames(frames, how, on_progress))
            if not rows:
                hint = "give a photo or video that a player can show"
                raise InputError(f"{source_name(source)}: no frames", hint=hint)
            read, batches = zip(*rows, strict=True)
            shown = [frame for batch in batches for frame in batch]
            times_s = np.array([time_s for time_s, _ in shown])
            place = np.tile(np.array(WHOLE_PICTURE, np.float32), (len(times_s), 1))
            ends_s = shown_until(times_s, [shown_s for _, shown_s in shown])
            fps = 0.0 if len(times_s) < 2 else (len(times_s) - 1) / max(times_s[-1] - times_s[0], 1e-9)
            return Clip(Reading(np.concatenate(read), place), times_s, ends_s, fps, tuple(frames.warnings))

    def _read_frames(
        self, frames: FrameSource, how: ReadOptions, on_progress: Progress | None
    ) -> Iterator[tuple[NDArray[np.float32], list[tuple[float, float | None]]]]:
        """Yield probabilities float32 (B, V) of one batch of frames after the other, and when each frame is shown."""
        temperature, done, rest = self.bundle.manifest.calibration.temperature, 0, iter(frames)
        while batch := list(islice(rest, BATCH)):
            pictures = np.stack([square(frame.image, self.side) for frame in batch])
            pictures = pictures[:, :, ::-1] if how.mirrored else pictures
            logits = self._graph.run(pictures=pictures)["logits"]
            done += len(batch)
            if on_progress is not None:
                on_progress(done, frames.frame_count)
            yield softmax(logits, temperature).astype(np.float32), [(frame.time_s, frame.shown_s) for frame in batch]
