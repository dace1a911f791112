"""The bundled fingerspelling model reads names and words, of either hand, and nothing without a hand."""

from __future__ import annotations

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

import signary
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.datasets.synthetic.noise import ENDS
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.recognition.spelling.recognizer import SpellingRecognizer

TEXTS = ("main street 42", "hello world", "quick brown", "anna lopez")
FPS = 30.0


@pytest.fixture(scope="module")
def reader() -> SpellingRecognizer:
    """Load the bundled reader."""
    found = signary.load("spelling")
    assert isinstance(found, SpellingRecognizer)
    return found


def spelled(text: str, **options: object) -> LandmarkSequence:
    """Return where the avatar's points are."""
    plan = plan_spelling(text, SpellOptions(speed=3, **options))  # type: ignore[arg-type]
    return plan.sequence(FPS)


def errors(reader: SpellingRecognizer, **options: object) -> float:
    wrong = [Levenshtein.distance(reader.recognize(spelled(text, **options)).text, text) for text in TEXTS]
    return sum(wrong) / sum(map(len, TEXTS))


def test_the_avatar_is_read_with_either_hand(reader: SpellingRecognizer) -> None:
    assert errors(reader) <= 0.1
    assert errors(reader, hand="left") <= 0.1


def test_letters_are_read_when_they_are_shown(reader: SpellingRecognizer) -> None:
    plan = plan_spelling("hello", SpellOptions(speed=3))
    found = reader.recognize(plan.sequence(FPS))
    assert found.text == "hello"
    shown = [(letter.start_s + letter.end_s) / 2 for letter in plan.letters[0]]
    read = [(token.start_s + token.end_s) / 2 for token in found.tokens]
    assert np.median(np.abs(np.subtract(read, shown))) <= 0.1
    assert [token.start_s for token in found.tokens] == sorted(token.start_s for token in found.tokens)
    assert 0.5 < found.confidence <= 1


def test_ten_points_of_a_hand_without_depth_will_do(reader: SpellingRecognizer) -> None:
    wrong = 0
    for text in TEXTS:
        clip = spelled(text)
        points = np.full_like(clip.points, np.nan)
        for hand in (LEFT_HAND, RIGHT_HAND):
            places = hand.start + np.array(ENDS)
            points[:, places, :2] = clip.points[:, places, :2]
        wrong += Levenshtein.distance(reader.recognize(LandmarkSequence(points, clip.times_s)).text, text)
    assert wrong / sum(map(len, TEXTS)) <= 0.15


def test_hands_are_all_it_looks_for(reader: SpellingRecognizer) -> None:
    assert reader.engine == "hands"


def test_where_nobody_spells_nothing_is_read(reader: SpellingRecognizer) -> None:
    nobody = LandmarkSequence(np.full((30, 543, 3), np.nan, np.float32), np.arange(30) / FPS)
    found = reader.recognize(nobody)
    assert (found.text, found.confidence, found.tokens) == ("", 0.0, ())
    assert "no hand found" in found.warnings


@pytest.mark.parametrize("frames", [1, 2, 500])
def test_clips_of_any_length_are_read(reader: SpellingRecognizer, frames: int) -> None:
    points = spelled("ok").points[[30]].repeat(frames, 0)
    found = reader.recognize(LandmarkSequence(points, np.arange(frames) / FPS))
    assert len(found.text) <= 3  # a hand that does not move spells one letter, or none
    assert 0 <= found.confidence <= 1


def test_two_hands_that_spell_are_one_text(reader: SpellingRecognizer) -> None:
    one, other = spelled("hello"), spelled("hello", hand="left")
    points = np.where(np.isfinite(one.points), one.points, other.points)
    found = reader.recognize(LandmarkSequence(points, one.times_s))
    assert Levenshtein.distance(found.text, "hello") <= 2


@pytest.mark.parametrize("chunk", [0.5, 2.0])
def test_a_live_source_says_what_the_clip_says(reader: SpellingRecognizer, chunk: float) -> None:
    sequence = spelled("anna 5")
    session = reader.session()
    events = []
    for points, time_s in zip(sequence.points, sequence.times_s.tolist(), strict=True):
        events += session.push(points, time_s + chunk, sequence.aspect)
    partial = [event.text for event in events]
    events += session.end()
    session.close()
    assert any(partial)
    assert "".join(event.text for event in events if event.final) == reader.recognize(sequence).text
