"""A camera is read line by line until Ctrl+C."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from command import run
from made_reader import MadeDetector, make_points, make_reader

from signary.cli.live import Said, read_live, until_interrupt, writing
from signary.cli.window import mirrored_view
from signary.landmarks.draw import draw_label, draw_landmarks
from signary.recognition.held.live import HeldWindow
from signary.recognition.held.recognizer import HeldRecognizer
from signary.recognition.session import Session
from signary.text.recognition import Event, Token
from signary.video.camera import ArrayCapture, Camera

FPS = 100


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> HeldRecognizer:
    made = make_reader(tmp_path_factory.mktemp("made") / "bundle")
    assert isinstance(made, HeldRecognizer)
    return made


def black_camera(frames: int, *, loop: bool = False) -> Camera:
    pictures = np.zeros((frames, 4, 4, 3), np.uint8)
    return Camera(0, open_capture=lambda number: ArrayCapture(pictures, FPS, loop=loop))


class _Signer(MadeDetector):
    """Shows an A, lowers the hand, shows a B, and so on, however many frames a camera drops."""

    def detect(self, frame: object) -> np.ndarray:
        return self.points[int(frame.time_s * FPS) % len(self.points)]  # type: ignore[attr-defined]


@pytest.fixture
def signing(reader: HeldRecognizer) -> Session:
    points = make_points([*"A" * 40, *"-" * 40, *"B" * 40, *"-" * 40])
    return Session(HeldWindow(reader.reader, "auto"), reader.task, _Signer(points))


@pytest.mark.parametrize("format", ["text", "jsonl"])
def test_lines_come_while_the_hand_signs(
    reader: HeldRecognizer, signing: Session, capsys: pytest.CaptureFixture[str], format: str
) -> None:
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
        with writing(reader, format, "0") as write:
            read_live(signing, camera, write)
    killer.join()
    assert signal.getsignal(signal.SIGINT) is before
    said = [json.loads(line) for line in lines] if format == "jsonl" else [{"text": line} for line in lines]
    assert [one["text"] for one in said[:2]] == ["A", "B"]
    if format == "jsonl":
        assert set(said[0]) == {"source", "model", "task", "text", "confidence", "tokens"}
        assert said[0]["source"] == "0"
        assert said[0]["tokens"][0]["text"] == "A"


def test_what_is_open_at_the_end_is_written(
    reader: HeldRecognizer, signing: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    with black_camera(35) as camera, writing(reader, "text", "0") as write:
        read_live(signing, camera, write)
    assert capsys.readouterr().out == "A\n"


def test_a_window_that_is_closed_ends_the_reading(signing: Session) -> None:
    events, looks = list[Event](), list[tuple[int, ...]]()

    def look(image: np.ndarray, points: np.ndarray) -> bool:
        looks.append((*image.shape, *points.shape))
        return len(looks) < 30

    with black_camera(50, loop=True) as camera:
        read_live(signing, camera, events.append, look)
    assert looks == [(4, 4, 3, 543, 3)] * 30
    assert [event.text for event in events if event.final] == ["A"]


def event(final: bool, *letters: tuple[str, float]) -> Event:
    tokens = tuple(Token(text, start_s, start_s + 0.5, 0.9) for text, start_s in letters)
    return Event("".join(text for text, _ in letters), final, tokens, tokens[0].start_s, tokens[-1].end_s, 0.9)


def test_text_grows_and_what_may_change_is_dim() -> None:
    said = Said("letters")
    for one in (event(False, ("A", 0)), event(False, ("A", 0), ("B", 1)), event(True, ("A", 0))):
        said.take(one)
    assert said.text == "AB"
    styled = said.styled()
    assert (styled.plain, [(span.start, span.end, span.style) for span in styled.spans]) == ("AB", [(1, 2, "dim")])
    said.take(event(True, ("B", 1)))
    assert (said.text, said.styled().plain) == ("AB", "AB")
    signs = Said("signs")
    signs.take(event(True, ("hello", 0)))
    signs.take(event(False, ("you", 1)))
    assert (signs.text, signs.styled().plain) == ("hello you", "hello you")


def test_on_a_terminal_the_text_is_one_line_that_grows(
    reader: HeldRecognizer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with writing(reader, "text", "0") as write:
        for one in (event(False, ("A", 0)), event(True, ("A", 0)), event(True, ("B", 1))):
            write(one)
    out = capsys.readouterr().out
    assert "AB\n" in out and out.count("\n") == 1


def test_the_view_is_a_mirror_with_skeleton_and_the_end_of_the_text() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    image[:, :40] = 200
    points = make_points("A")[0]
    expected = draw_label(np.ascontiguousarray(draw_landmarks(image, points)[:, ::-1]), "CDEFGHIJ")
    np.testing.assert_array_equal(mirrored_view(image, points, "ABCDEFGHIJ"), expected)
    assert mirrored_view(image, None, "")[60, 150].tolist() == [200, 200, 200]


def test_show_needs_a_camera_and_a_display(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, err = run(capsys, "recognize", "clip.mp4", "--show")
    assert (status, "--show: only for a camera" in err) == (2, True)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "linux":
        pytest.skip("other systems always have a display")
    status, out, err = run(capsys, "recognize", "0", "--show")
    assert (status, out) == (1, "")
    assert "--show: no window can be opened here" in err and "signary serve" in err


def test_a_second_interrupt_stops_the_program() -> None:
    with black_camera(5, loop=True) as camera, pytest.raises(KeyboardInterrupt), until_interrupt(camera):
        os.kill(os.getpid(), signal.SIGINT)
        assert list(camera) == []
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
