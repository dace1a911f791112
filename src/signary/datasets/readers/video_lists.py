"""Video data sets that users obtain themselves: ChaLearn IsoGD and LedaSila.

Like the reader of folders, these only list the videos; whether landmarks or picture features are stored is chosen when
a store is prepared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from signary.datasets.readers.clip_folders import TABLE, find_clips, read_clip
from signary.datasets.readers.reader import Options, Piece, Reader
from signary.errors import InputError
from signary.video.files import natural_key
from signary.video.kinds import VIDEO_ENDINGS

LISTS = "*_list.txt"
CHALEARN_LICENCE = "ChaLearn IsoGD: research only, by agreement"
LEDASILA_LICENCE = "LedaSila, University of Klagenfurt: all rights reserved"
CHALEARN_LAYOUT = (
    "train_list.txt, valid_list.txt, test_list.txt (VIDEO DEPTH_VIDEO LABEL a line) beside the folders they name, "
    "at any depth"
)
LEDASILA_LAYOUT = f"videos as FOLDER/WORD-NUMBER.mp4, or {TABLE} as the reader clips"


def find_isogd(folder: Path, options: Options) -> list[Piece]:
    """Return the color videos of ChaLearn IsoGD's lists (Wan et al. 2016, "ChaLearn looking at people RGB-D isolated
    and continuous datasets for gesture recognition").

    The lists do not name signers, but no signer is in two parts. A clip's group is its folder.

    Raises
    ------
    InputError
        If there is no list, or a line is invalid.
    """
    lists = sorted(folder.rglob(LISTS), key=natural_key) if folder.is_dir() else []
    if not lists:
        raise InputError(f"{folder}: no {LISTS}", hint=f"chalearn-isogd expects {CHALEARN_LAYOUT}")
    return [piece for path in lists for piece in _listed(path)]


def _listed(path: Path) -> list[Piece]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no readable list ({error})", hint="download it again") from error
    split, pieces = path.stem.removesuffix("_list"), []
    for number, line in enumerate(lines, 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) not in (2, 3):
            raise InputError(f"{path}: line {number} is {line[:60]!r}", hint="VIDEO DEPTH_VIDEO LABEL, or no label")
        video = cells[0].replace("\\", "/")
        about: dict[str, Any] = {"id": video, "split": split, "group": video.rpartition("/")[0], "source": "isogd"}
        label = cells[2] if len(cells) == 3 else ""
        fault = "" if label else f"{path.parent / video}: line {number} of {path.name} gives no label"
        pieces.append(Piece(path.parent / video, about | {"label": label, "licence": CHALEARN_LICENCE}, fault))
    return pieces


def find_ledasila(folder: Path, options: Options) -> list[Piece]:
    """Return videos of the Austrian dictionary LedaSila (http://ledasila.aau.at); their names start with the word.

    Raises
    ------
    InputError
        If there is no video.
    """
    if (folder / TABLE).is_file():
        return find_clips(folder, options)
    files = sorted((path for path in folder.rglob("[!.]*") if path.suffix.lower() in VIDEO_ENDINGS), key=natural_key)
    if not files:
        raise InputError(f"{folder}: no video", hint=f"ledasila expects {LEDASILA_LAYOUT}")
    same = {"source": "ledasila", "licence": LEDASILA_LICENCE}
    return [
        Piece(path, same | {"id": path.relative_to(folder).as_posix(), "label": path.stem.partition("-")[0].strip()})
        for path in files
    ]


ISOGD = Reader("chalearn-isogd", CHALEARN_LAYOUT, batch=2, find=find_isogd, read=read_clip)
LEDASILA = Reader("ledasila", LEDASILA_LAYOUT, batch=2, find=find_ledasila, read=read_clip)
