"""A clip in chunks of any size says what the whole clip says: letters, digits and signs, with the bundled readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signary.avatar.motion import SpellOptions, plan_spelling
from signary.avatar.render import render
from signary.landmarks.detect import open_detector
from signary.landmarks.files import read_landmarks
from signary.landmarks.repair import repair
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.held.recognizer import HeldRecognizer
from signary.recognition.load import load
from signary.recognition.signs.recognizer import SignRecognizer
from signary.text.recognition import Token

FPS, SIZE = 15, (256, 256)
CHUNKS = st.lists(st.integers(1, 90), min_size=1, max_size=6)
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def filmed(text: str, **options: object) -> LandmarkSequence:
    """Return what the detector sees of the avatar that spells a text, unrepaired."""
    sequence = plan_spelling(text, SpellOptions(**options)).sequence(FPS)  # type: ignore[arg-type]
    with open_detector("hands") as detector:
        points = np.stack([detector.detect(frame) for frame in render(sequence, size=SIZE)])
    return LandmarkSequence(points, sequence.times_s, aspect=1.0)


@pytest.fixture(scope="module", params=["letters JAZZ", "letters ILL left", "digits 577"])
def spelled(request: pytest.FixtureRequest) -> tuple[HeldRecognizer, LandmarkSequence]:
    """Return a reader and a clip for it."""
    model, text, *hand = request.param.split()
    reader = load(model, threads=1)
    assert isinstance(reader, HeldRecognizer)
    return reader, filmed(text, speed=2.0, hand=hand[0] if hand else "right")


def streamed(reader: HeldRecognizer | SignRecognizer, clip: LandmarkSequence, chunks: list[int]) -> list[Token]:
    """Ask for what is final after each chunk, and at the end."""
    text, final = reader._window("auto"), list[Token]()
    due = set(np.cumsum(np.resize(chunks, len(clip))).tolist())
    for frame, (points, time_s) in enumerate(zip(clip.points, clip.times_s.tolist(), strict=True), 1):
        text.push(points, time_s, clip.aspect)
        if frame in due:
            final += text.tokens()[0]
    return final + text.end()


def spans(tokens: list[Token] | tuple[Token, ...]) -> list[tuple[str, float, float]]:
    return [(token.text, token.start_s, token.end_s) for token in tokens]


@settings(max_examples=8, suppress_health_check=SLOW)
@given(chunks=CHUNKS)
def test_spelled_clips(spelled: tuple[HeldRecognizer, LandmarkSequence], chunks: list[int]) -> None:
    reader, clip = spelled
    whole = reader.recognize(repair(clip)).tokens
    assert len(whole) >= 3
    assert spans(streamed(reader, clip, chunks)) == spans(whole)


@pytest.fixture(scope="module")
def signer() -> SignRecognizer:
    reader = load("signs", threads=1)
    assert isinstance(reader, SignRecognizer)
    return reader


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> list[LandmarkSequence]:
    folder = shared_data / "gislr-two-signs/kaggle/train_landmark_files"
    return [read_landmarks(path) for path in sorted(folder.glob("*/*.parquet"))]


def joined(clips: list[LandmarkSequence], pauses: list[int]) -> LandmarkSequence:
    """Lay clips one after the other, with frames without hands after each."""
    rows = [
        rows
        for clip, frames in zip(clips, pauses, strict=True)
        for rows in (clip.points, np.full((frames, 543, 3), np.nan, np.float32))
    ]
    points = np.concatenate(rows)
    return LandmarkSequence(points, np.arange(len(points)) / 30, aspect=None)


@settings(max_examples=10, suppress_health_check=SLOW)
@given(
    chosen=st.lists(st.tuples(st.integers(0, 14), st.integers(0, 60)), min_size=1, max_size=3),
    chunks=CHUNKS,
)
def test_sign_clips(
    signer: SignRecognizer, clips: list[LandmarkSequence], chosen: list[tuple[int, int]], chunks: list[int]
) -> None:
    clip = joined([clips[number] for number, _ in chosen], [pause for _, pause in chosen])
    whole = signer.recognize(repair(clip)).tokens
    assert spans(streamed(signer, clip, chunks)) == spans(whole)
