"""Arrays recorded with MediaPipe Holistic: one row of numbers per frame, 0 where nothing was seen."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from signary.datasets.readers.reader import Options, Piece, Reader
from signary.datasets.stores.draft import Clip
from signary.errors import InputError, ShapeError
from signary.landmarks.sequence import Points, scattered
from signary.landmarks.skeleton import FACE, HOLISTIC_543, LEFT_HAND, POSE, RIGHT_HAND
from signary.video.files import natural_key

POSE_NUMBERS = 33 * 4  # x, y, z, visibility
PARTS_OF = {258: (LEFT_HAND, RIGHT_HAND), 1662: (FACE, LEFT_HAND, RIGHT_HAND)}
LABELS, SIGNERS = ("gloss", "label"), ("signer", "committer")
GROUPS = ("session", "signer", "committer")
GISLR_SOURCE, GISLR_LICENCE = "gislr", "CC BY 4.0"
LAYOUT = (
    "npz files of X (N, T, 258 or 1662) and label or gloss (N,), .npy frames as LABEL/SEQUENCE/FRAME.npy, "
    "clips as LABEL/CLIP.npy, or npz files of SIGN__SEQUENCE (T, P, 3) and points (P,)"
)
_DAMAGE = (OSError, ValueError, EOFError, LookupError, NotImplementedError, BadZipFile, zlib.error)


def points_of_frames(frames: NDArray[Any]) -> Points:
    """Return points float32 (T, 543, 3) of rows of numbers, NaN where nothing was seen.

    Parameters
    ----------
    frames : float (T, 258) or (T, 1662)
        Pose 33 x (x, y, z, visibility), face 468 x 3 (of 1662 only), left hand 21 x 3, right hand 21 x 3;
        image-normalized; a point of zeros was not seen.

    Raises
    ------
    ShapeError
        If the rows have another length.
    """
    if frames.ndim != 2 or frames.shape[1] not in PARTS_OF or not np.issubdtype(frames.dtype, np.number):
        said = f"frames {frames.dtype} {frames.shape}, must be numbers (T, 258) or (T, 1662)"
        raise ShapeError(said, hint="pose 33 x 4, with 1662 face 468 x 3, hands 21 x 3 each")
    values = frames.astype(np.float32)
    points = np.full((len(values), len(HOLISTIC_543), 3), np.nan, np.float32)
    points[:, POSE] = values[:, :POSE_NUMBERS].reshape(len(values), 33, 4)[..., :3]
    first = POSE_NUMBERS
    for part in PARTS_OF[frames.shape[1]]:
        last = first + 3 * (part.stop - part.start)
        points[:, part] = values[:, first:last].reshape(len(values), -1, 3)
        first = last
    points[(points == 0).all(-1)] = np.nan
    return points


def _find(folder: Path, options: Options) -> list[Piece]:
    if folder.is_file():
        return [Piece(folder)]
    arrays = sorted(folder.rglob("*.npz"), key=natural_key)
    return [*(Piece(path) for path in arrays), *_find_frames(folder)]


def _find_frames(folder: Path) -> Iterator[Piece]:
    """Yield folders of frames, and files that are whole clips; the first file of each folder tells which."""
    by_parent: dict[Path, list[Path]] = {}
    for path in sorted(folder.rglob("*.npy"), key=natural_key):
        by_parent.setdefault(path.parent, []).append(path)
    for parent, paths in by_parent.items():
        if _is_frame(paths[0]):
            yield _sequence(folder, parent)
        else:
            yield from (_sequence(folder, path) for path in paths)


def _is_frame(path: Path) -> bool:
    try:
        return bool(np.load(path, mmap_mode="r").ndim == 1)
    except _DAMAGE:
        return path.parent.name.isdigit()


def _sequence(folder: Path, path: Path) -> Piece:
    """Return the piece of LABEL/SEQUENCE, a folder of frames or a file."""
    label = path.parent.name if path.parent != folder else ""
    fault = "" if label else f"{path}: lies in no folder of a label"
    name = path.relative_to(folder).with_suffix("").as_posix()
    return Piece(path, {"id": name, "label": label, "source": folder.resolve().name, "group": name}, fault)


def _read(piece: Piece, options: Options) -> Iterator[Clip]:
    if piece.path.suffix.lower() != ".npz":
        arrays = [_load(path) for path in piece.files()]
        try:
            frames = np.stack(arrays) if piece.path.is_dir() else arrays[0]
        except ValueError as error:
            raise ShapeError(f"{piece.path}: frames of several sizes", hint="a folder holds one recording") from error
        yield Clip(points=points_of_frames(frames), fps=options.fps, **piece.about)
        return
    arrays = _load(piece.path)
    if "points" in arrays:
        yield from _clips_of_signs(piece.path, arrays, options)
    else:
        yield from _clips_of_rows(piece.path, arrays, options)


def _load(path: Path) -> Any:
    try:
        loaded = np.load(path, allow_pickle=False)
        return loaded if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
    except _DAMAGE as error:
        reason = str(error).partition("\n")[0][:120]
        raise InputError(f"{path}: no readable array", hint=reason or "damaged or of another kind") from error


def _clips_of_rows(path: Path, arrays: Mapping[str, NDArray[Any]], options: Options) -> Iterator[Clip]:
    labels = next((arrays[key] for key in LABELS if key in arrays), None)
    if labels is None or "X" not in arrays:
        raise InputError(f"{path}: has {', '.join(sorted(arrays)[:8])}, needs X and label", hint=f"expected: {LAYOUT}")
    clips, source = arrays["X"], path.stem
    if clips.ndim != 3 or clips.shape[2] not in PARTS_OF or not clips.size:
        raise ShapeError(
            f"{path}: X {clips.shape}, must be (N, T, 258) or (N, T, 1662)", hint="a row of numbers a frame"
        )
    signers, groups = (
        next((arrays[key] for key in keys if key in arrays), np.full(len(clips), "")) for keys in (SIGNERS, GROUPS)
    )
    if not len(clips) == len(labels) == len(signers) == len(groups):
        raise ShapeError(f"{path}: {len(clips)} clips, {len(labels)} labels: not of one length", hint="one a clip")
    for row, (frames, label, signer, group) in enumerate(zip(clips, labels, signers, groups, strict=True)):
        yield Clip(
            id=f"{source}/{row}",
            points=points_of_frames(frames),
            label=str(label),
            # each of several files in one store may have a signer A
            signer=f"{source}/{signer}" if str(signer) else "",
            group=f"{source}/{group}" if str(group) else source,
            fps=options.fps,
            source=source,
        )


def _clips_of_signs(path: Path, arrays: Mapping[str, NDArray[Any]], options: Options) -> Iterator[Clip]:
    """Yield clips of some of the 543 points, by one signer with the name of the file."""
    chosen, names = arrays["points"], [name for name in arrays if "__" in name and not name.startswith("frames__")]
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer) or not names:
        raise InputError(f"{path}: has no clips SIGN__SEQUENCE with points (P,)", hint=f"expected: {LAYOUT}")
    if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(HOLISTIC_543):
        raise InputError(f"{path}: points {chosen.min()} to {chosen.max()}, must be 0 to 542", hint="of HOLISTIC_543")
    for name in names:
        if arrays[name].ndim != 3 or arrays[name].shape[1:] != (len(chosen), 3):
            raise ShapeError(f"{path}: {name} {arrays[name].shape}, must be (T, {len(chosen)}, 3)", hint="one a point")
    for name in names:
        sign, _, sequence = name.partition("__")
        points, signer, source = scattered(arrays[name], chosen), path.stem, GISLR_SOURCE
        yield Clip(sequence, points, sign, signer, group=signer, fps=options.fps, source=source, licence=GISLR_LICENCE)


READER = Reader("mediapipe-arrays", LAYOUT, batch=16, find=_find, read=_read)
