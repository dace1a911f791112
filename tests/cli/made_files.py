"""Files for the command line to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.landmarks.write import write_landmarks


def write_photo(path: Path, grey: int = 127) -> Path:
    """Write a photo without a hand."""
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((120, 160, 3), grey, np.uint8)).save(path)
    return path


def write_hand(path: Path, seed: int) -> None:
    """Write the landmarks of a right hand of random points."""
    points = np.full((1, 543, 3), np.nan, np.float32)
    points[0, RIGHT_HAND] = 0.4 + 0.2 * np.random.default_rng(seed).random((21, 3), np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_landmarks(path, LandmarkSequence(points, [0.0], aspect=1.0))
