"""Messages to a person who records clips."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from command import run

from signary.cli.filming import Filming
from signary.datasets.recordings.film import Take

BLACK = np.zeros((48, 64, 3), np.uint8)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(out: io.StringIO) -> str:
    filming = Filming("hello", 2, out)
    for left_s in (2.5, 2.1, 1.2, 0.3):
        filming.rests(BLACK, left_s)
    for hand in (True, True, False, True):
        filming.films(BLACK, hand=hand)
    assert filming.keeps(Take(Path("clip.mp4"), [], [BLACK] * 3))
    filming.rests(BLACK, 0.9)
    return out.getvalue()


def test_on_a_terminal_one_line_counts_down() -> None:
    lines = [line.strip() for line in told(Terminal()).split("\r")]
    count = [f"'hello', clip 1 of 2: {left}" for left in (3, 2, 1)]
    warned = ["filming", "filming, but NO HAND is in the picture", "filming"]
    assert lines == [*count, *warned, "", "'hello', clip 2 of 2: 1", ""]


def test_elsewhere_each_change_is_a_line() -> None:
    clip = "'hello', clip 1 of 2\nfilming\nfilming, but NO HAND is in the picture\nfilming\n'hello', clip 2 of 2\n"
    assert told(io.StringIO()) == clip


def test_a_window_is_for_a_camera_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from signary.video.write import write_video

    write_video(tmp_path / "clip.mp4", [BLACK] * 5, 10)
    where = ("-o", str(tmp_path / "mine"), "--camera", str(tmp_path / "clip.mp4"), "--show", "--consent", "none")
    status, _, err = run(capsys, "record", "hello", *where)
    assert (status, "--show: only for a camera" in err) == (2, True)
