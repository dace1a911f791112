"""Files of sources: what folders and patterns hold, in natural order."""

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
    """Replace folders and globs by their files, in natural order (2 before 10); leave all else as it is.

    Folders are searched to the bottom for photos, videos and landmark files; hidden files are left out.

    Parameters
    ----------
    sources : iterable of str or Path

    Returns
    -------
    list of str
        A file that is not there, an empty folder or a glob without a match stays in, to fail as one source of a
        batch.
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
    """Return the key that sorts ``2.jpg`` before ``10.jpg``, folder by folder, whatever the case."""
    return [
        [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.casefold())] for name in path.parts
    ]


def known_files(folder: Path) -> list[Path]:
    """Return the photos, videos and landmark files in a folder and below it, without hidden ones."""
    endings = PHOTO_ENDINGS + VIDEO_ENDINGS + LANDMARK_ENDINGS
    files = (file for file in folder.rglob("*") if file.suffix.lower() in endings and file.is_file())
    visible = (file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts))
    return sorted(visible, key=natural_key)


def clip_photos(path: Path, name: str) -> list[Path]:
    """Return the photos of a folder or pattern that are the frames of one clip.

    Raises
    ------
    InputError
        If there is none.
    """
    files = sorted(path.iterdir(), key=natural_key) if is_folder(path) else matches(name)
    photos = [file for file in files if file.suffix.lower() in PHOTO_ENDINGS and not file.name.startswith(".")]
    if not photos:
        raise InputError(f"{name}: no photos to make a clip of", hint=f"known endings: {', '.join(PHOTO_ENDINGS)}")
    return photos


def is_glob(name: str) -> bool:
    """Say whether a name has wildcards."""
    return glob.has_magic(name)


def matches(pattern: str) -> list[Path]:
    """Return what a pattern matches, in natural order."""
    # Path.glob would match hidden files and refuse absolute patterns.
    return sorted(map(Path, glob.glob(pattern, recursive=True)), key=natural_key)  # noqa: PTH207


def is_file(path: Path) -> bool:
    """Say whether a path is there and no folder: a file, or a pipe that can be read as one."""
    return exists(path) and not path.is_dir()


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder."""
    return exists(path) and path.is_dir()


def exists(path: Path) -> bool:
    """Say whether a path is there; one that no system can have is not."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long a name, a folder that may not be entered, a null character
        return False
