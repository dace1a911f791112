"""``signary bench``."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from signary.cli.app import WrongUse, show_json

FRAMES, FPS = 60, 30.0
HEIGHT, WIDTH = 480, 640


def bench(model: str = "letters", /, *, runs: int = 5, json: bool = False) -> None:
    """Measure how long a model takes on synthetic frames: detector, features and network, decoding.

    The pictures show no hand, so the detector searches each of them completely, its slowest case.

    Parameters
    ----------
    model
        A bundled model's name, a bundle or a run folder.
    runs
        Number of runs; medians are shown.
    json
        Write one JSON object.
    """
    if runs < 1:
        raise WrongUse(f"runs={runs}, must be 1 or more", hint="5 is the default")
    rows = _measure(model, runs)
    if json:
        show_json({"model": model, "frames": FRAMES, "runs": runs, "ms_a_frame": rows}, indent=None)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("step", "ms a frame", "frames a second")
    for name, took_ms in rows.items():
        table.add_row(name, f"{took_ms:.3f}", f"{1000 / took_ms:,.0f}")
    Console().print(table)


def _measure(model: str, runs: int) -> dict[str, float]:
    """Return the median milliseconds per frame of each step."""
    from signary.landmarks.detect import open_detector
    from signary.landmarks.sequence import LandmarkSequence
    from signary.landmarks.skeleton import RIGHT_HAND
    from signary.recognition.load import load
    from signary.video.frame import Frame

    reader, random = load(model), np.random.default_rng(0)
    image = random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    frames = [Frame(image, index, index / FPS) for index in range(FRAMES)]
    points = np.full((FRAMES, 543, 3), np.nan, np.float32)
    points[:, RIGHT_HAND] = 0.4 + 0.2 * np.repeat(random.random((FRAMES // 15, 21, 3)), 15, axis=0)
    clip = LandmarkSequence(points, np.arange(FRAMES) / FPS, aspect=WIDTH / HEIGHT)
    reading = reader.read_landmarks(clip)
    with open_detector(reader.engine) as detector:
        steps: dict[str, Callable[[], Any]] = {
            "detector": lambda: [detector.detect(frame) for frame in frames],
            "features and network": lambda: reader.read_landmarks(clip),
            "decoding": lambda: reader.decode(reading, clip.times_s),
        }
        return {name: 1000 * _median_s(step, runs) / FRAMES for name, step in steps.items()}


def _median_s(step: Callable[[], Any], runs: int) -> float:
    """Return the median seconds of ``runs`` runs, after one warm-up."""
    step()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return median(times)
