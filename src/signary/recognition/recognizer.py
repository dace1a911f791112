"""Recognize what is signed in sources: landmarks, then a reading, then tokens, then a result."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.bundles.manifest import BundleManifest
from signary.errors import BundleError, ConfigError, SignaryError
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.detectors import Detectors
from signary.recognition.many import check_workers, default_workers, read_many
from signary.recognition.options import Progress, ReadOptions
from signary.recognition.reading import Floats, Reader, ReadSource
from signary.recognition.session import LiveWindow, Session
from signary.text.commit import mean_confidence, recognition_text
from signary.text.recognition import Event, Failure, Recognition, Token
from signary.video.memory import as_array
from signary.video.source import opened, source_name

BGR = "arrays are taken for RGB: of OpenCV's BGR give array[..., ::-1]"


class Recognizer:
    """Read sources with one bundle; made by `signary.recognition.load.load`, which chooses the class by the task.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.

    Raises
    ------
    BundleError
        If the class does not read the bundle's task.

    Attributes
    ----------
    input, tasks : str, tuple of str
        Bundles that the class reads, by these fields of their manifests.
    reader : Reader
    photo_warning : str
        What is said of every photo; empty where photos are read well.
    engine : {"hands", "holistic"}
        Detector that finds landmarks in pictures.
    """

    input: ClassVar[str] = "landmarks"
    tasks: ClassVar[tuple[str, ...]] = ()
    reader_type: ClassVar[type[Reader]] = Reader
    photo_warning: ClassVar[str] = ""
    engine: str = "hands"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        if not self.reads(bundle.manifest):
            hint = "signary.load chooses what reads letters, digits, signs and spelling"
            raise BundleError(f"{bundle.name}: task {bundle.task} is not read here", hint=hint)
        self.bundle, self.threads = bundle, threads
        self.reader = self.reader_type(bundle, threads=threads)
        self._detectors = Detectors(self.engine)

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
        self._detectors.close()

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
        read = self._read(source, how, on_progress)
        reading, times_s, ends_s = read.reading, read.times_s, read.ends_s
        if read.is_photo:
            reading, times_s, ends_s = reading.averaged(), times_s[:1], times_s[:1]
        seen, tokens = reading.seen, self.decode(reading, times_s, context=how.context, ends_s=ends_s)
        no_hand = () if seen.any() else _no_hand(source)
        return Recognition(
            source=source_name(source),
            model=self.name,
            task=self.task,
            text=recognition_text(tokens, self.task),
            confidence=self.confidence_of(reading, tokens),
            tokens=tuple(tokens),
            frames=len(times_s),
            fps=read.fps,
            hand_rate=float(seen.mean()) if len(seen) else 0.0,
            elapsed_s=time.perf_counter() - start,
            warnings=(*read.warnings, *self._warnings(read), *no_hand),
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
            Processes; None: see `signary.recognition.many.default_workers`. Each process imports the script that
            calls this, so with more than one the call has to stand under ``if __name__ == "__main__":``. Files and
            arrays are shared out; cameras, streams, addresses and open files are read in this process.
        **options
            Fields of `ReadOptions`.

        Returns
        -------
        iterator of Recognition or Failure
            In the order of the sources, the same for any number of workers. If a process is killed, for example by
            a system short of memory, its source becomes a `Failure` of the type ``WorkerLost``.

        Raises
        ------
        InputError
            If ``workers`` is below 1; while iterating, if processes keep ending and no source is read.
        """
        check_workers(workers)
        if workers is None:
            sources = list(sources)
            workers = default_workers(sources)
        return read_many(self, sources, workers, options)

    def attempt(self, source: Any, **options: Any) -> Recognition | Failure:
        """Read one source as `recognize` does, and return a `Failure` in place of raising an error."""
        try:
            return self.recognize(source, **options)
        except SignaryError as error:
            return Failure.of(source_name(source), error)

    def landmarks(self, source: Any, *, on_progress: Progress | None = None, **options: Any) -> LandmarkSequence:
        """Return the landmarks ``HOLISTIC_543`` that `recognize` reads; parameters as there."""
        return self._detectors.landmarks(source, ReadOptions(**options), on_progress)[0]

    def check_context(self, context: str, *, live: bool = False) -> None:
        """Refuse a context in which this model cannot read.

        Parameters
        ----------
        context : {"none", "words"}
        live : bool
            The source is read as it comes.

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
        """Run the network over a clip; as `signary.recognition.reading.Reader.read_landmarks`."""
        return self.reader.read_landmarks(sequence, hand=hand)

    def decode(
        self, reading: Any, times_s: Floats, *, context: str = "none", ends_s: Floats | None = None
    ) -> list[Token]:
        """Find the tokens of a reading; as `signary.recognition.reading.Reader.decode`."""
        return self.reader.decode(reading, times_s, context=context, ends_s=ends_s)

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
        return self._rank(self._read_clip(sequence, hand))

    def rank(self, source: Any, **options: Any) -> list[tuple[str, float]]:
        """Read a whole source as one label: as `classify`, given what `recognize` takes."""
        how = ReadOptions(**options)
        return self.classify(self._detectors.landmarks(source, how)[0], hand=how.hand)

    def stream(self, source: Any = 0, **options: Any) -> Iterator[Event]:
        """Read a live source: partial events, which may change, and final ones, which will not.

        Parameters
        ----------
        source : anything that `open_source` takes
            A camera number, or another source, which is read frame by frame.
        **options
            Fields of `ReadOptions`, but no ``context``: words are read of whole sources only.

        Raises
        ------
        ConfigError
            If ``context`` is asked for.
        """
        how = ReadOptions(**options)
        self.check_context(how.context, live=True)
        session = Session(self._window(how.hand), self.task, self._detectors.get(how))
        with opened(source, **how.of_source) as frames:
            for frame in frames:
                yield from session.push(session.look(frame), frame.time_s, frame.aspect, frame.shown_s)
        yield from session.end()

    def session(self, **options: Any) -> Session:
        """Open a session for one live source, which takes its frames from the caller; many may be open at a time.

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
        return Session(self._window(how.hand), self.task, self._detectors.new(how))

    def _window(self, hand: str) -> LiveWindow:
        """Return the window of a live source."""
        raise NotImplementedError

    def _ranked(self, probabilities: NDArray[Any]) -> list[tuple[str, float]]:
        """Return text and probability of each of the V labels, likeliest first."""
        return [(self.bundle.vocabulary.text(int(k)), float(probabilities[k])) for k in np.argsort(-probabilities)]

    def _rank(self, read: ReadSource[Any]) -> list[tuple[str, float]]:
        """Return what `classify` does of a source that was read."""
        raise NotImplementedError

    def _read(self, source: Any, how: ReadOptions, on_progress: Progress | None) -> ReadSource[Any]:
        """Find the landmarks of a source and run the network over them."""
        sequence, warnings = self._detectors.landmarks(source, how, on_progress)
        return self._read_clip(sequence, how.hand, warnings)

    def _read_clip(self, sequence: LandmarkSequence, hand: str, warnings: tuple[str, ...] = ()) -> ReadSource[Any]:
        reading = self.read_landmarks(sequence, hand=hand)
        return ReadSource(reading, sequence.times_s, sequence.ends_s, sequence.fps, warnings)

    def _warnings(self, read: ReadSource[Any]) -> tuple[str, ...]:
        """Return warnings about the reading, beside those of the source."""
        return (self.photo_warning,) if self.photo_warning and read.is_photo else ()


def _no_hand(source: Any) -> tuple[str, ...]:
    """Return the warnings of a source in which no hand was seen."""
    return ("no hand found", BGR) if as_array(source) is not None else ("no hand found",)
