"""What is read of a training from its run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from signary.evaluation.report.history import Step, read_history, read_learning

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
