"""How a model learned: what is read of a run, and how it is drawn."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_report import colored, pixels

from signary.errors import ExtraMissing, InputError
from signary.evaluation.report.curves import (
    Curve,
    Step,
    plot_curves,
    plot_learning,
    read_history,
    read_learning,
    smoothed,
)

STEPS = [Step(100, 0.5, 80), Step(1000, 0.75, 80)]


def write_log(run: Path, stage: str, text: str) -> Path:
    path = run / "logs" / "csv" / stage / "metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


class TestHistory:
    """``read_history``."""

    def test_one_value_an_epoch_lies_over_epochs(self, tmp_path: Path) -> None:
        header = "epoch,step,train_accuracy,train_loss,validation_accuracy,validation_loss\n"
        lines = ["0,9,,,0.5,2.0", "0,9,0.4,2.5,,", "1,19,,,0.75,1.0", "1,19,0.7,1.5,,"]
        write_log(tmp_path, "validation", header + "\n".join(lines) + "\n")
        (tmp_path / "bundle").mkdir()
        expected = {
            "validation": {
                "train_accuracy": ([1, 2], [0.4, 0.7], "epoch"),
                "train_loss": ([1, 2], [2.5, 1.5], "epoch"),
                "validation_accuracy": ([1, 2], [0.5, 0.75], "epoch"),
                "validation_loss": ([1, 2], [2.0, 1.0], "epoch"),
            }
        }
        assert read_history(tmp_path) == read_history(tmp_path / "bundle") == expected

    def test_several_values_an_epoch_lie_over_steps_with_all_beside_them(self, tmp_path: Path) -> None:
        rows = "epoch,loss,step,validation_loss\n0,3,19,\n0,2,39,\n0,,49,2.5\n1,1,59,\n1,,99,1.5\n"
        write_log(tmp_path, "final", rows)
        assert read_history(tmp_path)["final"] == {
            "loss": ([19, 39, 59], [3, 2, 1], "step"),
            "validation_loss": ([49, 99], [2.5, 1.5], "step"),
        }

    def test_what_was_logged_again_counts(self, tmp_path: Path) -> None:
        write_log(tmp_path, "final", "epoch,loss,step\n0,3,9\n1,2,19\n1,1.5,19\n2,1,29\n")
        assert read_history(tmp_path)["final"]["loss"] == ([1, 2, 3], [3, 1.5, 1], "epoch")

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", {}),
            ("epoch,loss,step\n", {}),
            ("epoch,loss,step\n0,nan,9\n1,inf,19\n", {}),
            ("epoch,loss,step\n0,oops,9\n1,2,19,7,8\n2\n,\n", {"loss": ([2], [2], "epoch")}),
            ("loss\n3\n2\n", {"loss": ([0, 1], [3, 2], "step")}),
            ("epoch,loss,step\n0,3,9\n,2,9\n", {"loss": ([9], [2], "step")}),
            ("epoch,loss\n0,3\n1,2\n", {"loss": ([1, 2], [3, 2], "epoch")}),
        ],
    )
    def test_odd_files(self, tmp_path: Path, text: str, found: dict[str, Any]) -> None:
        write_log(tmp_path, "final", text)
        assert read_history(tmp_path).get("final", {}) == found

    def test_none(self, tmp_path: Path) -> None:
        assert read_history(tmp_path) == read_history(tmp_path / "gone") == {}
        write_log(tmp_path, "a", "x").write_bytes(b"\xff\xfe\x00loss\n\x00")
        (tmp_path / "logs" / "csv" / "b" / "metrics.csv").mkdir(parents=True)
        assert read_history(tmp_path) == {}


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


@pytest.mark.parametrize("name", ["run", "bundle"])
def test_the_learning_curve_of_a_run(tmp_path: Path, name: str) -> None:
    steps = [step._asdict() for step in (STEPS[1], STEPS[0])]
    metrics = {"train": {}, "learning_curve": [*steps, {"clips": 0, "accuracy": 0.5, "n": 9}]}
    (tmp_path / "run" / "bundle").mkdir(parents=True)
    (tmp_path / "run" / "metrics.json").write_text(json.dumps(metrics))
    assert read_learning(tmp_path / "run" if name == "run" else tmp_path / "run" / "bundle") == STEPS


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "oops", '{"learning_curve": 3}', '{"learning_curve": [{"clips": 3}]}', "\udce9"]
)
def test_no_learning_curve(tmp_path: Path, text: str) -> None:
    assert read_learning(tmp_path) == []
    (tmp_path / "metrics.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_learning(tmp_path) == []


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
