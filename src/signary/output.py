"""Output files: written whole or not at all, and never over an existing one unless asked."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from signary.errors import InputError


def check_free(path: Path, *, force: bool = False) -> None:
    """Refuse a path that exists (unless ``force``) or whose parent is not a folder.

    Raises
    ------
    InputError
    """
    if path.exists() and not force:
        raise InputError(f"{path}: exists already", hint="add --force to write over it, or name another path")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder", hint=f"make it first: mkdir -p {path.parent}")


def make_folder(path: Path) -> None:
    """Make a folder and those above it.

    Raises
    ------
    InputError
        If that is not possible.
    """
    with _named(path):
        path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def whole_file(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` (same ending); it takes the place of ``path`` only if all went well.

    Raises
    ------
    InputError
        If ``path`` exists and ``force`` is false, or its folder does not exist.
    """
    target = Path(path)
    check_free(target, force=force)
    with _named(target):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}.", suffix=target.suffix)
        os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with _named(target):
            draft.chmod(0o644)
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; it takes the place of ``path`` only if all went well.

    A folder that is there is replaced only if it is empty or holds a file that the new one holds too: a bundle takes
    a bundle's place, never that of somebody's pictures.

    Raises
    ------
    InputError
        If ``path`` exists and ``force`` is false, its parent folder does not exist, or it is of another kind.
    """
    target = Path(path)
    check_free(target, force=force)
    with _named(target):
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield draft
        with _named(target):
            draft.chmod(0o755)
            _make_way(target, draft)
            draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make_way(target: Path, draft: Path) -> None:
    if not target.exists():
        return
    old = {path.name for path in target.iterdir()} if target.is_dir() else {""}
    if old and not old & {path.name for path in draft.iterdir()}:
        raise InputError(f"{target}: is no folder of this kind, so it stays", hint="name another path")
    shutil.rmtree(target)


@contextlib.contextmanager
def _named(target: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the path."""
    try:
        yield
    except OSError as error:
        hint = "check that the folder may be written to and the disk is not full"
        raise InputError(f"{target}: cannot be written ({error.strerror or error})", hint=hint) from error
