"""Recognize isolated signs from the pixels of whole clips: a clip is one sign."""

from __future__ import annotations

import numpy as np

from signary.bundles.bundle import Bundle
from signary.recognition.options import ReadOptions
from signary.recognition.pictures import PixelRecognizer, WatchedFrames
from signary.recognition.reading import ReadSource
from signary.recognition.signs.reader import SignReader, WindowReading
from signary.recognition.signs.recognizer import STILL
from signary.video.sample import sample_clip


class VideoRecognizer(PixelRecognizer):
    """Recognize isolated signs from clips of pictures. Parameters as of `Recognizer`."""

    input = "clip"
    tasks = ("signs",)
    takes, instead = "whole clips of pictures", "signs"
    photo_warning = STILL
    reader_type = SignReader
    reader: SignReader

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        frames, side, *_ = self.reader.graph.input_shapes["pictures"]
        self.frames, self.side = int(frames or 0), int(side or 0)
        self.fit = bundle.manifest.recipe.get("fit", "pad")

    def _rank(self, read: ReadSource[WindowReading]) -> list[tuple[str, float]]:
        return self._ranked(read.reading.probabilities[0])

    def _read_frames(self, frames: WatchedFrames, how: ReadOptions) -> WindowReading:
        pictures = sample_clip(frames, self.frames, side=self.side, fit=self.fit)
        pictures = pictures[:, :, ::-1] if how.mirrored else pictures
        probabilities = self.reader.run(pictures=pictures)["probabilities"]
        count, first = len(frames.times_s), np.zeros(1, np.int64)
        return WindowReading(probabilities[None], first, first + count - 1, np.ones(count, np.bool_))
