"""Plots: the counts behind them, and that the pictures show what they should."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_report import colored, pixels
from sklearn.metrics import confusion_matrix

from signary.errors import ExtraMissing, InputError, ShapeError
from signary.evaluation.metrics import per_class, wilson_interval
from signary.evaluation.report.figure import drawn
from signary.evaluation.report.plots import (
    confusion_counts,
    plot_confusion,
    plot_examples,
    plot_groups,
    plot_per_class,
    plot_reliability,
    reach_of,
)
from signary.text.calibrate import reliability

TARGETS = ["A", "A", "B", "C", "C", "C"]
READ = ["A", "B", "B", "C", "", "A"]


def test_counts_equal_scikit_learn() -> None:
    labels = ["A", "B", "C", ""]
    counts = confusion_counts(TARGETS, READ, labels, labels)
    np.testing.assert_array_equal(counts, confusion_matrix(TARGETS, READ, labels=labels))


def test_rows_and_columns_may_differ() -> None:
    counts = confusion_counts(TARGETS, READ, ["C", "A", "B"], ["C", "", "A", "B"])
    np.testing.assert_array_equal(counts, [[1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1]])


@pytest.mark.parametrize("size", [1, 5, 29, 41, 250])
def test_confusion_of_any_number_of_classes(tmp_path: Path, size: int) -> None:
    labels = [f"sign-{number}" for number in range(size)]
    plot_confusion(labels, labels, labels, tmp_path / "a.png")
    height, width, _ = pixels(tmp_path / "a.png").shape
    assert 300 <= height <= 2000
    assert 300 <= width <= 2000


def test_a_perfect_reader_is_a_dark_diagonal(tmp_path: Path) -> None:
    labels = [f"sign-{number}" for number in range(41)]  # too many for numbers in the cells
    plot_confusion(labels, labels, labels, tmp_path / "right.png")
    plot_confusion(labels, labels[::-1], labels, tmp_path / "wrong.png")
    right, wrong = (pixels(tmp_path / name) for name in ("right.png", "wrong.png"))
    dark = (right == [8, 48, 107]).all(axis=2)  # the darkest blue of the map
    rows, columns = np.nonzero(dark[:, : dark.shape[1] * 4 // 5])  # without the color bar
    assert np.corrcoef(rows, columns)[0, 1] > 0.99
    dark = (wrong == [8, 48, 107]).all(axis=2)
    rows, columns = np.nonzero(dark[:, : dark.shape[1] * 4 // 5])
    assert np.corrcoef(rows, columns)[0, 1] < -0.99


@pytest.mark.parametrize(
    "labels", [["$a$", "$$", "_x^"], ["a" * 300, "\udce9", "b"], ["", " ", "|"], ["ñ", "日", "\\frac"]]
)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_labels_are_never_taken_for_formulas(tmp_path: Path, labels: list[str]) -> None:
    plot_confusion(labels, labels[::-1], labels, tmp_path / "a.png")
    plot_per_class(per_class(labels, labels[::-1]), tmp_path / "b.png")
    assert pixels(tmp_path / "a.png").std() > 0
    assert pixels(tmp_path / "b.png").std() > 0


def classes_of(share: float, path: Path) -> None:
    hits = round(20 * share)
    plot_per_class(per_class(["A"] * 20, ["A"] * hits + [""] * (20 - hits)), path)


def groups_of(share: float, path: Path) -> None:
    plot_groups({"": {"n": 4000, "accuracy": share}, "$x$": {"n": 4000, "accuracy": share}}, path)


@pytest.mark.parametrize("draw", [classes_of, groups_of])
def test_bars_grow_with_accuracy(tmp_path: Path, draw: Callable[[float, Path], None]) -> None:
    blue = []
    for share in (0.0, 0.25, 0.5):
        draw(share, tmp_path / f"{share}.png")
        blue.append(colored(tmp_path / f"{share}.png"))
    assert blue[0] == 0
    assert blue[2] == pytest.approx(2 * blue[1], rel=0.05)


def test_reliability_with_empty_bins(tmp_path: Path) -> None:
    plot_reliability(reliability([0.05, 0.95, 0.97], [False, True, True]), tmp_path / "a.png")
    plot_reliability(reliability([], []), tmp_path / "none.png")
    assert pixels(tmp_path / "a.png").std() > pixels(tmp_path / "none.png").std() > 0


def test_intervals_are_wilsons() -> None:
    reach = reach_of(np.array([0.0, 1 / 3, 1.0]), np.array([5.0, 9.0, 7.0]))
    for column, (correct, n) in zip(reach.T, ((0, 5), (3, 9), (7, 7)), strict=True):
        low, high = wilson_interval(correct, n)
        np.testing.assert_allclose(column, [correct / n - low, high - correct / n], atol=1e-12)


@pytest.mark.parametrize("number", [1, 60])
def test_groups_of_any_number(tmp_path: Path, number: int) -> None:
    plot_groups({str(group): {"n": 3, "accuracy": 1 / 3} for group in range(number)}, tmp_path / "a.png")
    assert 200 <= pixels(tmp_path / "a.png").shape[0] <= 2100


def test_the_contact_sheet_shows_every_picture(tmp_path: Path) -> None:
    red, green = (np.full((120, 120, 3), color, np.uint8) for color in ([250, 0, 0], [0, 250, 0]))
    plot_examples([("$U$ read as R", [red], "R", [green, green]), ("", [red], "", [])], tmp_path / "a.png")
    sheet = pixels(tmp_path / "a.png")
    height, width, _ = sheet.shape
    reds, greens = ((sheet == color).all(axis=2) for color in ([250, 0, 0], [0, 250, 0]))
    assert reds.sum() == pytest.approx(greens.sum(), rel=0.05)
    assert not reds[:, width // 4 :].any()
    assert not greens[:, : width // 2].any()
    assert reds[: height // 2].any()
    assert reds[height // 2 :].any()


DRAW = pytest.mark.parametrize(
    "draw",
    [
        lambda path: plot_examples([("A", [np.zeros((8, 8, 3), np.uint8)], "B", [])], path),
        lambda path: plot_confusion(TARGETS, READ, ["A", "B", "C"], path),
        lambda path: plot_per_class(per_class(TARGETS, READ), path),
        lambda path: plot_reliability(reliability([0.5], [True]), path),
        lambda path: plot_groups({"ann": {"n": 8, "accuracy": 0.5}}, path),
    ],
    ids=["examples", "confusion", "classes", "reliability", "groups"],
)


@DRAW
def test_an_existing_picture_is_kept(tmp_path: Path, draw: Callable[[Path], None]) -> None:
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        draw(path)
    assert path.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_a_forced_picture_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("mine")
    with drawn(path, 1, 2, force=True):
        pass
    assert pixels(path).shape == (240, 120, 3)


@DRAW
def test_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draw: Callable[[Path], None]) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraMissing, match=r"matplotlib: not installed .*signary\[train\]"):
        draw(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_refuses(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(InputError, match="0 clips"):
        plot_confusion([], [], ["A"], path)
    with pytest.raises(InputError, match=r"\['B'\]: not among the labels"):
        plot_confusion(["B"], ["A"], ["A"], path)
    with pytest.raises(ShapeError, match="1 targets, 2 predictions"):
        plot_confusion(["A"], ["A", "A"], ["A"], path)
    with pytest.raises(InputError, match="0 classes"):
        plot_per_class({}, path)
    with pytest.raises(InputError, match="0 groups"):
        plot_groups({}, path)
    for rows in ([], [("A", [], "B", [])]):
        with pytest.raises(InputError, match="0 pictures"):
            plot_examples(rows, path)
    assert not path.exists()
