"""Bundles at work: a source in, text with times and confidence out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import BundleError, ConfigError, SignaryError
from signary.export.bundle import Bundle
from signary.landmarks.detect import HandsDetector
from signary.landmarks.extract import extract, look_closely
from signary.landmarks.files import LANDMARK_ENDINGS, read_landmarks
from signary.landmarks.sequence import HAND_SLOTS, LEFT, RIGHT, LandmarkSequence
from signary.recognition.backend import Backend
from signary.recognition.options import ReadOptions
from signary.recognition.reading import Clip, Reading
from signary.recognition.stream import stream_events
from signary.text.calibrate import softmax
from signary.text.commit import HeldOptions, decode_held, mean_confidence, recognition_text
from signary.text.context import ContextOptions, tokens_in_context
from signary.text.language import load_language
from signary.text.recognition import Event, Failure, Recognition, Token
from signary.text.strokes import as_photo
from signary.video.source import open_source

Progress = Callable[[int, int | None], None]


class Recognizer:
    """Read signs with one bundle, from landmarks; made by `signary.recognition.load.load`.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.

    Raises
    ------
    BundleError
        If the bundle's task is not one that this class reads.
    """

    input = "landmarks"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        if bundle.manifest.input != self.input or bundle.task not in ("letters", "digits"):
            raise BundleError(f"{bundle.name}: task {bundle.task} is not read here", hint="use letters or digits")
        self.bundle = bundle
        self._backend = Backend(bundle.graph_path(), threads=threads)
        self._detectors: dict[tuple[bool, int, bool], HandsDetector] = {}
        self._held = _held_options(bundle.manifest.thresholds)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.bundle.name

    @property
    def task(self) -> str:
        """``letters`` or ``digits``."""
        return self.bundle.task

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Labels in the order of the logits."""
        return self.bundle.vocabulary.labels

    def close(self) -> None:
        """Free the detectors; they open again when needed."""
        while self._detectors:
            self._detectors.popitem()[1].close()

    def recognize(self, source: Any, *, on_progress: Progress | None = None, **options: Any) -> Recognition:
        """Read one source.

        Parameters
        ----------
        source : str, Path, int, array, FrameSource or LandmarkSequence
            A photo, video, landmark file, ``-`` (stdin), camera number, uint8 (H, W, 3) or (T, H, W, 3), ...
        on_progress : callable(frames done, frames in all or None), optional
        **options
            Fields of `ReadOptions`: hand, mirrored, max_hands, as_clip, fps, context.

        Returns
        -------
        Recognition

        Raises
        ------
        SignaryError
            If the source cannot be read, or with ``context`` for another task than letters.
        """
        start = time.perf_counter()
        how = ReadOptions(**options)
        self.check_context(how.context)
        clip = self._look(source, how, on_progress)
        reading, times_s = clip.reading, clip.times_s
        if clip.is_photo:
            reading, times_s = reading.averaged(), times_s[:1]
        seen, tokens = reading.seen, self.decode(reading, times_s, context=how.context)
        warnings = clip.warnings if seen.any() else (*clip.warnings, "no hand found")
        return Recognition(
            source=source_name(source),
            model=self.name,
            task=self.task,
            text=recognition_text(tokens, self.task),
            confidence=mean_confidence(tokens),
            tokens=tuple(tokens),
            frames=len(times_s),
            fps=clip.fps,
            hand_rate=float(seen.mean()) if len(seen) else 0.0,
            elapsed_s=time.perf_counter() - start,
            warnings=warnings,
        )

    def recognize_many(self, sources: Iterable[Any], **options: Any) -> Iterator[Recognition | Failure]:
        """Read sources one after the other; one that cannot be read becomes a `Failure` and the rest go on."""
        for source in sources:
            try:
                yield self.recognize(source, **options)
            except SignaryError as error:
                yield Failure(source_name(source), type(error).__name__, error.message, error.hint)

    def landmarks(self, source: Any, *, on_progress: Progress | None = None, **options: Any) -> LandmarkSequence:
        """Return the landmarks ``HOLISTIC_543`` that `recognize` reads; parameters as there."""
        return self._read(source, ReadOptions(**options), on_progress)[0]

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> Reading:
        """Run the graph over a clip (T frames).

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}

        Returns
        -------
        Reading
        """
        points = sequence.as_holistic().points
        if hand != "auto":
            points = points.copy()
            points[:, HAND_SLOTS[RIGHT if hand == LEFT else LEFT]] = np.nan
        if not len(points):
            return Reading(np.zeros((0, len(self.vocabulary)), np.float32), np.zeros((0, 4), np.float32))
        output = self._backend.run(points=points, aspect=np.asarray(sequence.aspect or 0.0, np.float32))
        temperature = self.bundle.manifest.calibration.temperature
        return Reading(softmax(output["logits"], temperature).astype(np.float32), output["hand"])

    def check_context(self, context: str, *, live: bool = False) -> None:
        """Refuse a context in which this model cannot read.

        Parameters
        ----------
        context : {"none", "words"}
        live : bool
            What is read is written at once.

        Raises
        ------
        ConfigError
        """
        if context == "none":
            return
        if self.task != "letters":
            raise ConfigError(f"context={context!r}: {self.name} reads {self.task}", hint="words are made of letters")
        if live:
            hint = "record a clip and recognize that, or read a camera with --format json"
            raise ConfigError(f"context={context!r}: only for whole sources, not for a stream", hint=hint)

    def decode(self, reading: Reading, times_s: NDArray[np.float64], *, context: str = "none") -> list[Token]:
        """Find the held letters of a reading.

        Parameters
        ----------
        reading : Reading
        times_s : float64 (T,)
        context : {"none", "words"}
            As for `ReadOptions`.

        Returns
        -------
        list of Token
        """

        def held(options: HeldOptions) -> list[Token]:
            vocabulary = self.bundle.vocabulary
            return decode_held(reading.probabilities, times_s, reading.seen, reading.position, vocabulary, options)

        if context == "none" or len(times_s) < 2:
            return held(self._held)
        words, whole = ContextOptions(), replace(self._held, alternatives=len(self.vocabulary))
        quick = replace(
            whole,
            hold_s=min(words.hold_s, whole.hold_s),
            min_confidence=min(words.min_confidence, whole.min_confidence),
        )
        return tokens_in_context(
            held(whole),
            load_language(),
            frame_s=float(np.median(np.diff(times_s))),
            doubtful=held(quick),
            options=words,
            alternatives=self._held.alternatives,
        )

    def classify(self, sequence: LandmarkSequence, *, hand: str = "auto") -> list[tuple[str, float]]:
        """Read a whole clip as one label.

        Returns
        -------
        list of (text, confidence)
            All labels, likeliest first, ``""`` for the silent ones; empty where no hand was found.
        """
        return self._rank(self._clip(sequence, hand))

    def rank(self, source: Any, **options: Any) -> list[tuple[str, float]]:
        """Read a whole source as one label: as `classify`, given what `recognize` takes."""
        return self._rank(self._look(source, ReadOptions(**options), None))

    def _rank(self, clip: Clip) -> list[tuple[str, float]]:
        reading, times_s = clip.reading, clip.times_s
        if not reading.seen.any():
            return []
        if clip.is_photo:
            mean = reading.averaged().probabilities[0]
            mean = as_photo(mean, self.bundle.vocabulary) if self._held.drawn else mean
        else:
            weights = _steadiness(reading, times_s) * self._signing(reading, times_s)
            mean = weights @ reading.probabilities[reading.seen] / weights.sum()
        return [(self.bundle.vocabulary.text(int(label)), float(mean[label])) for label in np.argsort(-mean)]

    def _signing(self, reading: Reading, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which seen frames of a clip belong to what is read, bool (S,): a hand at rest before and after does not.

        All of them where nothing is read.
        """
        spans = [(token.start_s, token.end_s) for token in self.decode(reading, times_s)]
        times = times_s[reading.seen]
        inside = np.array([(start <= times) & (times <= end) for start, end in spans], np.bool_)
        return inside.any(0) if inside.any() else np.ones(len(times), np.bool_)

    def stream(self, source: Any = 0, **options: Any) -> Iterator[Event]:
        """Read a live source: partial events, which may change, and final ones, which will not.

        Parameters
        ----------
        source : int, str, Path, array or FrameSource
            A camera number or anything that `recognize` reads frame by frame.
        **options
            Fields of `ReadOptions`, but no ``context``: words are read of whole sources only.

        Raises
        ------
        ConfigError
            If ``context`` is asked for.
        """
        how = ReadOptions(**options)
        self.check_context(how.context, live=True)
        with open_source(source, as_clip=how.as_clip, fps=how.fps) as frames:
            detector = self._detector(still=False, how=how)
            yield from stream_events(self, frames, detector, hand=how.hand, held=self._held)

    def _look(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> Clip:
        """Look at a source and run the graph over it."""
        sequence, warnings = self._read(source, how, on_progress)
        return replace(self._clip(sequence, how.hand), warnings=warnings)

    def _clip(self, sequence: LandmarkSequence, hand: str) -> Clip:
        return Clip(self.read_landmarks(sequence, hand=hand), sequence.times_s, sequence.fps)

    def _read(
        self, source: Any, how: ReadOptions, on_progress: Progress | None
    ) -> tuple[LandmarkSequence, tuple[str, ...]]:
        if isinstance(source, LandmarkSequence):
            return source.as_holistic(), ()
        if isinstance(source, str | Path) and str(source).lower().endswith(LANDMARK_ENDINGS):
            return self._read_file(Path(source), how)
        with open_source(source, as_clip=how.as_clip, fps=how.fps) as frames:
            if frames.is_still:
                sequence = look_closely(frames, self._detector(still=True, how=how))
            else:
                sequence = extract(frames, self._detector(still=False, how=how), on_progress)
            return sequence, tuple(frames.warnings)

    def _read_file(self, path: Path, how: ReadOptions) -> tuple[LandmarkSequence, tuple[str, ...]]:
        sequence = read_landmarks(path, fps=how.fps or 30.0).as_holistic()
        return sequence.mirrored() if how.mirrored else sequence, ()

    def _detector(self, *, still: bool, how: ReadOptions) -> HandsDetector:
        key = (still, how.max_hands, how.mirrored)
        if key not in self._detectors:
            self._detectors[key] = HandsDetector(still=still, max_hands=how.max_hands, mirrored=how.mirrored)
        self._detectors[key].reset()
        return self._detectors[key]


def source_name(source: Any) -> str:
    """Return what a source is called in results."""
    if isinstance(source, str | Path | int):
        return str(source)
    return str(getattr(source, "name", "array" if isinstance(source, np.ndarray) else type(source).__name__))


def _held_options(thresholds: dict[str, float]) -> HeldOptions:
    known: dict[str, Any] = {name: value for name, value in thresholds.items() if hasattr(HeldOptions(), name)}
    return replace(HeldOptions(), **known)


def _steadiness(reading: Reading, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weigh the seen frames of a clip, float32 (S,): the sign is where the hand is held, not where it moves."""
    seen = reading.seen
    if seen.sum() < 3:
        return np.ones(int(seen.sum()), np.float32)
    position, times = reading.position[seen], times_s[seen]
    speed = np.linalg.norm(np.gradient(position, axis=0), axis=1) / np.maximum(np.gradient(times), 1e-3)
    return np.asarray(1 / (1 + speed), np.float32)
