"""Files of folders and patterns, in natural order."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from signary.address import is_address
from signary.errors import InputError
from signary.video.kinds import LANDMARK_ENDINGS, PHOTO_ENDINGS, VIDEO_ENDINGS

STDIN = "-"


def expand_sources(sources: Iterable[str | Path]) -> list[str]:
    """Replace folders (see `known_files`) and globs by their files, in natural order (2 before 10).

    A missing file, an empty folder or a glob without a match stays in the list, to fail as one source of a batch.
    """
    return [name for source in sources for name in _expanded(str(source))]


def _expanded(name: str) -> list[str]:
    path, files = Path(name), []
    if name == STDIN or is_address(name) or is_file(path):
        return [name]
    if is_folder(path):
        files = known_files(path)
    elif is_glob(name):
        files = [file for match in matches(name) for file in (known_files(match) if match.is_dir() else [match])]
    return [str(file) for file in files] or [name]


def natural_key(path: Path) -> list[list[int | str]]:
    """Return the key that sorts ``2.jpg`` before ``10.jpg``, folder by folder, ignoring case."""
    return [
        [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.casefold())] for name in path.parts
    ]


def known_files(folder: Path) -> list[Path]:
    """Return the photos, videos and landmark files in and below a folder, without hidden ones."""
    endings = PHOTO_ENDINGS + VIDEO_ENDINGS + LANDMARK_ENDINGS
    files = (file for file in folder.rglob("*") if file.suffix.lower() in endings and file.is_file())
    visible = (file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts))
    return sorted(visible, key=natural_key)


def clip_photos(path: Path, name: str) -> list[Path]:
    """Return the photos of a folder or pattern as frames of one clip; raise `InputError` if there is none."""
    files = sorted(path.iterdir(), key=natural_key) if is_folder(path) else matches(name)
    photos = [file for file in files if file.suffix.lower() in PHOTO_ENDINGS and not file.name.startswith(".")]
    if not photos:
        raise InputError(f"{name}: no photos to make a clip of", hint=f"known endings: {', '.join(PHOTO_ENDINGS)}")
    return photos


def is_glob(name: str) -> bool:
    """Tell whether a name has wildcards."""
    return glob.has_magic(name)


def matches(pattern: str) -> list[Path]:
    """Return the matches of a pattern, in natural order."""
    # Path.glob would match hidden files and refuse absolute patterns.
    return sorted(map(Path, glob.glob(pattern, recursive=True)), key=natural_key)  # noqa: PTH207


def is_file(path: Path) -> bool:
    """Tell whether a path exists and is no folder: a file or a pipe."""
    return exists(path) and not path.is_dir()


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder."""
    return exists(path) and path.is_dir()


def exists(path: Path) -> bool:
    """Tell whether a path exists; an impossible one does not."""
    try:
        return path.exists()
    except (OSError, ValueError):  # name too long, no permission, null character
        return False
