"""The bundled reader of signs, on real landmarks of Google's set."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import signary
from signary.landmarks.files import read_landmarks
from signary.recognition.recognizer import Recognizer

KAGGLE = "gislr-two-signs/kaggle"


@pytest.fixture(scope="module")
def reader() -> Recognizer:
    """Load the bundled reader."""
    return signary.load("signs")


def labeled(shared_data: Path) -> list[tuple[Path, str]]:
    with (shared_data / KAGGLE / "train.csv").open(newline="") as rows:
        return [(shared_data / KAGGLE / row["path"], row["sign"]) for row in csv.DictReader(rows)]


def test_signs_of_fifteen_people(reader: Recognizer, shared_data: Path) -> None:
    clips = labeled(shared_data)
    said = [reader.rank(path)[0][0] for path, _ in clips]
    assert sum(text.replace("-", "") == sign for text, (_, sign) in zip(said, clips, strict=True)) >= 13


def test_two_signs_with_a_pause_are_two(reader: Recognizer, shared_data: Path) -> None:
    sure = {}
    for path, sign in labeled(shared_data):
        (text, confidence), *_ = reader.rank(path)
        if text.replace("-", "") == sign and confidence > sure.get(sign, (0.0,))[0]:
            sure[sign] = confidence, path
    first, second = (read_landmarks(sure[sign][1], fps=30).points for sign in ("hello", "thankyou"))
    pause = np.full((45, 543, 3), np.nan, np.float32)
    points = np.concatenate([first, pause, second])
    read = reader.recognize(signary.LandmarkSequence(points, np.arange(len(points)) / 30))
    assert [token.text for token in read.tokens] == ["hello", "thank-you"]
    assert read.tokens[0].end_s <= len(first) / 30 + 1e-6
    assert read.tokens[1].start_s >= (len(first) + 45) / 30 - 1e-6


def test_where_nobody_signs_nothing_is_read(reader: Recognizer, shared_data: Path) -> None:
    points = read_landmarks(labeled(shared_data)[0][0], fps=30).points.copy()
    points[:, 468:489] = points[:, 522:] = np.nan
    read = reader.recognize(signary.LandmarkSequence(points, np.arange(len(points)) / 30))
    assert (read.text, read.tokens, read.hand_rate) == ("", (), 0)


def test_a_mirrored_signer_is_read_alike(reader: Recognizer, shared_data: Path) -> None:
    for path, _ in labeled(shared_data)[:5]:
        sequence = read_landmarks(path, fps=30)
        one, other = reader.classify(sequence), reader.classify(sequence.mirrored())
        assert [text for text, _ in one[:3]] == [text for text, _ in other[:3]]
        assert one[0][1] == pytest.approx(other[0][1], abs=0.02)


def test_the_card_names_the_trusted_words(reader: Recognizer) -> None:
    assert set(reader.bundle.manifest.trusted) == {"hello", "thank-you", "i-love-you", "yes", "no", "you", "i"}
    assert "Trusted" in (reader.bundle.path / "README.md").read_text()
