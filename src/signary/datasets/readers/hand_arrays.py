"""Hands found by other tools: npz files with 21 points and a label for each photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.datasets.hands import HandSamples
from signary.digest import sha256_file
from signary.errors import InputError

POINT_KEYS = ("image_px", "image_norm", "wrist_relative")
FRAMES_TOGETHER = 50


def read_hand_arrays(path: str | Path, *, name: str = "") -> HandSamples:
    """Read one npz file.

    Parameters
    ----------
    path : str or Path
        Has ``label`` (N,) and points (N, 21, 2 or 3) as ``image_px``, ``image_norm`` or ``wrist_relative``; optional
        ``hand`` (MediaPipe's label of an unmirrored picture, so "Left" is the signer's right), ``frame`` and ``name``.
        Without ``hand``, the whole file is taken to show one hand: the right one if the knuckle of the index is right
        of the little finger's in most photos of B.
    name : str
        Name of the source; the file's stem by default.

    Returns
    -------
    HandSamples
        Groups: the part of ``name`` before ``_jpg``, blocks of 50 consecutive frames, or each photo.

    Raises
    ------
    InputError
        If the file is not such an npz.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            data = {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no readable npz ({error})", hint="see the reader's documentation") from error
    key = next((key for key in POINT_KEYS if key in data), None)
    if key is None or "label" not in data:
        raise InputError(f"{path}: has {sorted(data)}, needs label and one of {POINT_KEYS}", hint="name another file")
    source, label = name or path.stem, data["label"].astype(np.str_)
    photo = np.array([f"{source}/{row}" for row in range(len(label))])
    return HandSamples(
        points=_points(data[key]),
        right=_right(data, data[key], label),
        label=label,
        source=np.full(len(label), source),
        group=np.array([f"{source}/{group}" for group in _groups(data, len(label))]),
        photo=photo,
        files={source: [sha256_file(path)]},
    )


def _points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    if points.shape[-1] == 2:
        points = np.concatenate([points, np.full((*points.shape[:2], 1), np.nan)], -1)
    return points.astype(np.float32)


def _right(
    data: dict[str, NDArray[np.str_]], points: NDArray[np.float32], label: NDArray[np.str_]
) -> NDArray[np.bool_]:
    if "hand" in data:
        return np.asarray(data["hand"] == "Left")
    open_hands = points[label == "B"] if (label == "B").any() else points
    return np.full(len(points), np.median(open_hands[:, 5, 0] - open_hands[:, 17, 0]) > 0)


def _groups(data: dict[str, NDArray[np.str_]], count: int) -> list[str]:
    if "name" in data:
        return [str(name).split("_jpg")[0] for name in data["name"]]
    if "frame" in data:
        labels = data["label"]
        return [f"{label}{int(frame) // FRAMES_TOGETHER}" for label, frame in zip(labels, data["frame"], strict=True)]
    return [str(row) for row in range(count)]
