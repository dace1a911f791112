"""Read a data set into a store of clips, in batches that are read in parallel."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from signary.datasets.readers.reader import Options, Piece, Reader, find_pieces, find_reader, lacking
from signary.datasets.stores.draft import Clip, Refused, StoreDraft
from signary.datasets.stores.landmarks import DESCRIPTION, PARTIAL, ClipStore, choose_points
from signary.errors import InputError
from signary.jobs.run import Lost, run
from signary.output import make_folder

VERSION = 1  # of what readers return: batches of another version are not resumed


@dataclass(frozen=True, slots=True)
class Prepared:
    """Result: the store (None if no clip could be read), the number of batches done before, and what was refused."""

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
        Of a reader.
    folder : str or Path
    target : str or Path
        The store.
    points : int (P,)
        Which of the 543 are kept.
    options : Options
    workers : int
        Processes.
    resume : bool
        Continue a half-written store: batches with the same files, points and options are not read again.
    force : bool
        Overwrite an existing store.
    track : callable(batches, count)
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
    """Split the work into batches; the name of each changes with everything that determines its content."""
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
    """Yield the clips that can be read, one in memory at a time; add the others to ``refused``."""
    for piece in task.pieces:
        try:
            for read in _read(piece, task):
                if isinstance(read, Refused):
                    refused.append(read)
                else:
                    yield read
        except Exception as error:  # one bad file of 94,477 must not stop the others
            refused.append(Refused.of(piece.path, error))


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


def prepared(data: Path, cache: Path, *, workers: int = 1) -> tuple[Path, list[Refused]]:
    """Return the store of a folder of clips, made in a cache where needed; a path that is a store is returned as it is.

    Parameters
    ----------
    data : Path
        A store, a folder of stores, or a folder for the reader ``clips``.
    cache : Path
        Older stores of the folder are removed from it: they may hold clips of people who withdrew.
    workers : int
        Processes.

    Returns
    -------
    Path
    refused : list of Refused
        What could not be read, if the store was made now.
    """
    if not data.is_dir() or (data / DESCRIPTION).is_file() or any(data.glob(f"*/{DESCRIPTION}")):
        return data, []
    pieces = find_reader("clips").find(data, Options())
    if not pieces:
        return data, []
    place = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:8]
    about = repr([(piece.stamp(), sorted(piece.about.items())) for piece in pieces])
    state = hashlib.sha256(f"{VERSION}{about}".encode()).hexdigest()[:8]
    name = f"{data.resolve().name}-{place}"
    target = cache / f"{name}-{state}.store"
    for old in cache.glob(f"{glob.escape(name)}-*.store*"):
        if old.name not in (target.name, target.name + PARTIAL):
            shutil.rmtree(old)
    if (target / DESCRIPTION).is_file():
        return target, []
    make_folder(cache)
    made = prepare("clips", data, target, choose_points(), Options(), workers=workers, resume=True)
    if made.store is None:
        raise InputError(f"{data}: no clip could be read", hint=made.refused[0].message)
    return target, made.refused
