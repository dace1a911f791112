"""The whole real way: text -> avatar -> video file -> detector -> letters -> text, with times."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import signary
from signary.text.write import format_results
from signary.video.source import open_source
from signary.video.write import write_video


@pytest.fixture(scope="module")
def reader() -> signary.Recognizer:
    """Load the letters model."""
    return signary.load("letters")


def spelled(path: Path, text: str, *, skin: int = 4, size: int = 480, **options: object) -> signary.SpellingPlan:
    """Let the avatar spell a text into a file."""
    how = signary.SpellOptions(**options)  # type: ignore[arg-type]
    return signary.spell(text, path, how, look=signary.Look(skin=skin), size=(size, size))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("HELLO", {}),
        ("JAZZ", {"skin": 3}),
        ("VIDEO", {"speed": 1.5, "skin": 3, "size": 400}),
        ("LUCKY", {"speed": 2.5, "skin": 5, "size": 640}),
        ("BOY", {"hand": "left", "skin": 2}),
        ("LOVE", {"speed": 1.2, "skin": 6}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_words_come_back_with_their_times(
    reader: signary.Recognizer, tmp_path: Path, text: str, how: dict[str, object]
) -> None:
    plan = spelled(tmp_path / "clip.mp4", text, **how)  # type: ignore[arg-type]
    result = reader.recognize(tmp_path / "clip.mp4")
    assert result.text == text.replace(" ", "")
    for letter, token in zip(plan.letters[0], result.tokens, strict=True):
        # a drawn letter begins where its first shape does, in the movement to it
        assert token.start_s == pytest.approx(letter.start_s, abs=0.25 if letter.text in "JZ" else 0.15)
    for letter, token in zip(plan.letters[0][:-1], result.tokens, strict=False):  # the hand falls with the last shape
        assert token.start_s + token.end_s == pytest.approx(letter.start_s + letter.end_s, abs=0.3)


def test_a_mirrored_clip(reader: signary.Recognizer, tmp_path: Path) -> None:
    spelled(tmp_path / "clip.mp4", "BOY")
    with open_source(tmp_path / "clip.mp4") as frames:
        flipped = [np.ascontiguousarray(frame.image[:, ::-1]) for frame in frames]
    write_video(tmp_path / "mirrored.mp4", flipped, 30)
    assert reader.recognize(tmp_path / "mirrored.mp4", mirrored=True).text == "BOY"


def test_subtitles_hold_the_times(reader: signary.Recognizer, tmp_path: Path) -> None:
    plan = spelled(tmp_path / "clip.mp4", "LOW")
    text = format_results([reader.recognize(tmp_path / "clip.mp4")], "srt")
    cues = re.findall(r"00:00:(\d\d),(\d{3}) --> 00:00:(\d\d),(\d{3})\n(.+)", text)
    assert [cue[4] for cue in cues] == list("LOW")
    for cue, letter in zip(cues, plan.letters[0], strict=True):
        start_s, end_s = int(cue[0]) + int(cue[1]) / 1000, int(cue[2]) + int(cue[3]) / 1000
        assert start_s == pytest.approx(letter.start_s, abs=0.15)
        assert end_s == pytest.approx(letter.end_s, abs=0.15)


def test_landmark_files_are_read_as_the_clip_is(reader: signary.Recognizer, tmp_path: Path) -> None:
    signary.spell("WAVE", tmp_path / "clip.parquet")
    assert reader.recognize(tmp_path / "clip.parquet").text == "WAVE"
