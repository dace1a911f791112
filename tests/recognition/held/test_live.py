"""What a stream says, and that it is what the whole clip says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_reader import LABELS, MadeDetector, MadeFrames, make_points, make_reader

from signary.landmarks.repair import repair
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.held.live import KEPT_S, HeldWindow
from signary.recognition.recognizer import Recognizer
from signary.recognition.session import Session
from signary.text.recognition import Event, Token


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return make_reader(tmp_path_factory.mktemp("made") / "bundle")


def whole(reader: Recognizer, points: Points, fps: float) -> list[tuple[str, float, float]]:
    sequence = repair(LandmarkSequence(points, np.arange(len(points)) / fps, aspect=1.0))
    return spans(reader.recognize(sequence).tokens)


def spans(tokens: list[Token] | tuple[Token, ...]) -> list[tuple[str, float, float]]:
    return [(token.text, token.start_s, token.end_s) for token in tokens]


def streamed(reader: Recognizer, points: Points, fps: float = 30) -> list[Event]:
    session, events = Session(HeldWindow(reader.reader, "auto"), reader.task, MadeDetector(points)), list[Event]()
    for frame in MadeFrames(len(points), fps):
        events += session.push(session.look(frame), frame.time_s, frame.aspect)
    return events + session.end()


SEGMENT = st.tuples(
    st.sampled_from(["-", *LABELS, "A", "I", "D", "J", "Z"]),
    st.integers(1, 24),
    st.sampled_from([(0, 0), (0, 0), (0.02, 0), (-0.02, 0), (0, 0.02), (0.05, 0.01), (-0.03, 0.03)]),
)


@settings(max_examples=30)
@given(
    segments=st.lists(SEGMENT, max_size=14),
    chunks=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    noise=st.sampled_from([0.0, 1.0, 3.0]),
    fps=st.sampled_from([15, 25, 30]),
    seed=st.integers(0, 99),
)
def test_any_chunks_give_the_tokens_of_the_whole(
    reader: Recognizer,
    segments: list[tuple[str, int, tuple[float, float]]],
    chunks: list[int],
    noise: float,
    fps: int,
    seed: int,
) -> None:
    labels = [label for label, count, _ in segments for _ in range(count)]
    steps = np.array([step for _, count, step in segments for _ in range(count)]).reshape(-1, 2)
    points = make_points(labels, 0.5 + np.cumsum(steps, 0), noise=noise, seed=seed)
    window, final = HeldWindow(reader.reader, "auto"), list[Token]()
    due = np.cumsum(np.resize(chunks, len(points) + 1))
    for frame, row in enumerate(points):
        window.push(row, frame / fps, 1.0)
        if frame in due:
            final += window.tokens()[0]
    final += window.end()
    assert spans(final) == (whole(reader, points, fps) if len(points) else [])


def test_letters_become_final_while_the_hand_goes_on(reader: Recognizer) -> None:
    points = make_points([label for label in "ABIAB" for _ in range(15)])
    events = streamed(reader, points)
    final = [event for event in events if event.final]
    assert [event.text for event in final] == list("ABIAB")
    assert [event.text for event in events if not event.final][:3] == ["A", "AB", "B"]
    assert all(event.tokens and event.start_s <= event.end_s and 0.5 < event.confidence <= 1 for event in events)
    window, said_at = HeldWindow(reader.reader, "auto"), {}
    for frame, row in enumerate(points):
        window.push(row, frame / 30, 1.0)
        said_at |= {token.end_s: frame / 30 for token in window.tokens()[0]}
    assert [said - end for end, said in said_at.items()] == pytest.approx([0.22, 0.22, 0.7, 0.22], abs=0.05)


def test_the_window_stays_short(reader: Recognizer) -> None:
    longest = {}
    for name, word in (("still", "-"), ("spelled", "ABIABJDBDZ"), ("held", "A")):
        window, sizes = HeldWindow(reader.reader, "auto"), list[int]()
        points = make_points([label for label in word for _ in range(14)] * (650 // len(word) // 14 + 1))
        for frame, row in enumerate(points):
            window.push(row, frame / 30, 1.0)
            window.tokens()
            sizes.append(len(window))
        longest[name] = max(sizes)
    assert longest["still"] < 30
    assert longest["spelled"] < 90
    assert longest["held"] <= 30 * KEPT_S + 2


def test_a_gap_of_the_detector_is_no_double(reader: Recognizer) -> None:
    points = make_points([*"A" * 15, *"-" * 5, *"A" * 15])
    final = [event.text for event in streamed(reader, points) if event.final]
    assert final == ["A"] == [text for text, _, _ in whole(reader, points, 30)]
    points = make_points([*"A" * 15, *"-" * 7, *"A" * 15])
    assert [event.text for event in streamed(reader, points) if event.final] == ["A", "A"]


def test_nothing_and_a_single_frame(reader: Recognizer) -> None:
    assert streamed(reader, make_points([])) == []
    assert streamed(reader, make_points("-" * 40)) == []
    (event,) = streamed(reader, make_points("B"))
    assert (event.text, event.final, event.start_s) == ("B", True, 0.0)
