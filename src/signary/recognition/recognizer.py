"""What all recognizers share: from a source to landmarks, and from tokens to a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.bundles.manifest import BundleManifest
from signary.errors import BundleError, ConfigError, SignaryError
from signary.graph import Graph
from signary.landmarks.detect import open_detector
from signary.landmarks.detector import Detector
from signary.landmarks.extract import extract, look_closely
from signary.landmarks.files import read_landmarks
from signary.landmarks.mediapipe import HandsDetector
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.many import check_workers, default_workers, read_many
from signary.recognition.options import ReadOptions
from signary.recognition.reading import Clip
from signary.recognition.session import OpenText, Session
from signary.text.commit import mean_confidence, recognition_text
from signary.text.recognition import Event, Failure, Recognition, Token
from signary.video.memory import as_array
from signary.video.source import is_landmark_file, opened, source_name

Progress = Callable[[int, int | None], None]

BGR = "arrays are taken for RGB: of OpenCV's BGR give array[..., ::-1]"


class Recognizer:
    """Read with one bundle; made by `signary.recognition.load.load`, which chooses the kind that reads its task.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.

    Raises
    ------
    BundleError
        If the bundle's task is not one that this class reads.

    Attributes
    ----------
    input : str
        What the graph takes.
    tasks : tuple of str
        What is read.
    engine : {"hands", "holistic"}
        What finds the landmarks in pictures.
    """

    input: ClassVar[str] = "landmarks"
    tasks: ClassVar[tuple[str, ...]] = ()
    engine: str = "hands"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        if not self.reads(bundle.manifest):
            hint = "signary.load chooses what reads letters, digits, signs and spelling"
            raise BundleError(f"{bundle.name}: task {bundle.task} is not read here", hint=hint)
        self.bundle, self.threads = bundle, threads
        self._open(threads)
        self._detectors: dict[tuple[bool, int, bool], Detector] = {}

    def _open(self, threads: int | None) -> None:
        self._graph = Graph(self.bundle.graph_path(), threads=threads)

    @classmethod
    def reads(cls, manifest: BundleManifest) -> bool:
        """Say whether this class reads such bundles."""
        return manifest.input == cls.input and manifest.task in cls.tasks

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.bundle.name

    @property
    def task(self) -> str:
        """``letters``, ``digits``, ``signs`` or ``spelling``."""
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
        source : LandmarkSequence, path of a landmark file, or anything that `open_source` takes
            A photo, video, address, ``-`` (stdin), camera number, array, PIL image, bytes, binary file, frames, ...
        on_progress : callable(frames done, frames in all or None), optional
        **options
            Fields of `ReadOptions`: hand, mirrored, max_hands, as_clip, fps, times_s, context.

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
        reading, times_s, ends_s = clip.reading, clip.times_s, clip.ends_s
        if clip.is_photo:
            reading, times_s, ends_s = reading.averaged(), times_s[:1], times_s[:1]
        seen, tokens = reading.seen, self.decode(reading, times_s, context=how.context, ends_s=ends_s)
        warnings = clip.warnings if seen.any() else (*clip.warnings, *_no_hand(source))
        return Recognition(
            source=source_name(source),
            model=self.name,
            task=self.task,
            text=recognition_text(tokens, self.task),
            confidence=self.confidence_of(reading, tokens),
            tokens=tuple(tokens),
            frames=len(times_s),
            fps=clip.fps,
            hand_rate=float(seen.mean()) if len(seen) else 0.0,
            elapsed_s=time.perf_counter() - start,
            warnings=warnings,
        )

    def recognize_many(
        self, sources: Iterable[Any], *, workers: int | None = 1, **options: Any
    ) -> Iterator[Recognition | Failure]:
        """Read sources; one that cannot be read becomes a `Failure` and the rest go on.

        Parameters
        ----------
        sources : iterable
            Of what `recognize` takes, drawn as they are needed.
        workers : int, optional
            Processes. With more than one, a script that calls this has to stand under
            ``if __name__ == "__main__":``, because each process imports the script anew. Files and arrays are shared
            out; cameras, streams, addresses and what is open already are read in this process. None: see
            `signary.recognition.many.default_workers`.
        **options
            Fields of `ReadOptions`.

        Returns
        -------
        iterator of Recognition or Failure
            In the order of the sources, the same for any number of workers. If a process is ended from outside, as
            by a system short of memory, the source that it read becomes a `Failure` of the type ``WorkerLost``.

        Raises
        ------
        InputError
            If ``workers`` is below 1; while iterating, if processes end again and again and nothing gets read.
        """
        check_workers(workers)
        if workers is None:
            sources = list(sources)
            workers = default_workers(sources)
        return read_many(self, sources, workers, options)

    def attempt(self, source: Any, **options: Any) -> Recognition | Failure:
        """Read one source as `recognize` does, and return why it cannot be read in place of raising it."""
        try:
            return self.recognize(source, **options)
        except SignaryError as error:
            return Failure(source_name(source), type(error).__name__, error.message, error.hint)

    def landmarks(self, source: Any, *, on_progress: Progress | None = None, **options: Any) -> LandmarkSequence:
        """Return the landmarks ``HOLISTIC_543`` that `recognize` reads; parameters as there."""
        return self._read(source, ReadOptions(**options), on_progress)[0]

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

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> Any:
        """Run the graph over a clip, of one of the signer's hands or of what the model reads.

        Parameters
        ----------
        sequence : LandmarkSequence
        hand : {"auto", "left", "right"}

        Returns
        -------
        Reading or WindowReading
        """
        raise NotImplementedError

    def decode(
        self,
        reading: Any,
        times_s: NDArray[np.float64],
        *,
        context: str = "none",
        ends_s: NDArray[np.float64] | None = None,
    ) -> list[Token]:
        """Find the tokens of a reading.

        Parameters
        ----------
        reading : Reading or WindowReading
        times_s : float64 (T,)
        context : {"none", "words"}
            As for `ReadOptions`.
        ends_s : float64 (T,), optional
            As of a `LandmarkSequence`.
        """
        raise NotImplementedError

    def confidence_of(self, reading: Any, tokens: list[Token]) -> float:
        """Return how far to trust a reading (0 to 1); 0 without tokens."""
        return mean_confidence(tokens)

    def classify(self, sequence: LandmarkSequence, *, hand: str = "auto") -> list[tuple[str, float]]:
        """Read a whole clip as one label.

        Returns
        -------
        list of (text, confidence)
            All labels, likeliest first, ``""`` for the silent ones; empty where no hand was found.
        """
        raise NotImplementedError

    def rank(self, source: Any, **options: Any) -> list[tuple[str, float]]:
        """Read a whole source as one label: as `classify`, given what `recognize` takes."""
        how = ReadOptions(**options)
        return self.classify(self._read(source, how, None)[0], hand=how.hand)

    def stream(self, source: Any = 0, **options: Any) -> Iterator[Event]:
        """Read a live source: partial events, which may change, and final ones, which will not.

        Parameters
        ----------
        source : anything that `open_source` takes
            A camera number, or what `recognize` reads frame by frame.
        **options
            Fields of `ReadOptions`, but no ``context``: words are read of whole sources only.

        Raises
        ------
        ConfigError
            If ``context`` is asked for.
        """
        how = ReadOptions(**options)
        self.check_context(how.context, live=True)
        session = Session(self._open_text(how.hand), self.task, self._detector(still=False, how=how))
        with opened(source, **how.of_source) as frames:
            for frame in frames:
                yield from session.push(session.look(frame), frame.time_s, frame.aspect, frame.shown_s)
        yield from session.end()

    def session(self, **options: Any) -> Session:
        """Open a session for one live source whose frames the caller hands in; many may be open at a time.

        Parameters
        ----------
        **options
            Fields of `ReadOptions`: hand, mirrored, max_hands.

        Raises
        ------
        ConfigError
            If the model reads whole sources only, or ``context`` is asked for.
        """
        how = ReadOptions(**options)
        self.check_context(how.context, live=True)
        detector = open_detector(self.engine, max_hands=how.max_hands, mirrored=how.mirrored)
        return Session(self._open_text(how.hand), self.task, detector)

    def _open_text(self, hand: str) -> OpenText:
        """Return what holds the frames that can still change the text."""
        raise ConfigError(f"{self.name}: reads whole clips, no stream", hint="record a clip and recognize that")

    def _ranked(self, probabilities: NDArray[Any]) -> list[tuple[str, float]]:
        """Return text and probability of each of the V labels, likeliest first."""
        return [(self.bundle.vocabulary.text(int(k)), float(probabilities[k])) for k in np.argsort(-probabilities)]

    def _look(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> Clip[Any]:
        """Look at a source and run the graph over it."""
        sequence, warnings = self._read(source, how, on_progress)
        return replace(self._clip(sequence, how.hand), warnings=warnings)

    def _clip(self, sequence: LandmarkSequence, hand: str) -> Clip[Any]:
        return Clip(self.read_landmarks(sequence, hand=hand), sequence.times_s, sequence.ends_s, sequence.fps)

    def _read(
        self, source: Any, how: ReadOptions, on_progress: Progress | None
    ) -> tuple[LandmarkSequence, tuple[str, ...]]:
        if isinstance(source, LandmarkSequence):
            return source.as_holistic(), ()
        if is_landmark_file(source):
            return self._read_file(Path(source), how)
        with opened(source, **how.of_source) as frames:
            detector = self._detector(still=frames.is_still, how=how)
            if frames.is_still and isinstance(detector, HandsDetector):
                sequence = look_closely(frames, detector)
            else:
                sequence = extract(frames, detector, on_progress)
            return sequence, tuple(frames.warnings)

    def _read_file(self, path: Path, how: ReadOptions) -> tuple[LandmarkSequence, tuple[str, ...]]:
        sequence = read_landmarks(path, fps=how.fps or 30.0).as_holistic()
        return sequence.mirrored() if how.mirrored else sequence, ()

    def _detector(self, *, still: bool, how: ReadOptions) -> Detector:
        key = (still, how.max_hands, how.mirrored)
        if key not in self._detectors:
            self._detectors[key] = open_detector(
                self.engine, still=still, max_hands=how.max_hands, mirrored=how.mirrored
            )
        self._detectors[key].reset()
        return self._detectors[key]


def _no_hand(source: Any) -> tuple[str, ...]:
    """Return the warnings of a source in which no hand was seen."""
    return ("no hand found", BGR) if as_array(source) is not None else ("no hand found",)
