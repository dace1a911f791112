"""How a training is drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from made_report import colored, pixels

from signary.errors import ExtraMissing, InputError
from signary.evaluation.report.curves import plot_curves, plot_learning, smoothed
from signary.evaluation.report.history import Curve, Step

STEPS = [Step(100, 0.5, 80), Step(1000, 0.75, 80)]


def test_curves_stand_side_by_side_a_row_a_stage(tmp_path: Path) -> None:
    def curve(*values: float) -> Curve:
        return Curve([1, 2], list(values), "epoch")

    losses = {"train_loss": curve(2, 1), "validation_loss": curve(2.2, 1.5)}
    both = losses | {"train_accuracy": curve(0.1, 0.9), "validation_accuracy": curve(0.1, 0.8), "lr": curve(1, 1)}
    plot_curves({"validation": both, "final": losses, "empty": {"lr": curve(1, 1)}}, tmp_path / "four.png")
    plot_curves({"validation": losses}, tmp_path / "one.png")
    plot_curves({"validation": {"train_loss": curve(2, 1)}}, tmp_path / "train.png")
    four, one = pixels(tmp_path / "four.png"), pixels(tmp_path / "one.png")
    assert four.shape[1] == 2 * one.shape[1]
    assert four.shape[0] == pytest.approx(2 * one.shape[0], rel=0.05)
    corner = four[four.shape[0] // 2 + 20 :, four.shape[1] // 2 + 20 :]
    assert (corner == 255).all()  # the final stage has no accuracy
    assert colored(tmp_path / "four.png") > colored(tmp_path / "one.png") > colored(tmp_path / "train.png") == 0


def test_a_long_lonely_loss_is_smoothed(tmp_path: Path) -> None:
    values = [float(place % 2) for place in range(100)]
    for name, number in (("long", 100), ("short", 10)):
        curve = Curve([float(place) for place in range(number)], values[:number])
        plot_curves({"final": {"loss": curve}}, tmp_path / f"{name}.png")
    assert colored(tmp_path / "long.png") > 0 == colored(tmp_path / "short.png")


def test_smoothed_by_hand() -> None:
    np.testing.assert_allclose(smoothed([1, 2, 6, 2, 4], 2), [1, 3, 3, 4, 4])
    np.testing.assert_allclose(smoothed([5, 1], 0), [5, 1])
    assert smoothed([], 3).shape == (0,)


def test_ten_times_the_clips_are_as_far_apart_everywhere(tmp_path: Path) -> None:
    plot_learning([Step(clips, 0.5, 100_000_000) for clips in (10, 100, 1000)], tmp_path / "a.png")
    picture = pixels(tmp_path / "a.png")
    thick = (picture == [0x2F, 0x6F, 0x9F]).all(axis=2).sum(axis=0) > 4  # the dots, not the line between them
    starts = np.flatnonzero(np.diff(thick.astype(int)) == 1)
    assert len(starts) == 3
    assert starts[2] - starts[1] == pytest.approx(starts[1] - starts[0], abs=1)


def test_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    for history in ({}, {"final": {}}, {"final": {"lr": Curve([1], [1])}}):
        with pytest.raises(InputError, match="0 curves"):
            plot_curves(history, path)
    with pytest.raises(InputError, match="0 steps"):
        plot_learning([], path)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraMissing, match=r"signary\[train\]"):
        plot_learning(STEPS, path)
    assert not path.exists()
