"""Plots: the counts behind them, and that the pictures show what they should."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix

from signary.errors import ExtraMissing, InputError, ShapeError
from signary.evaluation.metrics import per_class
from signary.evaluation.plots import (
    Curve,
    confusion_counts,
    plot_confusion,
    plot_curves,
    plot_examples,
    plot_per_class,
    plot_reliability,
    smoothed,
)
from signary.text.calibrate import reliability

TARGETS = ["A", "A", "B", "C", "C", "C"]
READ = ["A", "B", "B", "C", "", "A"]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


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
    right, wrong = (pixels(tmp_path / name).astype(int) for name in ("right.png", "wrong.png"))
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


def test_per_class_bars_grow_with_accuracy(tmp_path: Path) -> None:
    blue = []
    for hits in (0, 5, 10):
        plot_per_class(per_class(["A"] * 10, ["A"] * hits + [""] * (10 - hits)), tmp_path / f"{hits}.png")
        blue.append(int((pixels(tmp_path / f"{hits}.png") == [0x2F, 0x6F, 0x9F]).all(axis=2).sum()))
    assert blue[0] == 0
    assert blue[2] == pytest.approx(2 * blue[1], rel=0.05)


def test_reliability_with_empty_bins(tmp_path: Path) -> None:
    plot_reliability(reliability([0.05, 0.95, 0.97], [False, True, True]), tmp_path / "a.png")
    plot_reliability(reliability([], []), tmp_path / "none.png")
    assert pixels(tmp_path / "a.png").std() > pixels(tmp_path / "none.png").std() > 0


def blue(path: Path) -> int:
    return int((pixels(path) == [0x2F, 0x6F, 0x9F]).all(axis=2).sum())


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
    assert blue(tmp_path / "four.png") > blue(tmp_path / "one.png") > blue(tmp_path / "train.png") == 0


def test_a_long_lonely_loss_is_smoothed(tmp_path: Path) -> None:
    values = [float(place % 2) for place in range(100)]
    for name, number in (("long", 100), ("short", 10)):
        curve = Curve([float(place) for place in range(number)], values[:number])
        plot_curves({"final": {"loss": curve}}, tmp_path / f"{name}.png")
    assert blue(tmp_path / "long.png") > 0 == blue(tmp_path / "short.png")


def test_smoothed_by_hand() -> None:
    np.testing.assert_allclose(smoothed([1, 2, 6, 2, 4], 2), [1, 3, 3, 4, 4])
    np.testing.assert_allclose(smoothed([5, 1], 0), [5, 1])
    assert smoothed([], 3).shape == (0,)


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


def draw_curves(path: Path, *, force: bool = False) -> None:
    plot_curves({"final": {"loss": Curve([1, 2], [2, 1])}}, path, force=force)


def draw_examples(path: Path, *, force: bool = False) -> None:
    plot_examples([("A", [np.zeros((8, 8, 3), np.uint8)], "B", [])], path, force=force)


def draw_confusion(path: Path, *, force: bool = False) -> None:
    plot_confusion(TARGETS, READ, ["A", "B", "C"], path, force=force)


def draw_classes(path: Path, *, force: bool = False) -> None:
    plot_per_class(per_class(TARGETS, READ), path, force=force)


def draw_reliability(path: Path, *, force: bool = False) -> None:
    plot_reliability(reliability([0.5], [True]), path, force=force)


DRAW = pytest.mark.parametrize("draw", [draw_confusion, draw_classes, draw_reliability, draw_curves, draw_examples])


@DRAW
def test_an_existing_picture_is_kept_unless_forced(tmp_path: Path, draw: Callable[..., None]) -> None:
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        draw(path)
    assert path.read_text() == "mine"
    draw(path, force=True)
    assert pixels(path).ndim == 3
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@DRAW
def test_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draw: Callable[..., None]) -> None:
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
    for history in ({}, {"final": {}}, {"final": {"lr": Curve([1], [1])}}):
        with pytest.raises(InputError, match="0 curves"):
            plot_curves(history, path)
    for rows in ([], [("A", [], "B", [])]):
        with pytest.raises(InputError, match="0 pictures"):
            plot_examples(rows, path)
    assert not path.exists()
