"""A recognizer that reads doubtful letters as what makes words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_reader import LABELS, MadeDetector, MadeFrames, make_points, make_reader

from signary.avatar.motion import SpellOptions, plan_spelling
from signary.errors import ConfigError, InputError
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return make_reader(tmp_path_factory.mktemp("made") / "bundle")


def clip(labels: str, doubt: dict[str, tuple[str, float]] | None = None) -> LandmarkSequence:
    """Hold labels; those in doubt look nearly as much like another one."""
    points = make_points(labels)
    for frame, label in enumerate(labels):
        if label in (doubt or {}):
            other, logit = (doubt or {})[label]
            points[frame, RIGHT_HAND.start + 2 + LABELS.index(other), 0] = logit
    return LandmarkSequence(points, np.arange(len(labels)) / 30, aspect=1.0)


def test_a_doubtful_letter_is_read_as_what_makes_a_word(reader: Recognizer) -> None:
    spelled = clip("D" * 12 + "A" * 12 + "I" * 12, {"I": ("B", 5.8)})
    alone, words = (reader.recognize(spelled, context=context) for context in ("none", "words"))
    assert (alone.text, words.text) == ("DAI", "DAB")
    before, after = alone.tokens[2], words.tokens[2]
    assert (after.start_s, after.end_s) == (before.start_s, before.end_s)
    assert after.confidence == pytest.approx(before.alternatives[0].confidence)
    assert (after.alternatives[0].text, after.alternatives[0].confidence) == ("I", before.confidence)
    assert words.tokens[:2] == alone.tokens[:2]
    assert words.confidence == pytest.approx(np.mean([token.confidence for token in words.tokens]))


def test_sure_letters_are_never_changed(reader: Recognizer) -> None:
    for labels in ("JZDBZ", "ZZJ", "BBJDA"):
        spelled = clip("".join(label * 12 + "-" * 8 for label in labels))
        alone, words = (reader.recognize(spelled, context=context) for context in ("none", "words"))
        assert (words.text, words.tokens) == (alone.text, alone.tokens)


def test_a_photo_and_nothing_stay(reader: Recognizer) -> None:
    looks = LandmarkSequence(make_points("JJ"), np.zeros(2))
    assert reader.recognize(looks, context="words").text == reader.recognize(looks).text
    for labels in ("", "-" * 9, "A"):
        alone, words = (reader.recognize(clip(labels), context=context) for context in ("none", "words"))
        assert replace(words, elapsed_s=0) == replace(alone, elapsed_s=0)


def test_refused_where_there_are_no_words(reader: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="context='sentences'"):
        reader.recognize(clip("A"), context="sentences")
    with pytest.raises(ConfigError, match="reads digits"):
        load("digits", threads=1).recognize(clip("A"), context="words")
    monkeypatch.setattr(reader._detectors, "get", lambda _: MadeDetector(make_points("A")))
    with pytest.raises(ConfigError, match="stream"):
        next(reader.stream(MadeFrames(1, 30), context="words"))
    assert [event.text for event in reader.stream(MadeFrames(1, 30), context="none")] == ["A"]


def test_quick_spelling_is_read_where_it_makes_words(tmp_path: Path) -> None:
    letters = load("letters", threads=1)
    spelled = [plan_spelling(word, SpellOptions(speed=4, seed=seed)) for word, seed in (("MICHAEL", 0), ("GARDEN", 3))]
    clips = [plan.sequence(25) for plan in spelled]
    alone = [letters.recognize(one).text for one in clips]
    assert alone != ["MICHAEL", "GARDEN"]
    assert [letters.recognize(one, context="words").text for one in clips] == ["MICHAEL", "GARDEN"]
