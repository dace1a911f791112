"""Fake clips, stores of them, and checks of readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from signary.datasets.prepare import Prepared
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.stores.landmarks import RECIPE_POINTS, ClipStore, choose_points
from signary.errors import InputError
from signary.landmarks.skeleton import LEFT_HAND, POSE

WAYS = {"across": (0.4, 0.0), "up": (0.0, -0.4), "still": (0.0, 0.0)}


def made_clip(label: str, signer: int, number: int, *, frames: int = 12) -> Clip:
    """Move the left hand in the direction of the label, with a body of the signer's size and position."""
    random = np.random.default_rng((signer, number, len(label)))
    points = np.full((frames, 543, 3), np.nan, np.float32)
    size, place = 0.8 + 0.1 * signer, np.array([0.45 + 0.02 * signer, 0.5, 0.0])
    body = np.random.default_rng(99).normal(0, 0.15, (25, 3))
    body[[11, 12]] = [[0.15, 0, 0], [-0.15, 0, 0]]
    points[:, POSE][:, :25] = body * size + place
    hand = np.random.default_rng(7).normal(0, 0.05, (21, 3))
    way = np.linspace(0, 1, frames)[:, None] * np.array([*WAYS[label], 0.0])
    points[:, LEFT_HAND] = (hand + way[:, None]) * size + place + random.normal(0, 0.004, (frames, 21, 3))
    return Clip(
        id=f"{label}-{signer}-{number}",
        points=points,
        label=label,
        signer=f"s{signer}",
        group=f"s{signer}",
        fps=25.0,
        source="made",
        licence="none",
        file=f"{label}/{signer}/{number}.npy",
        sha256=f"{signer:032x}{number:030x}{len(label):02x}",
    )


def made_signs(path: Path, *, signers: int = 4, each: int = 4) -> ClipStore:
    """Write a store of three signs by some signers, of 8 to 20 frames."""
    clips = [
        made_clip(label, signer, number, frames=8 + 4 * (number % 4))
        for signer in range(signers)
        for label in WAYS
        for number in range(each)
    ]
    return write_store(path, clips)


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
