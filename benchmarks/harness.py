"""Shared by all benchmarks: alternating runs, ratios with their spread, the machine's speed, and options."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def alternate(tasks: Mapping[str, Callable[[], Any]], runs: int) -> dict[str, list[float]]:
    """Run tasks in turn, once without measuring, then ``runs`` times; return the seconds of each run."""
    for task in tasks.values():
        task()
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            times[name].append(time.perf_counter() - start)
    return times


def ratio(above: list[float], below: list[float]) -> dict[str, float]:
    """Return median, minimum and maximum of the ratios of paired runs."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def matrix_rate() -> float:
    """Return this machine's rate of multiplying 512 x 512 float32 matrices, in GFLOP/s."""
    matrix = np.ones((512, 512), np.float32)
    times = alternate({"matmul": lambda: [matrix @ matrix for _ in range(10)]}, 5)["matmul"]
    return 10 * 2 * 512**3 / statistics.median(times) / 1e9


def parser(text: str | None) -> argparse.ArgumentParser:
    """Return a parser of ``--quick``, ``--json`` and ``--data``."""
    asked = argparse.ArgumentParser(description=text)
    asked.add_argument("--quick", action="store_true", help="fewer runs or steps")
    asked.add_argument("--json", action="store_true", help="write one JSON object and nothing else")
    asked.add_argument("--data", default="../shared/data", help="folder of the recipes' sources")
    return asked


def arguments(text: str | None) -> argparse.Namespace:
    """Read ``--quick``, ``--json`` and ``--data``."""
    return parser(text).parse_args()


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Write a result to stdout."""
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:32} {value}\n")
