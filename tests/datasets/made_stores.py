"""Stores for tests, and checks of readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from signary.datasets.prepare import Prepared
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.stores.landmarks import RECIPE_POINTS, ClipStore, choose_points
from signary.errors import InputError


def made_points(frames: int, seed: int = 0) -> np.ndarray:
    """Make points float32 (T, 543, 3) from 0 to 1, a tenth of them NaN."""
    rng = np.random.default_rng(seed)
    points = rng.random((frames, 543, 3)).astype(np.float32)
    points[rng.random((frames, 543)) < 0.1] = np.nan
    return points


def write_store(path: Path, clips: Sequence[Clip], points: str = RECIPE_POINTS, *, batch: int = 1000) -> ClipStore:
    """Write a store of clips, with ``batch`` clips per batch."""
    draft = StoreDraft(path, choose_points(points))
    draft.begin()
    for start in range(0, len(clips), batch):
        draft.add(f"{start:03d}", clips[start : start + batch])
    assert draft.finish() == []
    return ClipStore(path)


def opened(prepared: Prepared) -> ClipStore:
    """Return the store that was prepared."""
    assert prepared.store is not None
    return prepared.store


def interrupted(batches: Iterable[None], total: int) -> Iterator[None]:
    """Do the first batch, and stop as Ctrl+C does."""
    yield next(iter(batches))
    raise KeyboardInterrupt


def refuses_file(run: Callable[[Path, Path], object], folder: Path, name: str, content: str | None, match: str) -> None:
    """Rewrite or remove a file of a data set; check that the folder is refused and nothing is written."""
    (folder / name).unlink(missing_ok=True)
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(InputError, match=match):
        run(folder, folder.with_name("store"))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
