"""Hands that the detector finds in folders of photos, one folder per label."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from signary.datasets.hands import HandSamples
from signary.digest import sha256_file, sha256_lines
from signary.errors import InputError, SignaryError
from signary.jobs.run import Lost, run
from signary.jobs.worker import cores
from signary.landmarks.looks import LAST_LOOKS, LOOKS
from signary.landmarks.mediapipe import HandsDetector
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.output import whole_file
from signary.video.files import natural_key
from signary.video.kinds import PHOTO_ENDINGS

Item = TypeVar("Item")
Hands = tuple[NDArray[np.float32], NDArray[np.bool_]]


def find_photos(folder: str | Path) -> list[Path]:
    """Return the photos of ``folder/LABEL/`` (or deeper), in natural order.

    Raises
    ------
    InputError
        If there is none.
    """
    root = Path(folder)
    known = (path for path in root.rglob("*") if path.suffix.lower() in PHOTO_ENDINGS and path.parent != root)
    photos = [path for path in known if path.is_file()]  # not a broken link
    if not photos:
        raise InputError(f"{root}: no photos in folders named by label", hint="make one folder a label, photos inside")
    return sorted(photos, key=natural_key)


def read_photo_folder(
    folder: str | Path, *, name: str = "", cache: Path | None = None, workers: int | None = None
) -> HandSamples:
    """Find the hands in all photos of a folder with one folder per label.

    Parameters
    ----------
    folder : str or Path
    name : str
        Name of the source; the folder's by default.
    cache : Path, optional
        Folder for the results, under a name that changes with the photos and the detector.
    workers : int, optional
        Processes; by default the number of cores that this process may use.

    Returns
    -------
    HandSamples
        One row per view of a photo; a photo without a hand has one row of NaN. Groups: see `photo_groups`.

    Raises
    ------
    InputError
        If there are no photos.
    """
    photos, source = find_photos(folder), name or Path(folder).name
    stored = cache / f"{source}-{_key(photos)}.npz" if cache else None
    if stored is not None and stored.exists():
        with np.load(stored, allow_pickle=False) as arrays:
            points, right, photo = (arrays[key] for key in ("points", "right", "photo"))
    else:
        points, right, photo = _look_at(photos, source, workers)
        if stored is not None:
            stored.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(stored) as draft:
                np.savez_compressed(draft, points=points, right=right, photo=photo)
    labels = np.array([path.parent.name for path in photos])
    return HandSamples(
        points=points,
        right=right,
        label=labels[photo],
        source=np.full(len(photo), source),
        group=np.array([f"{source}/{group}" for group in photo_groups(photos)])[photo],
        photo=np.array([f"{source}/{row}" for row in photo]),
        files={source: [sha256_file(path) for path in photos]},
    )


def photo_groups(photos: Sequence[Path]) -> list[str]:
    """Return the group of each photo.

    ``IMG_<n>`` in folders 0 to 9 (Sign Language Digits): photos are numbered in order and each signer shows rising
    digits, so a new signer begins where the label does not rise. Names with ``_jpg``: the part before it, since the
    rest only numbers altered copies of one photo. Otherwise each photo is a group.
    """
    numbers = [re.fullmatch(r"IMG_(\d+)", path.stem) for path in photos]
    if all(numbers) and all(path.parent.name.isdigit() for path in photos):
        return _signers([int(match[1]) for match in numbers if match], [int(path.parent.name) for path in photos])
    return [path.name.split("_jpg")[0] if "_jpg" in path.name else f"{path.parent.name}/{path.stem}" for path in photos]


def _signers(numbers: Sequence[int], labels: Sequence[int]) -> list[str]:
    order = np.argsort(numbers, kind="stable")
    starts = np.diff(np.asarray(labels)[order], prepend=10) <= 0
    signer = np.empty(len(order), np.int64)
    signer[order] = np.cumsum(starts)
    return [str(number) for number in signer]


def _key(photos: Sequence[Path]) -> str:
    stamps = [f"{path.parent.name}/{path.name}:{path.stat().st_size}" for path in photos]
    return sha256_lines([*stamps, repr(LOOKS), repr(LAST_LOOKS)])[:16]


def _look_at(
    photos: Sequence[Path], source: str, workers: int | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]:
    results = run(_looking, photos, min(workers or cores(), len(photos)))
    found = [_done(one) for one in shown(results, source, len(photos))]
    counts = [len(points) for points, _ in found]
    points, right = (np.concatenate([pair[part] for pair in found]) for part in (0, 1))
    return points, right.astype(np.bool_), np.repeat(np.arange(len(photos)), counts)


def shown(items: Iterable[Item], title: str, total: int) -> Iterable[Item]:
    """Return items with a progress bar on stderr."""
    return track(items, title, total, console=Console(stderr=True), transient=True)


def _done(result: Hands | Lost) -> Hands:
    if isinstance(result, Lost):
        raise InputError(f"photo {result.number + 1}: {result.message}", hint="memory may be short: give it more")
    return result


def _looking() -> Callable[[Path], Hands]:
    """Open a detector for the photos of one process."""
    return partial(_hands_of, HandsDetector(still=True))


def _hands_of(detector: HandsDetector, path: Path) -> Hands:
    """Return the hands in a photo (K, 21, 3), in picture widths, and whether they are right hands (K,)."""
    from signary.video.frame import Frame
    from signary.video.photo import read_photo

    try:
        frame = Frame(read_photo(path))
        points, aspect = detector.looks(frame), frame.aspect
    except SignaryError:
        points, aspect = np.full((1, 543, 3), np.nan, np.float32), 1.0
    return _larger_hand(points * np.array([1, 1 / aspect, 1], np.float32))


def _larger_hand(points: NDArray[np.float32]) -> Hands:
    left, right = points[:, LEFT_HAND], points[:, RIGHT_HAND]
    left_size, right_size = (np.nan_to_num(np.ptp(hand[..., :2], axis=1).sum(-1)) for hand in (left, right))
    is_right = right_size >= left_size
    return np.where(is_right[:, None, None], right, left), is_right
