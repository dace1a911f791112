"""The benchmarks' harness: what it runs, and how it reckons."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from harness import alternate, arguments, matrix_rate, ratio, show


def test_runs_alternate_and_the_first_is_not_measured() -> None:
    order: list[str] = []
    times = alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert "".join(order) == "ab" * 4
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3}
    assert all(second >= 0 for seconds in times.values() for second in seconds)


def test_ratios_are_of_runs_side_by_side() -> None:
    assert ratio([2.0, 9.0, 4.0], [1.0, 3.0, 8.0]) == {"median": 2.0, "min": 0.5, "max": 3.0}
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])


def test_the_matrix_rate_is_a_rate() -> None:
    assert 0.01 < matrix_rate() < 1e6


def test_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--json", "--quick"])
    options = arguments("text")
    assert (options.json, options.quick, options.data) == (True, True, "../shared/data")
    show({"a": 1.5}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"a": 1.5}
    show({"a": 1.5}, as_json=False)
    assert capsys.readouterr().out.split() == ["a", "1.5"]
