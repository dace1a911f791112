"""``signary recognize --context``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import run

from signary.avatar.motion import SpellOptions, plan_spelling
from signary.landmarks.write import write_landmarks


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Spell a name too fast to be read without context."""
    path = tmp_path / "name.parquet"
    write_landmarks(path, plan_spelling("MICHAEL", SpellOptions(speed=4)).sequence(25))
    return path


def test_words_are_read_in_context(capsys: pytest.CaptureFixture[str], clip: Path) -> None:
    status, out, _ = run(capsys, "recognize", str(clip), "--context", "words")
    assert (status, out) == (0, "MICHAEL\n")
    status, out, _ = run(capsys, "recognize", str(clip), "--context", "words", "--format", "json")
    said = json.loads(out)
    assert (said["text"], "".join(token["text"] for token in said["tokens"])) == ("MICHAEL", "MICHAEL")


def test_none_is_the_default(capsys: pytest.CaptureFixture[str], clip: Path) -> None:
    plain = run(capsys, "recognize", str(clip))
    assert plain == run(capsys, "recognize", str(clip), "--context", "none")
    assert plain[1] != "MICHAEL\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [(("--context", "sentences"), "sentences"), (("--context", "words", "--model", "digits"), "reads digits")],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], clip: Path, words: tuple[str, ...], named: str) -> None:
    status, out, err = run(capsys, "recognize", str(clip), *words)
    assert (status, out) == (2, "")
    assert named in err


def test_a_camera_has_no_context(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "recognize", "0", "--context", "words")
    assert (status, out) == (2, "")
    assert "stream" in err
    assert "--format json" in err
