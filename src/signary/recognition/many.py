"""Read many sources in several processes, each of which opens the same bundle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from os import PathLike, fsdecode, fspath
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from signary.bundles.bundle import Bundle, load_bundle
from signary.errors import InputError
from signary.jobs.run import Here, Lost, run
from signary.jobs.worker import cores
from signary.text.recognition import Failure, Recognition
from signary.video.files import STDIN
from signary.video.kinds import LANDMARK_ENDINGS, PHOTO_ENDINGS
from signary.video.source import is_camera, source_name

# A worker takes 1 to 3 seconds to start. That pays for as many photos, for one video, or for as many files of
# landmarks.
PHOTOS, LANDMARK_FILES = 16, 500
OWN_FOLDERS = ("/dev/", "/proc/")  # pipes and devices of this process alone


class SourceReader(Protocol):
    """A reader of sources, such as a `signary.recognition.recognizer.Recognizer`."""

    bundle: Bundle
    threads: int | None

    def attempt(self, source: Any, **options: Any) -> Recognition | Failure:
        """Read a source, or return a `Failure`."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What another process needs to open the same reader: its class, its bundle and the threads of its network.

    With another number of threads a network adds in another order, and sums differ in their last digits.
    """

    kind: Callable[..., Any]
    path: Path
    threads: int | None

    @classmethod
    def of(cls, reader: SourceReader) -> Opening:
        """Return how to open the same reader."""
        return cls(type(reader), reader.bundle.path, reader.threads)

    def reader(self) -> Any:
        """Open the reader."""
        return self.kind(load_bundle(self.path, verify=False), threads=self.threads)  # its files were checked before


def default_workers(sources: Iterable[Any]) -> int:
    """Return how many processes to read sources with, by their names.

    As many as there are cores for this process, but one for 16 photos, for each video or clip, or for 500 files of
    landmarks at most: more take longer to start than they save.

    Parameters
    ----------
    sources : iterable

    Returns
    -------
    int
        1 or more.

    Examples
    --------
    >>> default_workers(["a.jpg", "b.jpg", "c.npz"])
    1
    """
    worth = 0.0
    for source in filter(can_cross, sources):
        ending = Path(source).suffix.lower() if isinstance(source, str | PathLike) else PHOTO_ENDINGS[0]
        worth += 1 / PHOTOS if ending in PHOTO_ENDINGS else 1 / LANDMARK_FILES if ending in LANDMARK_ENDINGS else 1
    return max(1, min(cores(), int(worth)))


def check_workers(workers: int | None) -> None:
    """Refuse a number of workers below 1; None means `default_workers`.

    Raises
    ------
    InputError
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers={workers}, must be 1 or more", hint="a process each; all cores by default")


def can_cross(source: Any) -> bool:
    """Say whether another process can read a source: a file, bytes or an array, but no camera, stream or address."""
    if not isinstance(source, str | PathLike):
        return isinstance(source, bytes | np.ndarray)
    name = fsdecode(fspath(source))
    with suppress(OSError, ValueError):  # too long a name, a folder without permission: any process fails
        if Path(name).is_fifo():
            return False
    return name != STDIN and "://" not in name and not name.startswith(OWN_FOLDERS) and not is_camera(name)


def read_many(
    reader: SourceReader, sources: Iterable[Any], workers: int, options: Mapping[str, Any]
) -> Iterator[Recognition | Failure]:
    """Read sources in processes, and in this one those that no other can read; see `Recognizer.recognize_many`.

    Parameters
    ----------
    reader : SourceReader
    sources : iterable
    workers : int
    options : mapping
        As for `Recognizer.recognize`.
    """
    names: deque[str] = deque()

    def jobs() -> Iterator[Any]:
        for source in sources:
            names.append(source_name(source))
            yield source if can_cross(source) else Here(partial(reader.attempt, source, **options))

    start = partial(_opened, Opening.of(reader), dict(options))
    for result in run(start, jobs(), workers):
        name = names.popleft()
        yield Failure(name, result.type, result.message, result.hint) if isinstance(result, Lost) else result


def _opened(opening: Opening, options: Mapping[str, Any]) -> Callable[[Any], Recognition | Failure]:
    return partial(opening.reader().attempt, **options)
