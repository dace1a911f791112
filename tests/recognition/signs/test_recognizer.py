"""Isolated signs in made clips: short and long ones, photos, files, live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_reader import LABELS, MadeDetector, MadeFrames, make_points
from made_signs import FPS, make_signer, sign_labels, signed

from signary.errors import ConfigError, InputError
from signary.evaluation.evaluate import evaluate
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.write import write_landmarks
from signary.recognition.recognizer import BGR
from signary.recognition.signs.live import KEPT_S, SignWindow
from signary.recognition.signs.recognizer import STILL, SignRecognizer
from signary.text.recognition import Event, Failure, Token
from signary.text.windows import shared

SURE = np.exp(4) / (np.exp(4) + 6)  # logit 6 of 7 labels at temperature 1.5


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> SignRecognizer:
    return make_signer(tmp_path_factory.mktemp("made") / "bundle")


def spans(tokens: list[Token] | tuple[Token, ...]) -> list[tuple[str, float, float]]:
    return [(token.text, round(token.start_s, 6), round(token.end_s, 6)) for token in tokens]


def test_a_short_clip_is_one_sign_while_a_hand_is_seen(reader: SignRecognizer) -> None:
    said = reader.recognize(signed(("-", 0.5), ("A", 0.8), ("-", 0.5)))
    assert (said.text, said.task, said.frames, round(said.fps), said.warnings) == ("A", "signs", 54, 30, ())
    assert spans(said.tokens) == [("A", 0.5, round(39 / 30, 6))]
    assert said.tokens[0].confidence == pytest.approx(SURE)
    assert said.hand_rate == pytest.approx(24 / 54)
    both = reader.recognize(signed(("A", 0.4), ("-", 0.6), ("B", 0.8)))
    assert both.text == "B"
    assert both.tokens[0].alternatives[0].text == "A"


def test_silence_doubt_and_no_hand_say_nothing(reader: SignRecognizer) -> None:
    for clip in (signed(("nothing", 1.0)), signed(("A", 0.5), ("B", 0.5)), signed(("nothing", 5.0))):
        said = reader.recognize(clip)
        assert (said.text, said.tokens, said.confidence, said.warnings) == ("", (), 0, ())
    assert reader.recognize(signed(("-", 3.0), ("A", 0.07), ("-", 1.0))).tokens == ()
    for clip in (signed(("-", 1.0)), signed(("-", 3.0)), signed()):
        assert reader.recognize(clip).warnings == ("no hand found",)
        assert reader.classify(clip) == []


def test_lowered_hands_part_signs(reader: SignRecognizer) -> None:
    clip = signed(("-", 0.5), ("A", 1.0), ("-", 1.0), ("B", 1.0), ("-", 0.3), ("B", 0.5), ("-", 0.7), ("B", 1.2))
    said = reader.recognize(clip)
    assert said.text == "A B B"
    assert spans(said.tokens) == [
        ("A", 0.5, round(45 / 30, 6)),
        ("B", 2.5, round(129 / 30, 6)),  # hands are lost for longer than a moment before they part
        ("B", 5.0, round(186 / 30, 6)),
    ]
    assert [token.confidence for token in said.tokens] == pytest.approx([SURE] * 3)


def test_signs_without_a_pause_are_read_too(reader: SignRecognizer) -> None:
    said = reader.recognize(signed(("A", 3.0), ("B", 3.0), ("nothing", 3.0), ("B", 3.0)))
    assert said.text == "A B B"
    for token, middle in zip(said.tokens, (1.5, 4.5, 10.5), strict=True):
        assert (token.start_s + token.end_s) / 2 == pytest.approx(middle, abs=0.5)
    share = shared(np.array([(token.start_s, token.end_s) for token in said.tokens]))
    assert share[~np.eye(3, dtype=bool)].max() <= 0.3


def test_a_fast_clip_is_thinned(reader: SignRecognizer) -> None:
    parts = (("-", 0.5), ("A", 1.0), ("-", 1.0), ("B", 3.0))
    slow, fast = (reader.recognize(signed(*parts, fps=fps)) for fps in (30, 120))
    assert (slow.text, fast.text, fast.frames) == ("A B", "A B", 660)
    for one, other in zip(slow.tokens, fast.tokens, strict=True):
        assert (one.start_s, one.end_s) == pytest.approx((other.start_s, other.end_s), abs=0.04)


def test_a_whole_clip_is_classified(reader: SignRecognizer, tmp_path: Path) -> None:
    clip = signed(("A", 2.0), ("nothing", 3.0), ("-", 1.0))
    ranking = reader.classify(clip)
    assert [text for text, _ in ranking[:2]] == ["", "A"]
    assert len(ranking) == len(LABELS)
    assert sum(confidence for _, confidence in ranking) == pytest.approx(1)
    # mean logits 2.4 and 3.6 at temperature 1.5, and five of 0
    assert ranking[0][1] == pytest.approx(np.exp(2.4) / (np.exp(2.4) + np.exp(1.6) + 5), rel=1e-5)
    assert reader.rank(write_landmarks(tmp_path / "a.npz", clip)) == ranking


def test_a_picture_is_read_with_a_warning(reader: SignRecognizer) -> None:
    for points in (make_points("A"), make_points("AA-A")):
        said = reader.recognize(LandmarkSequence(points, np.zeros(len(points))))
        assert (said.text, said.frames, said.fps, said.warnings) == ("A", 1, 0, (STILL,))
        assert spans(said.tokens) == [("A", 0, 0)]


def test_the_hand_can_be_chosen(reader: SignRecognizer) -> None:
    clip = signed(("A", 1.0))
    assert reader.recognize(clip, hand="right").text == "A"
    assert reader.recognize(clip, hand="left").warnings == ("no hand found",)
    assert reader.classify(clip, hand="left") == reader.classify(clip.mirrored(), hand="right") == []


def test_context_is_refused(reader: SignRecognizer) -> None:
    with pytest.raises(ConfigError, match="context='words': demo reads signs"):
        reader.recognize(signed(("A", 1.0)), context="words")


def test_thresholds_are_the_bundles(tmp_path: Path) -> None:
    clip = signed(("A", 1.0), ("-", 1.0), ("B", 1.0))
    assert (
        make_signer(tmp_path / "long", thresholds={"window_s": 4.0, "min_confidence": 0.3}).recognize(clip).text == "A"
    )
    assert make_signer(tmp_path / "sure", thresholds={"min_confidence": 0.95}).recognize(clip).text == ""
    with pytest.raises(InputError, match="stride_s=0"):
        make_signer(tmp_path / "wrong", thresholds={"stride_s": 0.0})


def test_files_are_read_and_evaluated(reader: SignRecognizer, tmp_path: Path) -> None:
    for label, name in (("A", "A"), ("B", "B"), ("B", "I"), ("-", "nothing"), ("nothing", "nothing")):
        (tmp_path / name).mkdir(exist_ok=True)
        write_landmarks(tmp_path / name / f"{label}.npz", signed((label, 1.0)))
    gone, read = reader.recognize_many([tmp_path / "gone.npz", tmp_path / "A" / "A.npz"])
    assert isinstance(gone, Failure)
    assert read.text == "A"  # type: ignore[union-attr]
    summary = evaluate(reader, tmp_path).summary
    assert (summary["n"], summary["skipped"]) == (5, [])
    assert summary["metrics"]["accuracy"] == pytest.approx(3 / 5)


def streamed(reader: SignRecognizer, clip: LandmarkSequence, **options: str) -> list[Event]:
    reader._detectors.kept[False, 2, False] = MadeDetector(clip.points)
    try:
        return list(reader.stream(MadeFrames(len(clip), FPS), **options))
    finally:
        reader._detectors.kept.clear()


PART = st.tuples(st.sampled_from(["A", "B", "I", "nothing"]), st.integers(2, 50))


@example(parts=[([], 18), ([("A", 3)], 31), ([("nothing", 34), ("A", 28)], 23)], seed=2)  # a glimpse before
@example(parts=[([("B", 18), ("I", 12)], 25), ([("I", 37), ("A", 46)], 17)], seed=2)  # signs before the pause
@settings(max_examples=25, deadline=None)
@given(parts=st.lists(st.tuples(st.lists(PART, max_size=2), st.integers(16, 40)), max_size=4), seed=st.integers(0, 9))
def test_a_stream_gives_the_tokens_of_the_whole(
    reader: SignRecognizer, parts: list[tuple[list[tuple[str, int]], int]], seed: int
) -> None:
    rows = [(label, count / FPS) for signs, pause in parts for label, count in (*signs, ("-", pause))]
    clip = signed(*rows, noise=1.0, seed=seed)
    final = [token for event in streamed(reader, clip) if event.final for token in event.tokens]
    assert spans(final) == spans(reader.recognize(clip).tokens)


def test_partial_text_comes_before_final_text(reader: SignRecognizer) -> None:
    clip = signed(("-", 1.0), ("A", 1.5), ("-", 1.0), ("B", 1.5), ("-", 1.0))
    events = streamed(reader, clip)
    assert [(event.text, event.final) for event in events] == [("A", False), ("A", True), ("B", False), ("B", True)]
    assert streamed(reader, clip, hand="left") == []


def test_a_stream_settles_without_lowered_hands_and_stays_short(reader: SignRecognizer) -> None:
    idle = ("nothing", 6.0)
    labels = sign_labels([("A", 3.0), idle, ("B", 3.0), idle, ("I", 30.0), idle])
    window, final, longest = SignWindow(reader.reader, "auto"), [], 0
    for frame, points in enumerate(make_points(labels)):
        window.push(points, frame / FPS, 1.0)
        final += [(token.text, frame / FPS) for token in window.tokens()[0]]
        longest = max(longest, len(window.kept))
    assert [text for text, _ in final] == ["A", "B", "I", "I"]
    assert final[0][1] < 9 and 9 < final[1][1] < 18
    assert longest <= (KEPT_S + 2.3) * FPS
    assert window.end() == []


def test_the_detector_looks_for_the_body(reader: SignRecognizer) -> None:
    black = np.zeros((3, 32, 32, 3), np.uint8)
    said = reader.recognize(black, fps=10)
    assert replace(said, elapsed_s=0, fps=0).warnings == ("no hand found", BGR)
    assert [type(detector).__name__ for detector in reader._detectors.kept.values()] == ["HolisticDetector"]
    reader.close()
