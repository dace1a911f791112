"""Reports: the folder, its page and that nothing is left of one that failed."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_report import write_photos
from PIL import Image

from signary.errors import ExtraMissing, InputError, ShapeError
from signary.evaluation.metrics import classification_metrics, per_class, spelling_metrics
from signary.evaluation.report.history import Curve, Step
from signary.evaluation.report.write import write_report

TARGETS = ["A"] * 10 + ["K"] * 10 + [""] * 5
READ = ["A"] * 10 + ["K"] * 6 + ["V"] * 3 + [""] + [""] * 4 + ["A"]
SURE = np.linspace(0.3, 1, 25)
Read = Callable[[str], Any]


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
        "speed": {"files_per_s": 12.5, "median_ms": 70.0, "p95_ms": 110.0},
    } | changes


def page_of(folder: Path, read_page: Read) -> Any:
    return read_page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_folder(tmp_path: Path, read_page: Read) -> None:
    folder = tmp_path / "report"
    history = {"final": {"loss": Curve([1, 2], [2.0, 1.0], "epoch")}}
    paths, steps = write_photos(tmp_path / "data", 25), [Step(100, 0.5, 80), Step(1000, 0.75, 80)]
    more = {"sources": paths, "history": history, "learning": steps}
    assert write_report(folder, evaluation(), TARGETS, READ, SURE, **more) == folder
    names = [
        *("by-0.png", "confused-pairs.png", "confusion.png", "curves.png", "evaluation.json"),
        *("learning.png", "per-class.png", "reliability.png", "report.html"),
    ]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert json.loads((folder / "evaluation.json").read_text(encoding="utf-8")) == evaluation()
    page = page_of(folder, read_page)
    inside = {base64.b64decode(picture["src"].split(",")[1]) for picture in page.all("img")}
    for name in ("by-0.png", "confusion.png", "curves.png", "learning.png", "per-class.png", "reliability.png"):
        assert (folder / name).read_bytes() in inside
    headings = ["pairs", "confusion", "classes", "mistakes", "confidence", "training", "learning", "by-0", "figures"]
    assert [section["id"] for section in page.all("section")] == headings


def test_the_tables(tmp_path: Path, read_page: Read) -> None:
    write_report(tmp_path / "report", evaluation(), TARGETS, READ, SURE)
    page = page_of(tmp_path / "report", read_page)
    assert "on ../photos_of|hands: 25 files read, 0 skipped." in page.text
    assert "Mean confidence 0.6500, right 0.8000" in page.text
    assert "80.0%" in page.text
    assert "95% interval 60.9–91.1%" in page.text
    found = page.tables
    figures = dict(found["figures"])
    assert figures["accuracy"] == "0.8000"
    assert figures["balanced accuracy"] == f"{(1 + 0.6 + 0.8) / 3:.4f}"
    assert figures["files a second"] == "12.5"
    assert (figures["median, ms a file"], figures["95% within, ms a file"]) == ("70", "110")
    assert found["classes"] == [
        ["class", "n", "right", "precision", "recall", "F1", "most often mistaken for"],
        ["K", "10", "6", "1.0000", "0.6000", "0.7500", "V (3)"],
        ["(nothing)", "5", "4", "0.8000", "0.8000", "0.8000", "A (1)"],
        ["A", "10", "10", "0.9091", "1.0000", "0.9524", ""],
    ]
    assert found["mistakes"][1:] == [
        ["K", "V", "3", "30%"],
        ["(nothing)", "A", "1", "20%"],
        ["K", "(nothing)", "1", "10%"],
    ]
    assert found["by-0"] == [["signer", "n", "accuracy"], ["1", "20", "0.9500"], ["2", "5", "0.2000"]]


def test_of_many_classes_the_ends_are_shown_and_the_rest_is_folded(tmp_path: Path, read_page: Read) -> None:
    labels = [f"sign-{number:03d}" for number in range(250)]
    targets = [label for label in labels for _ in range(4)]
    # of signs 100 to 199 one clip of four is taken for the next sign, of those after them two
    read = [
        labels[(place // 4 + 1) % 250] if place % 4 < place // 400 else target for place, target in enumerate(targets)
    ]
    signers = {str(signer): {"n": 10, "accuracy": signer / 50} for signer in range(50)}
    write_report(tmp_path / "report", evaluation(targets, read, by={"signer": signers}), targets, read)
    page = page_of(tmp_path / "report", read_page)
    rows = page.tables["classes"]
    heads = [place for place, row in enumerate(rows) if row[0] == "class"]
    assert heads == [0, 21, 42] and len(rows) == 42 + 1 + 250
    assert rows[1] == ["sign-200", "4", "2", "0.6667", "0.5000", "0.5714", "sign-201 (2)"]
    assert rows[22] == ["sign-000", "4", "4", "0.6667", "1.0000", "0.8000", ""]
    assert rows[23] == ["sign-001", "4", "4", "1.0000", "1.0000", "1.0000", ""]
    folds = [text for text in ("The whole matrix of 250 classes", "All 250 classes", "All 50") if text in page.text]
    assert len(folds) == 3 == len(page.all("details"))
    assert "confusion-most.png" in {path.name for path in (tmp_path / "report").iterdir()}


def test_files_of_the_training_are_warned_of(tmp_path: Path, read_page: Read) -> None:
    write_report(tmp_path / "report", evaluation(trained_on=7), TARGETS, READ)
    assert "7 of these 25 files were part of the model’s training" in page_of(tmp_path / "report", read_page).text
    assert not (tmp_path / "report" / "reliability.png").exists()


@pytest.mark.parametrize(
    ("skipped", "count", "lines"),
    [
        (0, 0, []),
        (3, 3, []),
        (["a.txt", "b<i>.jpg"], 2, ["a.txt", "b<i>.jpg"]),
        ([{"source": "a.jpg", "reason": "label Ä outside"}], 1, ["a.jpg: label Ä outside"]),
        ([f"{number}.jpg" for number in range(60)], 60, ["and 10 more: see evaluation.json"]),
    ],
)
def test_what_was_skipped_is_named(
    tmp_path: Path, read_page: Read, skipped: object, count: int, lines: list[str]
) -> None:
    write_report(tmp_path / "report", evaluation(skipped=skipped), TARGETS, READ)
    page = page_of(tmp_path / "report", read_page)
    assert f", {count} skipped." in page.text
    assert ("skipped" in page.sections) == bool(lines)
    assert all(line in page.sections["skipped"] for line in lines)


def test_spelling_has_no_pictures_of_classes(tmp_path: Path, read_page: Read) -> None:
    spelled, read = ["hello", "a|b_c", "yes"], ["helo", "a|b", "yes"]
    figures = evaluation(per_class={}, by={}, metrics=spelling_metrics(spelled, read), n=3)
    write_report(tmp_path / "report", figures, spelled, read, [0.5, 0.6, 0.9])
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "evaluation.json", "reliability.png", "report.html",
    ]  # fmt: skip
    page = page_of(tmp_path / "report", read_page)
    assert page.tables["mistakes"][1:] == [["a|b_c", "a|b", "1", "100%"], ["hello", "helo", "1", "100%"]]


def test_a_flawless_reader_has_no_mistakes(tmp_path: Path, read_page: Read) -> None:
    write_report(tmp_path / "report", evaluation(["A"], ["A"]), ["A"], ["A"], sources=[tmp_path / "a.jpg"])
    page = page_of(tmp_path / "report", read_page)
    assert not {"pairs", "mistakes"} & page.sections.keys()


def test_numpy_numbers_and_odd_names_can_be_written(tmp_path: Path, read_page: Read) -> None:
    odd = os.fsdecode(b"caf\xe9")
    figures = evaluation(data=odd, n=np.int64(25), by={"signer": {odd: {"accuracy": np.float32(0.5)}}})
    history = {odd: {f"{odd}_loss": Curve([1, 2], [1.0, 0.5])}}
    write_report(tmp_path / "report", figures, TARGETS, READ, history=history)
    read = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    assert (read["data"], read["n"], read["by"]["signer"][odd]["accuracy"]) == (odd, 25, 0.5)
    assert "on caf\\udce9: 25 files" in page_of(tmp_path / "report", read_page).text


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "$x$", '"onload="', "a\nb", "\u202eB"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_labels_and_files(tmp_path: Path, read_page: Read, label: str) -> None:
    targets, read = [label, label, "B", "B"], ["B", label, label, "B"]
    path = tmp_path / "<img src=x onerror=1>&'\"$body.png"
    Image.new("RGB", (40, 40)).save(path)
    figures = evaluation(targets, read, by={label: {label: {"n": 4}}})
    write_report(
        tmp_path / "report",
        figures,
        targets,
        read,
        sources=[path] * 4,
        history={label: {f"{label}_loss": Curve([1], [1])}},
    )
    page = page_of(tmp_path / "report", read_page)
    visible = label.encode("unicode_escape").decode() if not label.isprintable() else label
    assert [visible, "B", "1", "50%"] in page.tables["mistakes"]
    assert any(picture.get("title") == path.name for picture in page.all("img"))


def test_landmark_files_have_no_pictures(tmp_path: Path, read_page: Read) -> None:
    paths = [tmp_path / "a.npz"] * 25
    write_report(tmp_path / "report", evaluation(), TARGETS, READ, SURE, sources=paths)
    assert not (tmp_path / "report" / "confused-pairs.png").exists()
    page = page_of(tmp_path / "report", read_page)
    assert "K read as V 3 times of 10 (30%)" in page.sections["pairs"]
    assert "pictures" not in page.sections["pairs"]


def test_no_history_no_section(tmp_path: Path, read_page: Read) -> None:
    for place, history in enumerate((None, {}, {"final": {}}, {"final": {"lr-Adam": Curve([1], [1.0])}})):
        folder = write_report(tmp_path / f"report{place}", evaluation(), TARGETS, READ, history=history)
        assert "training" not in page_of(folder, read_page).sections
        assert not (folder / "curves.png").exists()


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
    for read, sure, paths in ((READ[1:], None, []), (READ, [0.5], []), (READ, None, [tmp_path])):
        with pytest.raises(ShapeError, match="not of one length"):
            write_report(tmp_path / "report", evaluation(), TARGETS, read, sure, sources=paths)
    with pytest.raises(InputError, match="no such folder"):
        write_report(tmp_path / "a" / "report", evaluation(), TARGETS, READ)
    assert not list(tmp_path.iterdir())
