"""Labeled pictures, without detection: folders of photos, one per label, or arrays."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.datasets.pictures import ROWS, Pictures
from signary.datasets.readers.photos import find_photos, photo_groups, shown
from signary.digest import sha256_file
from signary.errors import InputError, ShapeError, SignaryError
from signary.output import make_folder, whole_file
from signary.video.photo import read_photo
from signary.video.square import square

ARRAYS = ("X.npy", "Y.npy")
DIGIT_PICTURES = 2062  # in the whole Sign Language Digits set
# Its arrays have the digits in this order, as columns of the labels and as blocks of rows.
ARRAY_ORDER = ("9", "0", "7", "6", "1", "8", "4", "3", "2", "5")


def read_pictures(folder: str | Path, *, side: int, name: str = "", cache: Path | None = None) -> Pictures:
    """Read labeled pictures and make them square.

    Parameters
    ----------
    folder : str or Path
        Photos in ``LABEL/`` or deeper (``train/train/A/1.jpg``), or ``X.npy`` (N, H, W) with ``Y.npy`` (N, V), the
        other form of the Sign Language Digits set.
    side : int
        Pixels.
    name : str
        Of the source; the folder's by default.
    cache : Path, optional
        Folder for decoded pictures, under a name that changes with the photos.

    Returns
    -------
    Pictures
        In natural order; unreadable photos are left out and listed in ``skipped``.

    Raises
    ------
    InputError
        If there are no pictures, a label's folder is empty, no photo of a label can be read, or a label has two
        folders.
    ShapeError
        If the arrays differ in length.
    """
    root = Path(folder)
    if all((root / array).is_file() for array in ARRAYS):
        return _read_arrays(root, side, name or root.name)
    photos, source = find_photos(root), name or root.name
    _check_folders(root, photos)
    _check_once(photos)
    images, problems = _decoded(photos, side, source, cache)
    good = np.flatnonzero([not problem for problem in problems])
    pictures = Pictures(
        images=images,
        row=np.arange(len(photos)),
        label=np.array([photo.parent.name for photo in photos]),
        source=np.full(len(photos), source),
        group=np.array([f"{source}/{group}" for group in photo_groups(photos)]),
        place=_places(photos),
        sha256=np.array([sha256_file(photo) for photo in photos]),
        skipped=[problem for problem in problems if problem],
    ).select(good)
    return _check_labels(pictures, {photo.parent.name for photo in photos})


def in_array_order(pictures: Pictures) -> Pictures:
    """Return photos of the Sign Language Digits set in the order of its ``X.npy``: by label, then by name."""
    rank = {label: place for place, label in enumerate(ARRAY_ORDER)}
    return pictures.select(np.argsort([rank.get(label, len(rank)) for label in pictures.label], kind="stable"))


def _check_folders(root: Path, photos: Sequence[Path]) -> None:
    """Refuse empty folders next to the labels' folders: a class would silently be missing."""
    filled = {photo.parent for photo in photos}
    beside = {folder for parent in {path.parent for path in filled} for folder in parent.iterdir() if folder.is_dir()}
    if empty := sorted(folder.name for folder in beside - filled if not any(folder.iterdir())):
        raise InputError(f"{root}: no photo of {', '.join(empty)}", hint="add photos or remove the empty folder")


def _check_once(photos: Sequence[Path]) -> None:
    """Refuse a label in two folders: training and test photos would silently be mixed."""
    folders: dict[str, Path] = {}
    for folder in dict.fromkeys(photo.parent for photo in photos):
        if (other := folders.setdefault(folder.name, folder)) != folder:
            raise InputError(f"{folder.name}: in {other} and in {folder}", hint="name the folder of one of the two")


def _check_labels(pictures: Pictures, labels: set[str]) -> Pictures:
    if lost := sorted(labels - set(pictures.label.tolist())):
        first = pictures.skipped[0] if pictures.skipped else ""
        raise InputError(f"no photo of {', '.join(lost)} can be read ({first})", hint="copy them again")
    return pictures


def _places(photos: Sequence[Path]) -> NDArray[np.int64]:
    """Return the last number in each name, or else the position in natural order."""
    numbers = [re.findall(r"\d+", photo.stem.split("_jpg")[0]) for photo in photos]  # the rest only numbers copies
    places = [int(found[-1][-18:]) if found else place for place, found in enumerate(numbers)]
    return np.array(places, np.int64)


def _decoded(photos: Sequence[Path], side: int, source: str, cache: Path | None) -> tuple[NDArray[np.uint8], list[str]]:
    """Return the photos uint8 (N, S, S, 3), decoded once if there is a cache, and the problem of each, or ""."""
    if cache is None:
        images = np.zeros((len(photos), side, side, 3), np.uint8)
        return images, _decode(photos, images, source)
    stored = cache / f"{source}-{side}-{_key(photos)}.npy"
    said = stored.with_suffix(".txt")
    if not (stored.is_file() and said.is_file()):
        make_folder(cache)
        with whole_file(stored, force=True) as draft:
            shape = (len(photos), side, side, 3)
            _reserve(draft, int(np.prod(shape)))
            images = np.lib.format.open_memmap(draft, "w+", np.uint8, shape)  # type: ignore[no-untyped-call]
            problems = _decode(photos, images, source)
            images.flush()
            del images  # not every system can rename a mapped file
        with whole_file(said, force=True) as draft:
            draft.write_text("\n".join(problems), encoding="utf-8")
    return np.load(stored, mmap_mode="r"), said.read_text(encoding="utf-8").split("\n")


def _reserve(path: Path, size: int) -> None:
    """Refuse a disk that is too full before writing: a memory map would end the process."""
    free = shutil.disk_usage(path.parent).free
    if free < size:
        said = f"{path.parent}: {free / 1e9:.1f} GB are free, decoded pictures take {size / 1e9:.1f}"
        raise InputError(said, hint="name a run folder on a larger disk with -o, or a smaller --data.side")


def _decode(photos: Sequence[Path], images: NDArray[np.uint8], source: str) -> list[str]:
    def decode(place: int) -> str:
        try:
            images[place] = square(read_photo(photos[place]), images.shape[1])
        except SignaryError as error:
            return error.message.replace("\n", " ")
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(shown(pool.map(decode, range(len(photos))), f"decoding {source}", len(photos)))


def _key(photos: Sequence[Path]) -> str:
    stamps = [(*photo.parts[-2:], photo.stat().st_size, photo.stat().st_mtime_ns) for photo in photos]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]


def _read_arrays(root: Path, side: int, source: str) -> Pictures:
    pictures, columns = (_load_array(root / name) for name in ARRAYS)
    if len(pictures) != len(columns):
        raise ShapeError(f"{root}: {len(pictures)} pictures, {len(columns)} labels", hint="of one length, row by row")
    if pictures.ndim not in (3, 4) or columns.ndim != 2 or columns.shape[1] != len(ARRAY_ORDER):
        said = f"{root}: X.npy {pictures.shape}, Y.npy {columns.shape}"
        raise ShapeError(f"{said}, must be (N, H, W) and (N, 10)", hint="as the Sign Language Digits set has them")
    scale = 255 if pictures.max() <= 1 else 1
    rgb = np.rint(pictures * scale).astype(np.uint8).reshape(*pictures.shape[:3], -1)
    rgb = np.broadcast_to(rgb, (*rgb.shape[:3], 3)) if rgb.shape[3] == 1 else rgb
    order = np.arange(len(rgb))
    whole = sha256_file(root / ARRAYS[0])
    return Pictures(
        images=np.stack([square(np.ascontiguousarray(picture), side) for picture in rgb]),
        row=order,
        label=np.array(ARRAY_ORDER)[columns.argmax(1)],
        source=np.full(len(rgb), source),
        group=np.array([f"{source}/{place}" for place in order]),
        place=order,
        sha256=np.array([f"{whole}"] * len(rgb)),
    )


def _load_array(path: Path) -> NDArray[np.float64]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no readable array ({error})", hint="save it with numpy.save") from error
    return np.asarray(array)


def join_pictures(parts: Sequence[Pictures]) -> Pictures:
    """Join pictures of one size; a single part is not copied."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0, *(len(part.images) for part in parts[:-1])])
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ROWS}
    return replace(
        parts[0],
        images=np.concatenate([part.images for part in parts]),
        row=np.concatenate([part.row + offset for part, offset in zip(parts, offsets, strict=True)]),
        skipped=[problem for part in parts for problem in part.skipped],
        **columns,
    )
