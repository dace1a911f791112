"""The page: whole, alone, and nothing in it but text where a name is shown."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from signary.evaluation.report.markup import Section, folded, named, plot, shown, table
from signary.evaluation.report.page import size_of, write_page
from signary.evaluation.report.pairs import Example, Mistake, pairs
from signary.evaluation.wording import counted

HOSTILE = "\"><script>alert(1)</script><img src=http://a.example/x onerror='go()'>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a<b> & \"c\" 'd'", "a&lt;b&gt; &amp; &quot;c&quot; &#x27;d&#x27;"),
        ("", "(nothing)"),
        ("  ", "<code>&#x27;  &#x27;</code>"),
        ("two\nlines\x00", "two\\nlines\\x00"),
        ("turned \u202egnp.exe", "turned \\u202egnp.exe"),
        (os.fsdecode(b"caf\xe9"), "caf\\udce9"),
        ("日本 ñ $title ${body}", "日本 ñ $title ${body}"),
        ("क्\u200dष", "क्\u200dष"),
        (0.25, "0.2500"),
        (np.float32(0.5), "0.5000"),
        (7, "7"),
        (None, ""),
    ],
)
def test_values_are_shown_as_text(value: object, text: str) -> None:
    assert shown(value) == text


def test_words() -> None:
    assert (named("f1_weighted"), named("top5"), named("balanced_accuracy")) == (
        "F1, weighted",
        "top-5",
        "balanced accuracy",
    )
    assert (counted(1, "class"), counted(2, "class"), counted(0, "file")) == ("1 class", "2 classes", "0 files")
    assert [size_of(value) for value in (3, np.int64(4), ["a"], None)] == [3, 4, 1, 0]


def test_a_page_of_nothing(read_page: Callable[[str], Any]) -> None:
    page = read_page(write_page({}, []))
    assert "0 files read, 0 skipped" in page.text
    assert page.sections.keys() == {""}
    assert "Warning" not in str(page.tags)


def test_hostile_names_stay_text(read_page: Callable[[str], Any], tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    example = Example(np.zeros((120, 100, 3), np.uint8), HOSTILE, 0.5)
    html = "".join((
        table((shown(HOSTILE), "n"), [(shown(HOSTILE), shown(HOSTILE))], shown(HOSTILE)),
        plot(tmp_path / "a.png", HOSTILE, wide=True),
        pairs([[Mistake(HOSTILE, HOSTILE, 1, 2, (example,), (example,))]]),
    ))  # fmt: skip
    page = read_page(
        write_page(
            {"model": HOSTILE, "data": HOSTILE, "n": 1, "skipped": [HOSTILE]},
            [Section("a", HOSTILE, html), Section("b", HOSTILE, folded(shown(HOSTILE), shown(HOSTILE)))],
        )
    )
    assert page.text.count(HOSTILE) >= 11
    assert page.tables["a"] == [[HOSTILE, "n"], [HOSTILE, HOSTILE]]
    assert page.sections["b"].count(HOSTILE) == 3
    pictures = page.all("img")
    assert pictures[0]["alt"] == HOSTILE
    assert pictures[1]["alt"] == f"{HOSTILE}, read as {HOSTILE}: {HOSTILE}"


def test_dollars_are_no_placeholders(read_page: Callable[[str], Any]) -> None:
    page = read_page(write_page({"model": "$body", "data": "$nothing"}, [Section("a", "A", "<p>$title</p>")]))
    assert page.sections["a"].split() == ["A", "$title"]
    assert "$body on $nothing" in page.text


def test_training_files_are_warned_of_before_the_figures(read_page: Callable[[str], Any]) -> None:
    for trained_on, said in ((1, "1 of these 4 files was part"), (["a", "b"], "2 of these 4 files were part")):
        page = read_page(write_page({"n": 4, "trained_on": trained_on, "metrics": {"accuracy": 0.5}}, []))
        assert said in page.text
        assert page.text.index(said) < page.text.index("50.0%")
        assert {"class": "warning", "aria-label": "Warning"} in page.all("aside")


def test_what_was_held_out_is_said_beside_the_warning(read_page: Callable[[str], Any]) -> None:
    rest = {"n": 100, "metrics": {"accuracy": 0.95, "top5": 0.99}}
    told = {"n": 150, "trained_on": 50, "unit": "clip", "metrics": {"accuracy": 0.97}, "held_out": rest}
    page = read_page(write_page(told | {"skipped": ["label 'x': 20 clips"], "n_skipped": 20}, []))
    assert "150 clips read, 20 skipped." in page.text
    assert "50 of these 150 clips were part of the model’s training: the figures flatter it." in page.text
    assert "Of the other 100 clips it read 95.0% right, 95% interval 88.8–97.8%." in page.text
    assert page.tables["figures"].count(["top-5", "0.9900"]) == 1
    spelled = {"n": 100, "metrics": {"score": 0.99, "cer": 0.01, "exact": 0.95}}
    assert "it read 95.0% right" in read_page(write_page(told | {"held_out": spelled}, [])).text


def test_figures_at_the_top(read_page: Callable[[str], Any]) -> None:
    metrics = {"accuracy": 0.95, "top5": 0.99, "f1_weighted": 0.9}
    speed = {"files_per_s": 12.345, "median_ms": 61.7, "p95_ms": 120.0}
    page = read_page(write_page({"n": 100, "metrics": metrics, "speed": speed}, []))
    for said in ("95.0%", "95% interval 88.8–97.8%", "99.0%", "12.3", "median 61.7 ms a file"):
        assert said in page.text


def test_thumbnails_are_the_pictures(read_page: Callable[[str], Any]) -> None:
    red, blue = (np.full((120, 160, 3), color, np.uint8) for color in ([200, 20, 20], [20, 20, 200]))
    ways = [
        Mistake("U", "R", 14, 286, (Example(red, "u1.jpg", 0.913), Example(red, "u2.jpg")), (Example(blue, "r.jpg"),)),
        Mistake("R", "U", 5, 290),
    ]
    page = read_page(write_page({}, [Section("pairs", "Pairs", pairs([ways]))]))
    text = " ".join(page.sections["pairs"].split())
    assert "U and R" in text
    assert "U read as R 14 times of 286 (5%)" in text
    assert "R read as U 5 times of 290 (2%)" in text
    assert text.count("sure") == 1
    assert "91% sure" in text
    pictures = page.all("img")
    names = ["U, read as R: u1.jpg", "U, read as R: u2.jpg", "R, read right: r.jpg"]
    assert [picture["alt"] for picture in pictures] == names
    for picture, color in zip(pictures, (red, red, blue), strict=True):
        with Image.open(io.BytesIO(base64.b64decode(picture["src"].split(",")[1]))) as image:
            assert (image.format, image.size) == ("JPEG", (160, 120))
            assert np.abs(np.asarray(image).astype(int) - color).max() < 12


def test_pairs_without_pictures_are_small_cards(read_page: Callable[[str], Any]) -> None:
    page = read_page(write_page({}, [Section("pairs", "Pairs", pairs([[Mistake("K", "V", 1, 4)]]))]))
    assert {"class": "pairs"} in page.all("div")
    assert page.all("img") == []
    assert "K read as V 1 time of 4 (25%)" in page.text
