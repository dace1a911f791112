"""A camera is read line by line until Ctrl+C."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from made_reader import MadeDetector, make_points, make_reader

from signary.cli.live import until_interrupt, write_events
from signary.recognition.recognizer import Recognizer
from signary.video.camera import ArrayCapture, Camera

FPS = 100


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return make_reader(tmp_path_factory.mktemp("made") / "bundle")


def black_camera(frames: int, *, loop: bool = False) -> Camera:
    pictures = np.zeros((frames, 4, 4, 3), np.uint8)
    return Camera(0, open_capture=lambda number: ArrayCapture(pictures, FPS, loop=loop))


class _Signer(MadeDetector):
    """Shows an A, lowers the hand, shows a B, and so on, however many frames a camera drops."""

    def detect(self, frame: object) -> np.ndarray:
        return self.points[int(frame.time_s * FPS) % len(self.points)]  # type: ignore[attr-defined]


@pytest.fixture
def signing(reader: Recognizer) -> Recognizer:
    """Put a detector that finds made points where the reader keeps its own."""
    points = make_points([*"A" * 40, *"-" * 40, *"B" * 40, *"-" * 40])
    reader._detectors[False, 2, False] = _Signer(points)  # type: ignore[assignment]
    return reader


@pytest.mark.parametrize("format", ["text", "jsonl"])
def test_lines_come_while_the_hand_signs(signing: Recognizer, capsys: pytest.CaptureFixture[str], format: str) -> None:
    lines: list[str] = []

    def interrupt() -> None:
        deadline = time.monotonic() + 20
        while len(lines) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
            lines.extend(capsys.readouterr().out.splitlines())
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    killer = threading.Thread(target=interrupt)
    with black_camera(50, loop=True) as camera, until_interrupt(camera):
        killer.start()
        write_events(signing, camera, format, source="0")
    killer.join()
    assert signal.getsignal(signal.SIGINT) is before
    said = [json.loads(line) for line in lines] if format == "jsonl" else [{"text": line} for line in lines]
    assert [one["text"] for one in said[:2]] == ["A", "B"]
    if format == "jsonl":
        assert set(said[0]) == {"source", "model", "task", "text", "confidence", "tokens"}
        assert said[0]["source"] == "0"
        assert said[0]["tokens"][0]["text"] == "A"


def test_what_is_open_at_the_end_is_written(signing: Recognizer, capsys: pytest.CaptureFixture[str]) -> None:
    with black_camera(35) as camera:
        write_events(signing, camera, "text", source="0")
    assert capsys.readouterr().out == "A\n"


def test_a_second_interrupt_stops_the_program() -> None:
    with black_camera(5, loop=True) as camera, pytest.raises(KeyboardInterrupt), until_interrupt(camera):
        os.kill(os.getpid(), signal.SIGINT)
        assert list(camera) == []
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
