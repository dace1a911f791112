"""What the benchmark of videos learns from, and how it reckons."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning")
sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from transfer import LSTM, SETS, WAYS, interval, rows_of, some


def test_some_clips_of_each_class() -> None:
    places = np.repeat([3, 4, 5], [4, 1, 9])
    rows = np.flatnonzero(places != 5)
    few = some(rows, places, 2, seed=0)
    assert places[few].tolist() == [3, 3, 4]
    assert some(rows, places, 0, seed=0).tolist() == rows.tolist()
    assert some(rows, places, 2, seed=0).tolist() == few.tolist()
    assert any(some(rows, places, 2, seed=seed).tolist() != few.tolist() for seed in range(1, 9))


def test_intervals_are_students() -> None:
    told = interval([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (told["mean"], told["half_width"]) == (0.3, pytest.approx(2.776 * 0.1581 / 5**0.5, abs=1e-3))


def test_gains_are_of_the_same_seeds() -> None:
    before, after = ("commands", LSTM, 1), ("commands", "after digits, freeze all", 1)
    scores = {before: {0: [0.1, 0.2, 0.3], 1: [0.4, 0.5, 0.6]}, after: {1: [0.5, 0.6, 0.7], 0: [0.2, 0.3, 0.4]}}
    first, second = rows_of(scores)
    assert (first["mean"], first["signers"], "gain" in first) == (0.35, [0.25, 0.35, 0.45], False)
    assert (second["over"], second["gain"]) == (LSTM, {"mean": 0.1, "half_width": 0.0})
    assert second["chance"] == round(1 / len(SETS["commands"]), 4)


def test_each_way_has_its_random_counterpart() -> None:
    random = [name.removesuffix(" on random weights") for name in WAYS if name.endswith(" on random weights")]
    assert random == ["video-lstm", "video-transformer"] and all(name in WAYS for name in random)
