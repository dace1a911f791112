"""One live source: what is handed in, and what models refuse."""

from __future__ import annotations

import numpy as np
import pytest
from made_reader import make_points, make_reader

from signary.errors import ConfigError
from signary.recognition.recognizer import Recognizer
from signary.video.frame import Frame


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return make_reader(tmp_path_factory.mktemp("made") / "bundle")


def test_sessions_of_one_reader_do_not_mix(reader: Recognizer) -> None:
    words, final = ("ABI", "BAB"), {0: "", 1: ""}
    clips = [make_points([label for label in word for _ in range(15)]) for word in words]
    sessions = [reader.session(), reader.session(hand="right")]
    for frame in range(len(clips[0])):
        for who, session in enumerate(sessions):
            events = session.push(clips[who][frame], frame / 30, 1.0)
            final[who] += "".join(event.text for event in events if event.final)
    for who, session in enumerate(sessions):
        final[who] += "".join(event.text for event in session.end())
        session.close()
    assert tuple(final.values()) == words


def test_frames_are_looked_at(reader: Recognizer) -> None:
    session = reader.session(mirrored=True)
    points = session.look(Frame(np.zeros((48, 64, 3), np.uint8)))
    session.close()
    assert points.shape == (543, 3)
    assert np.isnan(points).all()
    assert session.push(points, 0.0) == session.end() == []


def test_words_need_a_whole_clip(reader: Recognizer) -> None:
    with pytest.raises(ConfigError, match="context='words'"):
        next(reader.stream(np.zeros((2, 48, 64, 3), np.uint8), context="words"))
    with pytest.raises(ConfigError, match="context='words'"):
        reader.session(context="words")
