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
from PIL import Image

from signary.errors import ExtraMissing, InputError, ShapeError
from signary.evaluation.metrics import classification_metrics, per_class, spelling_metrics
from signary.evaluation.plots import Curve
from signary.evaluation.report import confused_pairs, read_history, thumbnail, worst_confusions, write_report
from signary.video.write import write_video

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


def write_photos(folder: Path, number: int) -> list[Path]:
    """Write photos that can be told apart by their grey."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{place}.png" for place in range(number)]
    for place, path in enumerate(paths):
        Image.new("RGB", (60, 40), (place * 8,) * 3).save(path)
    return paths


def write_log(run: Path, stage: str, text: str) -> Path:
    path = run / "logs" / "csv" / stage / "metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_folder(tmp_path: Path, read_page: Read) -> None:
    folder = tmp_path / "report"
    history = {"final": {"loss": Curve([1, 2], [2.0, 1.0], "epoch")}}
    paths = write_photos(tmp_path / "data", 25)
    assert write_report(folder, evaluation(), TARGETS, READ, SURE, paths=paths, history=history) == folder
    names = [
        *("confused-pairs.png", "confusion.png", "curves.png"),
        *("evaluation.json", "per-class.png", "reliability.png", "report.html"),
    ]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert json.loads((folder / "evaluation.json").read_text(encoding="utf-8")) == evaluation()
    page = page_of(folder, read_page)
    inside = {base64.b64decode(picture["src"].split(",")[1]) for picture in page.all("img")}
    for name in ("confusion.png", "curves.png", "per-class.png", "reliability.png"):
        assert (folder / name).read_bytes() in inside
    headings = ["pairs", "confusion", "classes", "mistakes", "confidence", "training", "by-0", "figures"]
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
        ["class", "n", "right", "precision", "recall", "F1"],
        ["K", "10", "6", "1.0000", "0.6000", "0.7500"],
        ["(nothing)", "5", "4", "0.8000", "0.8000", "0.8000"],
        ["A", "10", "10", "0.9091", "1.0000", "0.9524"],
    ]
    assert found["mistakes"][1:] == [
        ["K", "V", "3", "30%"],
        ["(nothing)", "A", "1", "20%"],
        ["K", "(nothing)", "1", "10%"],
    ]
    assert found["by-0"] == [["signer", "n", "accuracy"], ["1", "20", "0.9500"], ["2", "5", "0.2000"]]


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
    write_report(tmp_path / "report", evaluation(["A"], ["A"]), ["A"], ["A"], paths=[tmp_path / "a.jpg"])
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
        paths=[path] * 4,
        history={label: {f"{label}_loss": Curve([1], [1])}},
    )
    page = page_of(tmp_path / "report", read_page)
    visible = label.encode("unicode_escape").decode() if not label.isprintable() else label
    assert [visible, "B", "1", "50%"] in page.tables["mistakes"]
    assert any(picture.get("title") == path.name for picture in page.all("img"))


def test_worst_confusions_are_sorted_by_number_then_name() -> None:
    pairs = [("B", "A"), ("A", "B"), ("A", "A"), ("C", "A"), ("C", "A")]
    assert worst_confusions(*zip(*pairs, strict=True)) == [("C", "A", 2), ("A", "B", 1), ("B", "A", 1)]


class TestConfusedPairs:
    """``confused_pairs`` and the pictures it shows."""

    def test_both_directions_are_one_pair(self) -> None:
        pairs = [("R", "U")] * 5 + [("U", "R")] * 14 + [("K", "V")] * 17 + [("A", "")] * 30 + [("U", "U")] * 6
        found = confused_pairs(*zip(*pairs, strict=True))
        said = [[(way.target, way.read, way.count, way.n) for way in ways] for ways in found]
        assert said == [[("U", "R", 14, 20), ("R", "U", 5, 5)], [("K", "V", 17, 17)]]

    def test_the_six_most_frequent(self) -> None:
        pairs = [(letter, "Z") for place, letter in enumerate("ABCDEFGH") for _ in range(place + 1)]
        found = confused_pairs(*zip(*pairs, strict=True))
        assert [ways[0].target for ways in found] == list("HGFEDC")

    def test_the_surest_are_shown_beside_what_was_read_right(self, tmp_path: Path) -> None:
        paths = write_photos(tmp_path, 7)
        found = confused_pairs(list("UUUUURR"), list("RRRRURU"), [0.1, 0.4, 0.3, 0.2, 0.9, 0.8, 0.7], paths)
        first, second = found[0]
        assert [one.name for one in first.wrong] == ["1.png", "2.png", "3.png"]
        assert [one.confidence for one in first.wrong] == [0.4, 0.3, 0.2]
        assert [one.name for one in first.right] == ["5.png"]
        assert [one.name for one in (*second.wrong, *second.right)] == ["6.png", "4.png"]
        assert first.wrong[0].image.max() == first.wrong[0].image.min() == 8

    def test_broken_pictures_make_room_for_the_next(self, tmp_path: Path) -> None:
        paths = write_photos(tmp_path, 5)
        paths[0].write_bytes(b"no picture")
        paths[1].unlink()
        ((mistake,),) = confused_pairs(["U"] * 5, ["R"] * 5, [0.9, 0.8, 0.7, 0.6, 0.5], paths)
        assert [one.name for one in mistake.wrong] == ["2.png", "3.png", "4.png"]
        assert mistake.right == ()

    def test_landmark_files_have_no_pictures(self, tmp_path: Path, read_page: Read) -> None:
        paths = [tmp_path / "a.npz"] * 25
        write_report(tmp_path / "report", evaluation(), TARGETS, READ, SURE, paths=paths)
        assert not (tmp_path / "report" / "confused-pairs.png").exists()
        page = page_of(tmp_path / "report", read_page)
        assert "K read as V 3 times of 10 (30%)" in page.sections["pairs"]
        assert "pictures" not in page.sections["pairs"]


@pytest.mark.parametrize(("size", "width"), [((60, 40), 180), ((40, 400), 60), ((900, 30), 240), ((1, 1), 120)])
def test_thumbnails_are_120_high(tmp_path: Path, size: tuple[int, int], width: int) -> None:
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "a.png")
    image = thumbnail(tmp_path / "a.png")
    assert image is not None
    assert (image.shape, image.dtype) == ((120, width, 3), np.uint8)
    assert (image == [10, 200, 30]).all()


def test_a_videos_first_frame_is_its_thumbnail(tmp_path: Path) -> None:
    frames = np.zeros((4, 64, 64, 3), np.uint8)
    frames[1:] = 255
    image = thumbnail(write_video(tmp_path / "a.mp4", frames, 25))
    assert image is not None
    assert (image.shape, image.max() < 40) == ((120, 120, 3), True)


def test_what_is_no_picture_has_no_thumbnail(tmp_path: Path) -> None:
    for name in ("a.npz", "broken.jpg", "broken.mp4", "gone.png", "a.txt"):
        if name != "gone.png":
            (tmp_path / name).write_bytes(b"nothing to see")
        assert thumbnail(tmp_path / name) is None
    (tmp_path / "folder.png").mkdir()
    assert thumbnail(tmp_path / "folder.png") is None


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

    def test_no_history_no_section(self, tmp_path: Path, read_page: Read) -> None:
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
            write_report(tmp_path / "report", evaluation(), TARGETS, read, sure, paths=paths)
    with pytest.raises(InputError, match="no such folder"):
        write_report(tmp_path / "a" / "report", evaluation(), TARGETS, READ)
    assert not list(tmp_path.iterdir())
