"""Photos to show, and the pixels of what was drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

RIGHT, WRONG, GRID = (0x2F, 0x6F, 0x9F), (0xC8, 0x55, 0x3D), (0xE6, 0xE6, 0xE6)  # colors of the plots


def write_photos(folder: Path, number: int) -> list[Path]:
    """Write photos that can be told apart by their grey."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{place}.png" for place in range(number)]
    for place, path in enumerate(paths):
        Image.new("RGB", (60, 40), (place * 8,) * 3).save(path)
    return paths


def pixels(path: Path) -> np.ndarray:
    """Return the pixels of a PNG, int (H, W, 3) RGB."""
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(int)


def colored(path: Path, color: tuple[int, int, int] = RIGHT, *, near: int = 0) -> int:
    """Return how many pixels have a color, or one that differs by ``near`` at most."""
    return int((np.abs(pixels(path) - color).max(-1) <= near).sum())
