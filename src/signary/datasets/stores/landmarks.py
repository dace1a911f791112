"""The store of clips: landmarks of a whole data set in one memory map, for training.

A folder with ``points.npy`` float16 (F, P, 3), all clips concatenated; ``offsets.npy`` int64 (N + 1,), where each
starts and ends; ``manifest.parquet``, one row per clip; and ``store.json``, which lists the stored points of the 543.
Opening a store loads none of its points, so memory does not grow with the data set.

While it is written, batches are in ``STORE.partial``, each complete or absent, so that any number of processes may
write, and a killed run can be resumed.
"""

from __future__ import annotations

import json
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.datasets.stores.manifest import AGAIN, MANIFEST, clip_keys, read_column
from signary.errors import InputError, ShapeError, SkeletonMismatch
from signary.landmarks.face import CONTOURS, NOSE
from signary.landmarks.sequence import LandmarkSequence, Points, scattered
from signary.landmarks.skeleton import FACE, HOLISTIC_543, LEFT_HAND, POSE, RIGHT_HAND
from signary.video.frame import DEFAULT_FPS

VERSION = 1
DESCRIPTION, POINTS, OFFSETS = "store.json", "points.npy", "offsets.npy"
PARTIAL, DRAFT = ".partial", "draft.json"

Integers = NDArray[np.int64]

_LIPS, _RIGHT_EYE, _LEFT_EYE = (
    {point for ring in rings for point in ring} for rings in (CONTOURS[:4], CONTOURS[4:6], CONTOURS[6:8])
)
POINT_SETS: dict[str, tuple[int, ...]] = {
    "lips": tuple(sorted(_LIPS)),
    "nose": tuple(sorted({1, *NOSE})),
    "left_eye": tuple(sorted(_LEFT_EYE)),
    "right_eye": tuple(sorted(_RIGHT_EYE)),
    "eyes": tuple(sorted(_LEFT_EYE | _RIGHT_EYE)),
    "face": tuple(range(FACE.start, FACE.stop)),
    "left_hand": tuple(range(LEFT_HAND.start, LEFT_HAND.stop)),
    "right_hand": tuple(range(RIGHT_HAND.start, RIGHT_HAND.stop)),
    "hands": (*range(LEFT_HAND.start, LEFT_HAND.stop), *range(RIGHT_HAND.start, RIGHT_HAND.stop)),
    "pose": tuple(range(POSE.start, POSE.stop)),
    "upper_body": tuple(range(POSE.start, POSE.start + 25)),
    "all": tuple(range(len(HOLISTIC_543))),
}
RECIPE_POINTS = "lips,nose,eyes,hands,upper_body"


def choose_points(text: str = RECIPE_POINTS) -> Integers:
    """Return the points named by a text, int64 (P,), in ascending order.

    Parameters
    ----------
    text : str
        Names of `POINT_SETS`, numbers and ranges of numbers among the 543, separated by commas.

    Raises
    ------
    InputError
        If a part of the text is none of these.

    Examples
    --------
    >>> choose_points("nose,468-470").tolist()
    [1, 2, 98, 327, 468, 469, 470]
    """
    chosen: set[int] = set()
    for part in text.split(","):
        name = part.strip().replace("-", "_") if not part.strip()[:1].isdigit() else part.strip()
        first, _, last = name.partition("-")
        if name in POINT_SETS:
            chosen.update(POINT_SETS[name])
        elif first.isdecimal() and (last or first).isdecimal() and int(first) <= int(last or first) < len(HOLISTIC_543):
            chosen.update(range(int(first), int(last or first) + 1))
        else:
            raise InputError(f"{part.strip()!r}: no such points", hint=f"0 to 542, or {', '.join(POINT_SETS)}")
    return np.array(sorted(chosen), np.int64)


@cache
def _floats_of_halves() -> NDArray[np.float32]:
    """Return float32 for each of the 65,536 bit patterns of float16: a lookup is faster than a cast."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)


class ClipStore:
    """Clips on disk, read by number.

    Parameters
    ----------
    path : str or Path
        The folder.

    Attributes
    ----------
    points : int64 (P,)
        Which of the 543 points of ``HOLISTIC_543`` are stored.
    about : dict
        Content of ``store.json``.

    Raises
    ------
    InputError
        If there is no such store, or it is unfinished, damaged, or of another version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.about = _described(self.path)
        try:
            self.points: Integers = np.array(self.about["points"], np.int64)
            halves = np.load(self.path / POINTS, mmap_mode="r").view(np.ndarray)
            self._offsets: Integers = np.load(self.path / OFFSETS, mmap_mode="r").view(np.ndarray)
            self._check(halves)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{self.path}: damaged store ({reason})", hint=AGAIN) from error
        self._bits = halves.view(np.uint16)
        self._column = np.full(len(HOLISTIC_543), -1, np.int64)
        self._column[self.points] = np.arange(len(self.points))

    def _check(self, halves: NDArray[Any]) -> None:
        shape = (self.about["frames"], len(self.points), 3)
        if halves.dtype != np.float16 or halves.shape != shape:
            raise ValueError(f"{POINTS} holds {halves.dtype} {halves.shape}, must be float16 {shape}")
        if self._offsets.shape != (self.about["clips"] + 1,) or self._offsets[-1] != self.about["frames"]:
            raise ValueError(f"{OFFSETS} does not fit {DESCRIPTION}")
        if not (self.path / MANIFEST).is_file():
            raise ValueError(f"{MANIFEST} is lacking")

    def __reduce__(self) -> tuple[type[ClipStore], tuple[Path]]:
        """Pickle by path, so that other processes map the same file."""
        return ClipStore, (self.path,)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @property
    def lengths(self) -> Integers:
        """T of each clip, int64 (N,)."""
        return np.diff(self._offsets)

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of the manifest (N,): text, or numbers with NaN = unknown.

        Columns are the fields of `signary.datasets.stores.draft.Clip`, and the numbers of ``frames``, and of those with
        a left hand (``left_hand_frames``), a right hand (``right_hand_frames``) and any hand (``hand_frames``).
        """
        return read_column(self.path / MANIFEST, name)

    def keys(self) -> list[str]:
        """Return a key that identifies each clip (N,), to tell whether a model was trained on it.

        It is the sha256 of the clip's file if the file holds only this clip, so a film is also recognized in a folder.
        If a file holds many clips, some of which may be trained on and some not, it is the sha256 of the text
        ``{sha256 of the file}/{id}``. It is empty, and so known to no model, if the file's sha256 is unknown.
        """
        return clip_keys(*(self.column(name).tolist() for name in ("file", "sha256", "id")))

    def clip(self, row: int) -> Points:
        """Return one clip with all stored points, float32 (T, P, 3)."""
        (number,) = self._rows([row])
        points: Points = _floats_of_halves().take(self._bits[self._offsets[number] : self._offsets[number + 1]])
        return points

    def sequence(self, row: int) -> LandmarkSequence:
        """Return one clip with the skeleton ``HOLISTIC_543``; times by its fps, or 30 if that is unknown."""
        points, (fps, aspect) = self.clip(row), (float(column[row]) for column in self._rates)
        times_s = np.arange(len(points)) / (fps if fps > 0 else DEFAULT_FPS)
        return LandmarkSequence(scattered(points, self.points), times_s, aspect=aspect if aspect > 0 else None)

    @cached_property
    def _rates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.column("fps"), self.column("aspect")

    def padded(
        self, rows: ArrayLike, frames: int | None = None, points: ArrayLike | None = None
    ) -> tuple[NDArray[np.float32], Integers]:
        """Read a padded batch of clips.

        Parameters
        ----------
        rows : int (B,) or bool (N,)
        frames : int, optional
            T of the batch: longer clips lose their end. By default the length of the longest clip.
        points : int (P',), optional
            Which of the 543, in any order; by default all stored points.

        Returns
        -------
        float32 (B, T, P', 3)
            NaN where nothing was seen, and after a clip's end.
        lengths : int64 (B,)
            Frames of each clip in the batch.

        Raises
        ------
        InputError
            If a row does not exist, or ``frames`` is below 1.
        SkeletonMismatch
            If a point is not stored.
        """
        rows, columns = self._rows(rows), self._columns(points)
        starts, ends = self._offsets[rows], self._offsets[rows + 1]
        longest = int((ends - starts).max(initial=1)) if frames is None else frames
        if longest < 1:
            raise InputError(f"frames={frames}, must be 1 or more", hint="frames of the batch")
        ends = np.minimum(ends, starts + longest)
        count = len(self.points) if columns is None else len(columns)
        batch = np.empty((len(rows), longest, count * 3), np.float32)
        table, bits = _floats_of_halves(), self._bits
        for clip, start, end in zip(batch, starts.tolist(), ends.tolist(), strict=True):
            halves = bits[start:end] if columns is None else bits[start:end].take(columns, axis=1)
            # with mode="clip" NumPy writes directly into the batch; no index is out of range anyway
            np.take(table, halves.reshape(end - start, -1), out=clip[: end - start], mode="clip")
            clip[end - start :] = np.nan
        return batch.reshape(len(rows), longest, count, 3), ends - starts

    def _rows(self, rows: ArrayLike) -> Integers:
        numbers = np.asarray(rows)
        if numbers.dtype == np.bool_ and numbers.shape == (len(self),):
            numbers = np.flatnonzero(numbers)
        if numbers.ndim != 1 or (len(numbers) and not np.issubdtype(numbers.dtype, np.integer)):
            raise ShapeError(f"rows {numbers.dtype} {numbers.shape}: must be whole numbers (B,)", hint="or bool (N,)")
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise InputError(f"row {numbers.min()} to {numbers.max()}: outside the store", hint=f"0 to {len(self) - 1}")
        return numbers.astype(np.int64)

    def _columns(self, points: ArrayLike | None) -> Integers | None:
        if points is None:
            return None
        chosen = np.asarray(points, np.int64)
        inside = (chosen >= 0) & (chosen < len(HOLISTIC_543))
        columns = np.where(inside, self._column[np.where(inside, chosen, 0)], -1)
        if (columns < 0).any():
            lacking = ", ".join(map(str, chosen[columns < 0][:8]))
            hint = f"prepare it again with --points; it has {len(self.points)} of 543"
            raise SkeletonMismatch(f"{self.path}: points {lacking} are not stored", hint=hint)
        return None if np.array_equal(chosen, self.points) else columns


def _described(path: Path) -> dict[str, Any]:
    partial = path if (path / DRAFT).is_file() else path.with_name(path.name + PARTIAL)
    if not (path / DESCRIPTION).is_file():
        if (partial / DRAFT).is_file():
            done = len(list(partial.glob("*.json"))) - 1
            raise InputError(f"{partial}: a store half written, {done} batches done", hint="prepare it with --resume")
        said = "no store of clips" if path.exists() else "no such store"
        raise InputError(f"{path}: {said}", hint="signary data prepare READER FOLDER -o STORE makes one")
    try:
        about = dict(json.loads((path / DESCRIPTION).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path / DESCRIPTION}: not readable ({error})", hint=AGAIN) from error
    if about.get("version") != VERSION:
        said = f"{path}: store of version {about.get('version')}"
        raise InputError(said, hint=f"this Signary reads version {VERSION}")
    return about
