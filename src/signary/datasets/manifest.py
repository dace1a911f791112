"""From somebody's data set to a store of clips: what a reader tells, and how its files are read side by side."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.digest import sha256_file
from signary.errors import InputError, ModelNotFound, SignaryError
from signary.jobs import Lost, run
from signary.landmarks.draft import Clip, Refused, StoreDraft
from signary.landmarks.store import ClipStore
from signary.text.phrases import phrase_kinds
from signary.text.vocabulary import canonical
from signary.video.files import natural_key

READERS = {
    "gislr": "signary.datasets.readers.gislr",
    "fingerspelling": "signary.datasets.readers.fingerspelling",
    "mediapipe-arrays": "signary.datasets.readers.mediapipe_arrays",
    "clips": "signary.datasets.readers.clip_folders",
    "chalearn-isogd": "signary.datasets.readers.video_lists:ISOGD",
    "ledasila": "signary.datasets.readers.video_lists:LEDASILA",
}
VERSION = 1  # of what readers make of files: batches of another version are not gone on with


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says of a data set.

    Parameters
    ----------
    fps : float, optional
        Frames a second of clips that do not say.
    licence : str
        In place of the reader's.
    classes : tuple of str
        Labels that are kept, however they are written; all if there are none.
    detector : {"holistic", "hands"}
    mirrored : bool
        Videos are mirror images.
    points : tuple of int
        Which of the 543 are stored, so that a reader may leave the others out (`prepare` fills it in).
    """

    fps: float | None = None
    licence: str = ""
    classes: tuple[str, ...] = ()
    detector: str = "holistic"
    mirrored: bool = False
    points: tuple[int, ...] = ()

    def keep(self, label: str | None) -> bool:
        """Whether clips of a label, None if that is not known yet, are wanted."""
        return not self.classes or label is None or canonical(label) in map(canonical, self.classes)


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or a folder of frames, that is read at once.

    Parameters
    ----------
    path : Path
    about : dict
        What is known before it is read: fields of `Clip`, or of a file of many clips what its reader needs.
    fault : str
        What makes it useless, if that is known before.
    """

    path: Path
    about: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    def files(self) -> list[Path]:
        """Return the files that it consists of, in natural order."""
        return sorted(self.path.glob("*.npy"), key=natural_key) if self.path.is_dir() else [self.path]

    def stamp(self) -> list[tuple[str, int, int]]:
        """Return what changes when a file does."""
        found = [(path.name, path.stat()) for path in self.files() if path.exists()]
        return [(str(self.path), 0, 0), *((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)]

    def sha256(self) -> str:
        """Return the sha256 of the file, or of the frames one after the other."""
        if self.path.is_file():
            return sha256_file(self.path)
        whole = hashlib.sha256()
        for path in self.files():
            whole.update(path.read_bytes())
        return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class Reader:
    """How one kind of data set is read.

    Parameters
    ----------
    name : str
    layout : str
        What is expected of the folder, for people.
    batch : int
        Pieces that are read and stored together.
    find : callable
        Pieces of a folder, in an order that stays.
    read : callable
        Clips of a piece, and `Refused` for each of its clips that is of no use; `InputError` where nothing is.
    fps : float, optional
        What is supposed where neither the data nor the user says.
    has_phrases : bool
        Labels are spelled phrases, not names of classes.
    """

    name: str
    layout: str
    batch: int
    find: Callable[[Path, Options], list[Piece]]
    read: Callable[[Piece, Options], Iterable[Clip | Refused]]
    fps: float | None = None
    has_phrases: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of it: the store (None if no clip could be read), batches done before, and what was refused."""

    store: ClipStore | None
    kept: int
    refused: list[Refused]


@dataclass(frozen=True, slots=True)
class _Task:
    key: str
    reader: str
    folder: Path
    pieces: tuple[Piece, ...]
    options: Options
    draft: StoreDraft


def find_reader(name: str) -> Reader:
    """Return a reader by name.

    Raises
    ------
    ModelNotFound
        If there is none; the known ones are listed.
    """
    if name not in READERS:
        raise ModelNotFound.named(name, READERS, kind="reader")
    module, _, variable = READERS[name].partition(":")
    reader: Reader = getattr(import_module(module), variable or "READER")
    return reader


def find_pieces(name: str, root: Path, options: Options) -> list[Piece]:
    """Return what a reader finds in a folder, of the classes that are wanted.

    Raises
    ------
    InputError
        If there is nothing, or the folder is not what the reader expects.
    """
    reader = find_reader(name)
    if not root.exists():
        raise InputError(f"{root}: no such folder", hint=f"{name} expects {reader.layout}")
    pieces = [piece for piece in reader.find(root, options) if options.keep(piece.about.get("label"))]
    if not pieces:
        said = f"{root}: nothing for the reader {name}" + (
            f" of {', '.join(options.classes)}" if options.classes else ""
        )
        raise InputError(said, hint=f"it expects {reader.layout}")
    return pieces


def prepare(
    name: str,
    folder: str | Path,
    target: str | Path,
    points: ArrayLike,
    options: Options,
    *,
    workers: int = 1,
    resume: bool = False,
    force: bool = False,
    track: Callable[[Iterable[None], int], Iterable[None]] = lambda done, _: done,
) -> Prepared:
    """Read a data set into a store.

    Parameters
    ----------
    name : str
        A reader's.
    folder : str or Path
    target : str or Path
        The store.
    points : int (P,)
        Which of the 543 are kept.
    options : Options
    workers : int
        Processes.
    resume : bool
        Go on with a store half written: batches whose files, points and options are the same are not read again.
    force : bool
        Write over a store that is there.
    track : callable(batches, how many)
        Wraps the batches, to show progress.

    Raises
    ------
    InputError
        If the folder is not what the reader expects, or the store cannot be written.
    """
    reader, root = find_reader(name), Path(folder)
    pieces = find_pieces(name, root, options)
    draft = StoreDraft(target, points)
    options = replace(options, points=tuple(draft.points.tolist()))
    draft.begin(resume=resume, force=force)
    tasks = list(_tasks(reader, root, pieces, options, draft))
    done = set(draft.keys())
    left = [task for task in tasks if task.key not in done]
    for _ in track(_run(left, workers), len(left)):
        pass
    about = {"name": draft.target.name, "reader": name, "has_phrases": reader.has_phrases}
    refused = draft.finish([task.key for task in tasks], force=force, about=about)
    store = ClipStore(draft.target) if draft.is_stored else None
    return Prepared(
        store,
        len(tasks) - len(left),
        refused + (lacking(store.column("label"), options.classes, root) if store else []),
    )


def _tasks(reader: Reader, root: Path, pieces: Sequence[Piece], options: Options, draft: StoreDraft) -> Iterator[_Task]:
    """Cut the work in batches, each named after all that decides what is in it."""
    for start in range(0, len(pieces), reader.batch):
        batch = tuple(pieces[start : start + reader.batch])
        about = [(piece.stamp(), sorted(piece.about.items()), piece.fault) for piece in batch]
        what = repr((VERSION, reader.name, str(root), options, draft.points.tolist(), about))
        digest = hashlib.sha256(what.encode()).hexdigest()[:16]
        yield _Task(f"{start // reader.batch:06d}-{digest}", reader.name, root, batch, options, draft)


def _run(tasks: Sequence[_Task], workers: int) -> Iterator[None]:
    for result in run(_doing, tasks, min(workers, max(1, len(tasks)))):
        if isinstance(result, Lost):
            hint = "memory may be short: go on with --resume and fewer --workers"
            raise InputError(f"workers={workers}: a process was ended from outside", hint=hint)
        yield


def _doing() -> Callable[[_Task], None]:
    return _do


def _do(task: _Task) -> None:
    refused: list[Refused] = []
    task.draft.add(task.key, _clips(task, refused), refused)


def _clips(task: _Task, refused: list[Refused]) -> Iterator[Clip]:
    """Yield what can be read, one clip in memory at a time, and tell what cannot."""
    for piece in task.pieces:
        try:
            for read in _read(piece, task):
                if isinstance(read, Refused):
                    refused.append(read)
                else:
                    yield read
        except SignaryError as error:
            message = error.message if str(piece.path) in error.message else f"{piece.path}: {error.message}"
            refused.append(Refused(str(piece.path), message, error.hint))
        except Exception as error:  # whatever is wrong with one of 94,477 files, the others are read
            reason = str(error).partition("\n")[0][:200]
            said = f"{piece.path}: cannot be read ({type(error).__name__}: {reason})"
            refused.append(Refused(str(piece.path), said, "damaged or of another kind"))


def _read(piece: Piece, task: _Task) -> Iterator[Clip | Refused]:
    reader = find_reader(task.reader)
    if piece.fault:
        raise InputError(piece.fault, hint=f"{task.reader} expects {reader.layout}")
    if not piece.path.exists():
        raise InputError(f"{piece.path}: no such file", hint="fetch it again, or take it out of the list")
    file = os.path.relpath(piece.path, task.folder) if piece.path != task.folder else piece.path.name
    same: dict[str, Any] = {"file": file, "sha256": piece.sha256()}
    if task.options.licence:
        same["licence"] = task.options.licence
    for clip in reader.read(piece, task.options):
        if isinstance(clip, Refused):
            yield clip
            continue
        if not len(clip.points):
            raise InputError(f"{piece.path}: clip {clip.id} has no frames", hint="a clip has one or more")
        if task.options.keep(clip.label):
            yield replace(clip, **same)


def lacking(labels: NDArray[Any], classes: Sequence[str], root: Path) -> list[Refused]:
    """Return the classes asked for of which there is no clip, as what was refused."""
    found = {canonical(label) for label in np.unique(labels).tolist()} if classes else set()
    absent = [name for name in classes if canonical(name) not in found]
    return [Refused(str(root), f"{root}: no clip of class {name!r}", "its labels are others") for name in absent]


def describe_store(store: ClipStore) -> dict[str, Any]:
    """Count what is in a store.

    Returns
    -------
    dict
        ``store``, ``reader``, ``clips``, ``frames``, ``points``; ``labels``, ``signers``, ``sources``, ``licences``
        and ``splits`` with their numbers of clips (``""`` = not known); ``frames_a_clip``: ``min``, ``p5``,
        ``median``, ``p95``, ``max``; ``missing``: share of frames without a left, a right and any hand, and
        ``clips_without_hand``, of which there are so many; ``fps``: rates with their numbers of clips. Of spelled
        phrases, in place of ``labels``: ``phrases``, how many different ones; ``characters_a_phrase``, as
        ``frames_a_clip``; ``characters``, how often each is spelled; ``kinds`` with their numbers of clips.
    """
    lengths, frames = store.lengths, int(store.lengths.sum())
    seen = {name: store.column(f"{name}_frames") for name in ("left_hand", "right_hand", "hand")}
    labels = store.column("label")
    columns = {"signers": "signer", "sources": "source", "licences": "licence", "splits": "split"}
    return {
        "store": str(store.path),
        "reader": store.about.get("reader", ""),
        "clips": len(store),
        "frames": frames,
        "points": len(store.points),
        **(_phrases(labels) if store.about.get("has_phrases") else {"labels": _counts(labels)}),
        **{name: _counts(store.column(column)) for name, column in columns.items()},
        "frames_a_clip": _ranks(lengths),
        "missing": {name: round(1 - int(count.sum()) / frames, 4) for name, count in seen.items()}
        | {"clips_without_hand": int((seen["hand"] == 0).sum())},
        "fps": _counts(np.where(np.isnan(rates := store.column("fps")), "", np.round(rates, 2).astype(np.str_))),
    }


def _phrases(phrases: NDArray[np.str_]) -> dict[str, Any]:
    return {
        "phrases": len(np.unique(phrases)),
        "characters_a_phrase": _ranks(np.char.str_len(phrases)),
        "characters": _counts(np.array(list("".join(phrases.tolist())))),
        "kinds": _counts(phrase_kinds(phrases.tolist())),
    }


def _ranks(values: NDArray[np.int64]) -> dict[str, float]:
    ranks = np.percentile(values, (0, 5, 50, 95, 100)).round(1).tolist()
    return dict(zip(("min", "p5", "median", "p95", "max"), ranks, strict=True))


def _counts(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values.tolist()).items(), key=lambda pair: (-pair[1], pair[0])))
