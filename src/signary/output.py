"""Output files: written completely or not at all; existing ones are replaced only with ``force``."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from signary.errors import InputError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def check_free(path: Path, *, force: bool = False) -> None:
    """Raise `InputError` if a path exists (unless ``force``) or its parent is not a folder."""
    with _named(path):
        exists, parent = path.exists(), path.parent
        is_folder, is_file = parent.is_dir(), parent.is_file()
    if exists and not force:
        raise InputError(f"{path}: exists already", hint="add --force to write over it, or name another path")
    if is_file:
        raise InputError(f"{parent}: is a file, so nothing can lie below it", hint="name another path")
    if not is_folder:
        raise InputError(f"{parent}: no such folder", hint=f"make it first: mkdir -p {parent}")


def make_folder(path: Path) -> None:
    """Make a folder and its parents; raise `InputError` if that fails."""
    with _named(path):
        path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def whole_file(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` (same ending), which replaces ``path`` on success.

    Raises
    ------
    InputError
        If ``path`` exists and ``force`` is false, its folder does not exist, or it cannot be written.
    """
    target = Path(path)
    check_free(target, force=force)
    if target.is_dir():
        raise InputError(f"{target}: is a folder, so it stays", hint="name a file")
    with _named(target):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem[:64]}.", suffix=target.suffix)
        os.close(handle)
    draft = Path(name)
    try:
        with _named(target, draft):
            yield draft
        with _named(target):
            draft.chmod(0o644)
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | Path, *, force: bool = False, marks: Collection[str] = ("bundle.json",)) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``, which replaces ``path`` on success.

    Parameters
    ----------
    path : str or Path
    force : bool
        Replace an existing folder if it is empty or of the same kind.
    marks : collection of str
        Names of files that identify the kind: a bundle replaces a bundle, never a folder of pictures.

    Raises
    ------
    InputError
        As `whole_file`, or if the folder is of another kind.
    """
    target = Path(path)
    check_free(target, force=force)
    with _named(target):
        if target.exists() and not _is_replaceable(target, marks):
            hint = f"a folder with {' or '.join(marks)} is replaced; name another path"
            raise InputError(f"{target}: is no folder of this kind, so it stays", hint=hint)
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:64]}."))
    try:
        with _named(target, draft):
            yield draft
        with _named(target):
            draft.chmod(0o755)
            if target.exists():
                shutil.rmtree(target)
            draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _is_replaceable(folder: Path, marks: Collection[str]) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    return any((folder / mark).is_file() for mark in marks) or not any(folder.iterdir())


@contextlib.contextmanager
def _named(target: Path, draft: Path | None = None) -> Iterator[None]:
    """Turn system errors into an `InputError` that names the path; with a draft, only errors about it.

    Other files may be read while a draft is written; their errors pass.
    """
    try:
        yield
    except OSError as error:
        said_of = Path(str(error.filename or ""))
        if draft is not None and error.errno not in DISK_FULL and not said_of.is_relative_to(draft):
            raise
        hint = "check that the folder may be written to and the disk is not full"
        raise InputError(f"{target}: cannot be written ({error.strerror or error})", hint=hint) from error
