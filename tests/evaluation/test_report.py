"""Reports: the folder, its tables and that nothing is left of one that failed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signary.errors import ExtraMissing, InputError, ShapeError
from signary.evaluation.metrics import classification_metrics, per_class, spelling_metrics
from signary.evaluation.report import worst_confusions, write_report

TARGETS = ["A"] * 10 + ["K"] * 10 + [""] * 5
READ = ["A"] * 10 + ["K"] * 6 + ["V"] * 3 + [""] + [""] * 4 + ["A"]
SURE = np.linspace(0.3, 1, 25)


def evaluation(targets: Sequence[str] = TARGETS, read: Sequence[str] = READ, **changes: Any) -> dict[str, Any]:
    return {
        "model": "letters",
        "data": "../photos_of|hands",
        "n": len(targets),
        "skipped": [],
        "trained_on": 0,
        "metrics": classification_metrics(targets, read, [[word] for word in read]),
        "per_class": per_class(targets, read),
        "by": {"signer": {"1": {"n": 20, "accuracy": 0.95}, "2": {"n": 5, "accuracy": 0.2}}},
    } | changes


def tables(text: str) -> dict[str, list[list[str]]]:
    """Return the rows of the table under each heading; all rows of one table are equally long."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            cells = line.replace("\\|", "\0").strip("|").split("|")
            found.setdefault(heading, []).append([cell.strip().replace("\0", "|") for cell in cells])
    assert all(len({len(row) for row in rows}) == 1 for rows in found.values())
    return {heading: rows[2:] for heading, rows in found.items()}


def test_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    assert write_report(folder, evaluation(), TARGETS, READ, SURE) == folder
    names = ["confusion.png", "evaluation.json", "per-class.png", "reliability.png", "report.md"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert json.loads((folder / "evaluation.json").read_text(encoding="utf-8")) == evaluation()
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert all(f"]({name})" in text for name in names if name.endswith(".png"))


def test_the_tables(tmp_path: Path) -> None:
    write_report(tmp_path / "report", evaluation(), TARGETS, READ, SURE)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# letters on ../photos\\_of\\|hands\n")
    assert "25 clips read, 0 skipped." in text
    assert "Mean confidence 0.6500, right 0.8000" in text
    found = tables(text)
    summary = dict(map(tuple, next(iter(found.values()))))
    assert summary["accuracy"] == "0.8000"
    assert summary["accuracy, 95 % interval"] == "0.6087 to 0.9114"
    assert summary["balanced accuracy"] == f"{(1 + 0.6 + 0.8) / 3:.4f}"
    assert [row[:4] for row in found["Classes"]] == [
        ["K", "10", "6", "0.6000"],
        ["(nothing)", "5", "4", "0.8000"],
        ["A", "10", "10", "1.0000"],
    ]
    assert found["Most frequent mistakes"] == [
        ["K", "V", "3", "30%"],
        ["(nothing)", "A", "1", "20%"],
        ["K", "(nothing)", "1", "10%"],
    ]
    assert found["By signer"] == [["1", "20", "0.9500"], ["2", "5", "0.2000"]]


def test_files_of_the_training_are_warned_of(tmp_path: Path) -> None:
    write_report(tmp_path / "report", evaluation(trained_on=7), TARGETS, READ)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "**7 of these files were part of the model's training" in text
    assert not (tmp_path / "report" / "reliability.png").exists()


@pytest.mark.parametrize(
    ("skipped", "count", "lines"),
    [
        (0, 0, []),
        (3, 3, []),
        (["a.txt", "b.jpg"], 2, ["- a.txt", "- b.jpg"]),
        ([{"source": "a.jpg", "reason": "label Ä outside"}], 1, ["- a.jpg: label Ä outside"]),
        ([f"{number}.jpg" for number in range(60)], 60, ["- and 10 more: see evaluation.json"]),
    ],
)
def test_what_was_skipped_is_named(tmp_path: Path, skipped: object, count: int, lines: list[str]) -> None:
    write_report(tmp_path / "report", evaluation(skipped=skipped), TARGETS, READ)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert f", {count} skipped." in text
    assert set(lines) <= set(text.splitlines())
    assert ("## Skipped" in text) == bool(lines)


def test_spelling_has_no_pictures_of_classes(tmp_path: Path) -> None:
    spelled, read = ["hello", "a|b_c", "yes"], ["helo", "a|b", "yes"]
    figures = evaluation(per_class={}, by={}, metrics=spelling_metrics(spelled, read), n=3)
    write_report(tmp_path / "report", figures, spelled, read, [0.5, 0.6, 0.9])
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "evaluation.json", "reliability.png", "report.md",
    ]  # fmt: skip
    found = tables((tmp_path / "report" / "report.md").read_text(encoding="utf-8"))
    assert found["Most frequent mistakes"] == [["a|b\\_c", "a|b", "1", "100%"], ["hello", "helo", "1", "100%"]]


def test_numpy_numbers_and_odd_names_can_be_written(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    figures = evaluation(data=odd, n=np.int64(25), by={"signer": {odd: {"accuracy": np.float32(0.5)}}})
    write_report(tmp_path / "report", figures, TARGETS, READ)
    read = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    assert (read["data"], read["n"], read["by"]["signer"][odd]["accuracy"]) == (odd, 25, 0.5)


def test_worst_confusions_are_sorted_by_number_then_name() -> None:
    pairs = [("B", "A"), ("A", "B"), ("A", "A"), ("C", "A"), ("C", "A")]
    assert worst_confusions(*zip(*pairs, strict=True)) == [("C", "A", 2), ("A", "B", 1), ("B", "A", 1)]


def test_an_existing_report_is_kept_unless_forced(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_report(folder, evaluation(), TARGETS, READ)
    with pytest.raises(InputError, match="exists already"):
        write_report(folder, evaluation(n=1), TARGETS, READ)
    write_report(folder, evaluation(n=1), TARGETS, READ, force=True)
    assert json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["n"] == 1


def test_a_folder_of_something_else_is_kept_even_if_forced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.md").write_text("years of work")
    with pytest.raises(InputError, match="is no folder of this kind, so it stays"):
        write_report(tmp_path / "mine", evaluation(), TARGETS, READ, force=True)
    with pytest.raises(InputError, match="is no folder of this kind, so it stays"):
        write_report(tmp_path / "mine" / "thesis.md", evaluation(), TARGETS, READ, force=True)
    assert (tmp_path / "mine" / "thesis.md").read_text() == "years of work"


def test_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraMissing, match="matplotlib"):
        write_report(tmp_path / "report", evaluation(), TARGETS, READ)
    assert not list(tmp_path.iterdir())


def test_refuses_what_is_not_of_one_length(tmp_path: Path) -> None:
    for read, sure in ((READ[1:], None), (READ, [0.5])):
        with pytest.raises(ShapeError, match="not of one length"):
            write_report(tmp_path / "report", evaluation(), TARGETS, read, sure)
    with pytest.raises(InputError, match="no such folder"):
        write_report(tmp_path / "a" / "report", evaluation(), TARGETS, READ)
    assert not list(tmp_path.iterdir())
