"""Folders of videos or landmark files, one per label or with a manifest; videos go through a detector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from signary.datasets.readers.reader import Options, Piece, Reader
from signary.datasets.readers.table import read_table
from signary.datasets.stores.draft import Clip
from signary.errors import InputError
from signary.landmarks.files import LANDMARK_ENDINGS, read_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.video.files import natural_key
from signary.video.frame import DEFAULT_FPS
from signary.video.kinds import VIDEO_ENDINGS

TABLE = "manifest.csv"
COLUMNS = ("path", "label")
OPTIONAL = ("id", "signer", "group", "split", "source", "licence")
SESSION, CONSENT = "session", "consent"
LAYOUT = f"videos or landmark files as LABEL/CLIP.mp4, or {TABLE} with path, label and maybe {', '.join(OPTIONAL)}"


def find_clips(folder: Path, options: Options) -> list[Piece]:
    """Return the clips of a folder: those in its manifest, or all, labeled by the name of their folder.

    Raises
    ------
    InputError
        If this is not a folder, or its manifest cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder", hint=f"clips expects {LAYOUT}")
    source = folder.resolve().name
    if (folder / TABLE).is_file():
        return [_listed(folder, row, source) for row in read_table(folder / TABLE, COLUMNS)]
    readable = {*VIDEO_ENDINGS, *LANDMARK_ENDINGS}
    files = [path for path in folder.rglob("[!.]*") if path.suffix.lower() in readable and path.parent != folder]
    return [
        Piece(path, {"id": path.relative_to(folder).as_posix(), "label": path.parent.name, "source": source})
        for path in sorted(files, key=natural_key)
    ]


def _listed(folder: Path, row: dict[str, str], source: str) -> Piece:
    """Return the piece of a row of the manifest; without a group or session, the group is the signer."""
    about = {"id": row["path"], "label": row["label"], "source": source}
    about |= {name: row[name] for name in OPTIONAL if row.get(name)}
    if row.get(CONSENT) and "licence" not in about:
        about["licence"] = f"consent of the signers: {row[CONSENT]}"
    about.setdefault("group", row.get(SESSION) or about.get("signer", ""))
    return Piece(folder / row["path"], about)


def read_clip(piece: Piece, options: Options) -> Iterator[Clip]:
    """Yield the one clip of a file: a landmark file as it is, a video as the detector sees it."""
    if piece.path.suffix.lower() in LANDMARK_ENDINGS:
        sequence = read_landmarks(piece.path, fps=options.fps or DEFAULT_FPS).as_holistic()
    else:
        sequence = _detected(piece.path, options)
    known: dict[str, Any] = {"fps": sequence.fps or None, "aspect": sequence.aspect}
    yield Clip(points=sequence.points, **known, **piece.about)


def _detected(path: Path, options: Options) -> LandmarkSequence:
    from signary.landmarks.detect import open_detector
    from signary.landmarks.extract import extract
    from signary.video.source import open_source

    with (
        open_source(path) as source,
        open_detector(options.detector, still=source.is_still, mirrored=options.mirrored) as detector,
    ):
        return extract(source, detector)


READER = Reader("clips", LAYOUT, batch=2, find=find_clips, read=read_clip)
