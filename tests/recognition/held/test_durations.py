"""A frame lasts until the next one, the last as long as its file says."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from made_reader import make_points, make_reader
from PIL import Image

import signary
from signary.recognition.recognizer import Recognizer
from signary.server.practice import letter_picture
from signary.text.commit import HeldOptions, decode_held
from signary.text.vocabulary import Vocabulary
from signary.video.frame import LIVE_SHOWN_S

VOCABULARY = Vocabulary(("A", "B"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return make_reader(tmp_path_factory.mktemp("made") / "bundle")


def held(labels: str, times: list[float], ends: list[float] | None = None) -> list[tuple[str, float, float]]:
    rows = np.array([[0.9, 0.1] if label == "A" else [0.1, 0.9] for label in labels])
    seen = np.array([label != "-" for label in labels])
    still = np.zeros((len(labels), 2))
    known = None if ends is None else np.array(ends)
    options = HeldOptions(smooth_s=0.0)
    tokens = decode_held(rows, np.array(times), seen, still, VOCABULARY, options, known)
    return [(token.text, round(token.start_s, 3), round(token.end_s, 3)) for token in tokens]


def test_the_last_frame_of_two() -> None:
    assert held("AB", [0.0, 0.05], [0.05, 1.0]) == [("B", 0.05, 1.0)]
    assert held("AB", [0.0, 0.05]) == []


def test_a_frame_in_the_middle_lasts_until_the_next() -> None:
    assert held("ABA", [0.0, 0.04, 1.0], [0.04, 1.0, 1.04]) == [("B", 0.04, 1.0)]


def test_a_short_break_after_a_long_frame_is_bridged() -> None:
    assert held("A-A", [0.0, 1.0, 1.05], [1.0, 1.05, 2.0]) == [("A", 0.0, 2.0)]
    assert len(held("A-A", [0.0, 1.0, 1.3], [1.0, 1.3, 2.0])) == 2


def test_a_live_picture_says_nothing_of_what_comes_much_later(reader: Recognizer) -> None:
    points, session = make_points("AAB-"), reader.session()
    for row, time_s in zip(points, (0.0, 0.03, 0.06, 2.0), strict=True):
        session.push(row, time_s, 1.0, LIVE_SHOWN_S)
    assert [event for event in session.end() if event.text == "B"] == []
    session = reader.session()
    for row, time_s in zip(points, (0.0, 0.03, 0.06, 2.0), strict=True):
        session.push(row, time_s, 1.0)
    assert [(event.text, event.end_s) for event in session.end()] == [("B", 2.0)]


def test_a_gif_is_read_and_subtitled_for_as_long_as_it_is_shown(tmp_path: Path) -> None:
    first = Image.open(io.BytesIO(letter_picture("B", 6, "right"))).convert("RGB")
    last = first.point(lambda value: min(255, value + 4))
    first.save(tmp_path / "x.gif", save_all=True, append_images=[last], duration=[50, 950])
    reader = signary.load("letters")
    said = reader.recognize(tmp_path / "x.gif")
    assert said.text == "B"
    assert said.tokens[0].start_s <= 0.05
    assert said.tokens[0].end_s == pytest.approx(1.0)
    assert said.tokens[0].confidence > 0.9
    events = [event for event in reader.stream(tmp_path / "x.gif") if event.final]
    assert [(event.text, event.end_s) for event in events] == [("B", pytest.approx(1.0))]
