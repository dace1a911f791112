"""A reader, a clip, and servers that stop with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from talking import Serving, serving

from signary.avatar.motion import plan_spelling
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer


@pytest.fixture(scope="session")
def letters() -> Recognizer:
    return load("letters", threads=1)


@pytest.fixture(scope="session")
def readers(letters: Recognizer) -> dict[str, Recognizer]:
    return {"letters": letters}


@pytest.fixture
def serve(readers: dict[str, Recognizer]) -> Iterator[Serving]:
    with ExitStack() as running:
        yield lambda **options: running.enter_context(serving(readers, **options))


@pytest.fixture(scope="session")
def clip() -> LandmarkSequence:
    return plan_spelling("HELLO").sequence(20)
