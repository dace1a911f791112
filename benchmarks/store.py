"""A store of clips with the lengths of 94,477 real ones: speed and memory of reading padded batches."""

from __future__ import annotations

import csv
import gzip
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import alternate, arguments, matrix_rate, ratio, show
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.stores.landmarks import ClipStore, choose_points

LENGTHS = "gislr-two-signs/gislr-metadata.csv.gz"
READ = "lips,nose,eyes,hands"  # the 118 points of the winner of Google's first competition
BATCH, CLIPS_A_RUN, QUICK_CLIPS, DRAFT_CLIPS, MEMORY_FRAMES = 64, 6400, 4000, 500, 384

Integers = NDArray[np.int64]


def real_lengths(data: Path) -> Integers:
    """Return the frames of each clip of Google's set; without that file, of a distribution with its median and tail."""
    path = data / LENGTHS
    if not path.is_file():
        return np.clip(np.random.default_rng(0).lognormal(3.15, 0.95, 94_477), 2, 537).astype(np.int64)
    with gzip.open(path, "rt", newline="") as rows:
        return np.array([int(row["n_frames"]) for row in csv.DictReader(rows)])


def make_store(folder: Path, lengths: Integers) -> ClipStore:
    """Write a store of random clips: parts of one film of random points, some of them missing."""
    random = np.random.default_rng(0)
    film = random.random((2 * int(lengths.max()), 543, 3), np.float32)
    film[random.random(film.shape[:2]) < 0.3] = np.nan
    starts = random.integers(0, lengths.max(), len(lengths))
    draft = StoreDraft(folder / f"{len(lengths)}", choose_points())
    draft.begin()
    for first in range(0, len(lengths), DRAFT_CLIPS):
        some = range(first, min(first + DRAFT_CLIPS, len(lengths)))
        draft.add(f"{first:06d}", (Clip(f"{row}", film[starts[row] : starts[row] + lengths[row]]) for row in some))
    draft.finish()
    return ClipStore(draft.target)


def batches(store: ClipStore, *, sort: bool = False) -> list[Integers]:
    """Return random rows in batches; with ``sort``, batches hold clips of similar length."""
    random = np.random.default_rng(1)
    rows = random.choice(len(store), min(CLIPS_A_RUN, len(store)), replace=False)
    rows = rows[np.argsort(store.lengths[rows], kind="stable")] if sort else rows
    return [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]


def read(store: ClipStore, parts: list[Integers], points: Integers) -> int:
    """Read batches; return the number of clips."""
    return sum(len(store.padded(rows, points=points)[1]) for rows in parts)


def read_by_clip(store: ClipStore, parts: list[Integers], points: Integers) -> int:
    """Read the same batches clip by clip."""
    columns = np.searchsorted(store.points, points)
    for rows in parts:
        clips = [store.clip(row)[:, columns] for row in rows.tolist()]
        batch = np.full((len(rows), max(map(len, clips)), len(points), 3), np.nan, np.float32)
        for place, clip in enumerate(clips):
            batch[place, : len(clip)] = clip
    return sum(map(len, parts))


def own_memory_mib() -> float:
    """Return the memory of this process without mapped files, in MiB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def memory(path: Path) -> dict[str, float]:
    """Return the memory kept after opening a store, and after reading all of it, in MiB."""
    before = own_memory_mib()
    store = ClipStore(path)
    opened = own_memory_mib()
    points = choose_points(READ)
    rows = np.arange(len(store))
    for first in range(0, len(rows), BATCH):
        store.padded(rows[first : first + BATCH], MEMORY_FRAMES, points)  # batches of one size
    return {"open": round(opened - before, 2), "read_all": round(own_memory_mib() - before, 2)}


def rates(store: ClipStore, runs: int) -> dict[str, Any]:
    """Return the clips a second of one process and of two."""
    points, parts, even = choose_points(READ), batches(store), batches(store, sort=True)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:

        def in_two() -> None:
            list(pool.map(read, [store] * 2, [parts[::2], parts[1::2]], [points] * 2))

        tasks = {
            "random": lambda: read(store, parts, points),
            "of_one_length": lambda: read(store, even, points),
            "two_processes": in_two,
            "clip_by_clip": lambda: read_by_clip(store, parts, points),
        }
        times = alternate(tasks, runs)
    count = sum(map(len, parts))
    told = {f"clips_a_s_{name}": round(count / statistics.median(seconds)) for name, seconds in times.items()}
    return told | {"clip_by_clip_ratio": ratio(times["clip_by_clip"], times["random"])}


def main() -> None:
    """Print clips a second as padded float32 batches of 118 points, and memory for a small and the whole store."""
    options = arguments(__doc__)
    lengths = real_lengths(Path(options.data))
    if options.quick:
        lengths = np.random.default_rng(0).choice(lengths, QUICK_CLIPS, replace=False)
    with tempfile.TemporaryDirectory() as folder:
        small = make_store(Path(folder), lengths[: len(lengths) // 10])
        store = make_store(Path(folder), lengths)
        result = {"clips": len(store), "frames": int(lengths.sum()), "batch": BATCH, "points": len(choose_points(READ))}
        result |= {"disk_mib": round((store.path / "points.npy").stat().st_size / 2**20)}
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            result |= {"memory_mib_tenth": fresh.submit(memory, small.path).result()}
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            result |= {"memory_mib_whole": fresh.submit(memory, store.path).result()}
        result |= rates(store, 3 if options.quick else 7)
    show(result | {"matrix_gflops": round(matrix_rate(), 1)}, as_json=options.json)


if __name__ == "__main__":
    main()
