"""Names of output files: from their sources, in one folder, no two equal."""

from __future__ import annotations

import glob
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from signary.address import address_parts, is_address
from signary.errors import InputError
from signary.text.formats import format_ending


class _Name(NamedTuple):
    """Possible names of a source's output: the folders above, and its name without and with its ending."""

    above: tuple[str, ...]
    short: str
    whole: str


def output_paths(
    folder: Path, sources: Sequence[str], format: str, root: str | None = None, *, whole_names: bool = False
) -> list[Path]:
    """Return the output paths of a batch: under ``folder``, by each source's relative path and name.

    The name loses its ending, as players look for subtitles: ``B/1.mp4`` goes to ``B/1.srt``. If two sources would
    share a file, also on file systems that ignore case or Unicode normalization, they keep their whole names
    (``B/1.mp4.srt``); if these are equal, too, the later ones are numbered. A source named twice has one output. Of an
    address, host and path are kept, without user, password, port and query.

    Parameters
    ----------
    folder : Path
    sources : sequence of str
        All of a batch: paths, addresses, ``-`` for stdin or a camera's number.
    format : str
        One of `FORMATS`, or the ending of another kind of file (``.parquet``).
    root : str, optional
        The folder or pattern by which the user named the ``sources``; their paths are kept from there on. Without it,
        or for a source elsewhere, the whole path is kept, without its root and leading ``..``.
    whole_names : bool
        Keep all whole names; two sources may then share an output.

    Returns
    -------
    list of Path
        One for each source, in order.

    Raises
    ------
    InputError
        If there is no such format.

    Examples
    --------
    >>> [path.as_posix() for path in output_paths(Path("out"), ["photos/B/1.jpg", "-"], "srt", root="photos")]
    ['out/B/1.srt', 'out/stdin.srt']
    >>> [path.name for path in output_paths(Path("out"), ["a.jpg", "a.png", "b.jpg"], "srt")]
    ['a.jpg.srt', 'a.png.srt', 'b.srt']
    """
    ending = format if format.startswith(".") else format_ending(format)
    names = [_name(source, root) for source in sources]
    said = [name.whole for name in names] if whole_names else _apart(names, list(map(_identity, sources)))
    return [folder.joinpath(*name.above, f"{one}{ending}") for name, one in zip(names, said, strict=True)]


def check_apart(path: Path, source: str) -> None:
    """Refuse an output that would overwrite its own source.

    Raises
    ------
    InputError
    """
    with suppress(OSError, ValueError):  # one of them is not there
        if path.samefile(source):
            hint = "name another folder with -o, or add --whole-names"
            raise InputError(f"{source}: its output would take its place", hint=hint)


def _apart(names: Sequence[_Name], identities: Sequence[str]) -> list[str]:
    """Return a name for each source: the short one, or the whole one if that is taken, numbered if need be."""
    said = [name.short for name in names]
    while alike := _alike(names, said, identities):
        for place in alike:
            said[place] = names[place].whole
    taken: dict[str, str] = {}
    for place, (name, identity) in enumerate(zip(names, identities, strict=True)):
        base, number = said[place], 1
        while taken.setdefault(_key(name.above, said[place]), identity) != identity:
            number += 1
            said[place] = f"{base}-{number}"
    return said


def _alike(names: Sequence[_Name], said: Sequence[str], identities: Sequence[str]) -> list[int]:
    """Return the indices of short names that another source has, too."""
    places = defaultdict(list)
    for place, name in enumerate(names):
        places[_key(name.above, said[place])].append(place)
    shared = (some for some in places.values() if len({identities[place] for place in some}) > 1)
    return [place for some in shared for place in some if said[place] != names[place].whole]


def _key(above: Iterable[str], name: str) -> str:
    """Return a key that is equal for two paths that are the same file on some file system."""
    return normalize("NFC", normalize("NFD", "/".join((*above, name))).casefold())


def _identity(source: str) -> str:
    """Return a key that is equal for two ways to name the same file."""
    return source if source == "-" or is_address(source) else os.path.normpath(Path(source).absolute())


def _name(source: str, root: str | None) -> _Name:
    if source == "-":
        return _Name((), "stdin", "stdin")
    if is_address(source):
        *above, name = address_parts(source) or ["address"]
        return _Name(tuple(above), _without_ending(name) if above else name, name)
    if (camera := re.fullmatch(r"(?:camera[ :-])?(\d{1,9})", source)) and not Path(source).exists():
        return _Name((), f"camera-{camera[1]}", f"camera-{camera[1]}")
    *above, name = _relative_parts(source, root) or [Path(source).absolute().resolve().name or "source"]
    return _Name(tuple(above), name if _is_folder(source) else _without_ending(name), name)


def _without_ending(name: str) -> str:
    """Return a name without its last ending; a name that is only an ending (``.mp4``) is kept."""
    stem, _, ending = name.rpartition(".")
    return stem if stem.strip(".") and ending else name


def _is_folder(source: str) -> bool:
    with suppress(OSError, ValueError):  # too long a name, a null character
        return Path(source).is_dir()
    return False


def _relative_parts(source: str, root: str | None) -> list[str]:
    path = Path(os.path.normpath(source))
    if root is not None:
        base, full = (Path(os.path.normpath(Path(name).absolute())) for name in (_folder_of(root), source))
        if full != base and full.is_relative_to(base):
            path = full.relative_to(base)
    return [part for part in path.parts if part not in (path.anchor, "..")]


def _folder_of(root: str) -> Path:
    """Return the part of a pattern before wildcards; a folder is returned as it is."""
    folder = Path(root)
    while glob.has_magic(str(folder)) and not folder.exists():
        folder = folder.parent
    return folder
