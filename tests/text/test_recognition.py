"""Results: plain values that cannot be changed by accident."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, asdict, fields

import pytest

from signary.text.recognition import Alternative, Event, Failure, Recognition, Token

TOKEN = Token("K", 0.4, 1.2, 0.81, (Alternative("V", 0.12), Alternative("P", 0.04)))
READING = Recognition("clip.mp4", "letters", "letters", "K", 0.81, (TOKEN,), frames=48, fps=30.0, hand_rate=0.75)


@pytest.mark.parametrize(
    "value", [TOKEN, READING, Alternative("V", 0.1), Failure("x", "InputError", "m"), Event("K", True)]
)
def test_frozen_hashable_and_can_be_sent_to_another_process(value: object) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert copy == value
    assert hash(copy) == hash(value)
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "other")  # type: ignore[arg-type]


def test_nothing_signed_is_an_empty_reading() -> None:
    silent = Recognition("wall.jpg", "letters", "letters", "", 0.0)
    assert (silent.text, silent.tokens, silent.confidence) == ("", (), 0.0)
    assert (silent.frames, silent.fps, silent.hand_rate, silent.elapsed_s, silent.warnings) == (0, 0.0, 0.0, 0.0, ())


def test_fields_keep_the_documented_order() -> None:
    names = "source model task text confidence tokens frames fps hand_rate elapsed_s warnings"
    assert list(asdict(READING)) == names.split()
    assert list(asdict(TOKEN)) == ["text", "start_s", "end_s", "confidence", "alternatives"]


def test_alternatives_are_the_likeliest_first() -> None:
    confidences = [TOKEN.confidence, *(other.confidence for other in TOKEN.alternatives)]
    assert confidences == sorted(confidences, reverse=True)
    assert TOKEN.text not in [other.text for other in TOKEN.alternatives]


def test_a_failure_needs_no_hint() -> None:
    assert Failure("x.jpg", "InputError", "x.jpg: no such file").hint == ""


def test_an_event_without_tokens() -> None:
    event = Event("HE", final=False)
    assert (event.tokens, event.start_s, event.end_s, event.confidence) == ((), 0.0, 0.0, 0.0)
