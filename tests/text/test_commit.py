"""Held letters from made probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from signary.errors import ShapeError
from signary.text.commit import decode_held, mean_confidence, recognition_text
from signary.text.recognition import Token
from signary.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("A", "B", "C", "nothing"), silent=("nothing",))


def clip(
    spans: list[tuple[str, float]], fps: float = 30.0, noise: float = 0.05
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return probabilities, times, seen and position of labels held one after the other; "-" is no hand."""
    labels = [label for label, seconds in spans for _ in range(round(seconds * fps))]
    random = np.random.default_rng(0)
    probabilities = np.full((len(labels), 4), 0.02) + noise * random.random((len(labels), 4))
    for row, label in enumerate(labels):
        if label != "-":
            probabilities[row, VOCABULARY.index(label)] = 0.9
    probabilities /= probabilities.sum(1, keepdims=True)
    seen = np.array([label != "-" for label in labels])
    return probabilities, np.arange(len(labels)) / fps, seen, np.zeros((len(labels), 2))


def text(*arrays: np.ndarray) -> str:
    return recognition_text(decode_held(*arrays, VOCABULARY), "letters")


@pytest.mark.parametrize("fps", [10, 30, 60, 120])
def test_a_word_with_rests_and_transitions(fps: float) -> None:
    spans = [("-", 0.5), ("A", 0.6), ("C", 0.1), ("B", 0.6), ("nothing", 0.4), ("C", 0.6), ("-", 0.5)]
    tokens = decode_held(*clip(spans, fps), VOCABULARY)
    assert "".join(token.text for token in tokens) == "ABC"
    assert [token.start_s for token in tokens] == pytest.approx([0.5, 1.2, 2.2], abs=0.12)
    assert [token.end_s for token in tokens] == pytest.approx([1.1, 1.8, 2.8], abs=0.12)
    assert all(0.7 < token.confidence <= 1 for token in tokens)


def test_a_long_letter_is_one_and_a_flicker_does_not_part_it() -> None:
    assert text(*clip([("A", 3.0)])) == "A"
    assert text(*clip([("A", 1.0), ("B", 0.067), ("A", 1.0)])) == "A"


def test_a_break_makes_a_double() -> None:
    assert text(*clip([("A", 0.6), ("-", 0.3), ("A", 0.6)])) == "AA"
    assert text(*clip([("A", 0.6), ("nothing", 0.3), ("A", 0.6)])) == "AA"


@pytest.mark.parametrize("back", [True, False])
def test_a_bounce_or_slide_makes_a_double(back: bool) -> None:
    probabilities, times, seen, position = clip([("A", 1.6)])
    way = np.clip((times - 0.7) / 0.2, 0, 1) * 0.6
    position[:, 0] = way - (np.clip((times - 0.9) / 0.2, 0, 1) * 0.6 if back else 0)
    assert text(probabilities, times, seen, position) == "AA"


def test_a_slow_drift_is_one_letter() -> None:
    probabilities, times, seen, position = clip([("A", 3.0)])
    position[:, 0] = times * 0.3
    assert text(probabilities, times, seen, position) == "A"


def test_a_photo_gives_its_best_guess() -> None:
    probabilities = np.array([[0.3, 0.4, 0.2, 0.1]])
    (token,) = decode_held(probabilities, np.zeros(1), np.ones(1, bool), np.zeros((1, 2)), VOCABULARY)
    assert (token.text, token.confidence) == ("B", 0.4)
    assert [other.text for other in token.alternatives] == ["A", "C"]
    assert decode_held(probabilities, np.zeros(1), np.zeros(1, bool), np.zeros((1, 2)), VOCABULARY) == []


def test_nothing_in_nothing_out() -> None:
    assert decode_held(np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool), np.zeros((0, 2)), VOCABULARY) == []
    assert mean_confidence([]) == 0


def test_shapes_are_checked() -> None:
    with pytest.raises(ShapeError, match="must be"):
        decode_held(np.zeros((3, 5)), np.zeros(3), np.ones(3, bool), np.zeros((3, 2)), VOCABULARY)


def test_signs_are_joined_by_spaces() -> None:
    tokens = [Token("thank-you", 0, 1, 1), Token("yes", 1, 2, 1)]
    assert recognition_text(tokens, "signs") == "thank-you yes"
