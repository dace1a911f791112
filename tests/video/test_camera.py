"""Cameras: the newest frame wins, lag is measured, and one that is not there says so."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from signary.errors import InputError
from signary.video.camera import ArrayCapture, Camera, FileCapture, OpenCVCapture
from signary.video.source import FrameSource
from signary.video.write import write_video


def numbered(count: int) -> NDArray[np.uint8]:
    """Return pictures whose value is their number."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 6, 3)).copy()


class SteppedCapture:
    """Gives a picture whenever the test allows one."""

    fps = 30.0

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = iter(images)
        self.allowed = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)
        self.closed = threading.Event()

    def read(self) -> NDArray[np.uint8] | None:
        self.asked.release()
        self.allowed.acquire()
        return next(self._images, None)

    def close(self) -> None:
        self.closed.set()

    def give(self, count: int) -> None:
        """Let the thread read some pictures, and wait until it has stored the last one."""
        for _ in range(count):
            assert self.asked.acquire(timeout=5)
            self.allowed.release()
        assert self.asked.acquire(timeout=5)
        self.asked.release()


def test_the_newest_frame_wins_and_dropped_ones_are_counted() -> None:
    capture = SteppedCapture(numbered(10))
    camera = Camera(3, open_capture=lambda number: capture)
    frames = iter(camera)
    capture.give(4)
    first = next(frames)
    capture.give(1)
    second = next(frames)
    assert (int(first.image[0, 0, 0]), int(second.image[0, 0, 0])) == (3, 4)
    assert (first.index, second.index) == (0, 1)
    assert camera.dropped == 3
    assert first.time_s == 0
    assert second.time_s > 0
    capture.allowed.release()
    camera.close()
    assert capture.closed.wait(5)
    assert list(frames) == []


def test_lag_is_the_age_of_the_frame_handed_out() -> None:
    capture = SteppedCapture(numbered(3))
    with Camera(open_capture=lambda number: capture) as camera:
        capture.give(1)
        time.sleep(0.08)
        next(iter(camera))
        assert 80 <= camera.lag_ms < 2000
        capture.allowed.release(3)


def test_a_fast_reader_gets_every_frame_in_real_time() -> None:
    with Camera(0, open_capture=lambda number: ArrayCapture(numbered(8), fps=50)) as camera:
        assert isinstance(camera, FrameSource)
        assert (camera.name, camera.is_live, camera.is_still, camera.fps) == ("camera 0", True, False, 50)
        frames = list(camera)
    values = [int(frame.image[0, 0, 0]) for frame in frames]
    assert values == sorted(set(values))
    assert values[-1] == 7
    assert len(values) + camera.dropped == 8
    assert 0.05 < frames[-1].time_s < 2
    assert camera.warnings == [f"camera 0 gave no more pictures after {len(frames)} frames"]


def test_a_loop_goes_on_until_closed() -> None:
    with Camera(open_capture=lambda number: ArrayCapture(numbered(2), fps=500, loop=True)) as camera:
        frames = iter(camera)
        assert len([next(frames) for _ in range(6)]) == 6
    assert list(frames) == []
    assert camera.warnings == []


def test_a_file_plays_as_a_camera(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", np.full((6, 48, 64, 3), 200, np.uint8), fps=60)
    with Camera(open_capture=lambda number: FileCapture(path)) as camera:
        frames = list(camera)
    assert camera.fps == 60
    assert len(frames) + camera.dropped == 6
    assert abs(int(frames[0].image[20, 20, 0]) - 200) < 5


def test_opencv_pictures_are_rgb(tmp_path: Path) -> None:
    orange = np.broadcast_to(np.array([250, 120, 10], np.uint8), (4, 48, 64, 3))
    capture = OpenCVCapture(str(write_video(tmp_path / "orange.mp4", orange, fps=30)))
    image = capture.read()
    capture.close()
    assert image is not None
    assert image.dtype == np.uint8
    assert np.abs(image[20, 30].astype(int) - [250, 120, 10]).max() < 8


def test_an_absent_camera_is_an_input_error_and_stderr_stays_clean(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="camera 97: not there") as caught:
        Camera(97)
    assert "signary doctor --camera" in caught.value.hint
    assert capfd.readouterr().err == ""


def test_a_camera_that_gives_nothing_is_not_waited_for_forever() -> None:
    capture = SteppedCapture(numbered(1))
    with Camera(open_capture=lambda number: capture, timeout_s=0.05) as camera:
        with pytest.raises(InputError, match=r"no picture for 0\.05 s") as caught:
            next(iter(camera))
        assert caught.value.hint
        capture.allowed.release(2)


def test_a_camera_that_breaks_says_why() -> None:
    class Broken:
        fps = 30.0

        def read(self) -> NDArray[np.uint8] | None:
            raise OSError("the cable is out")

        def close(self) -> None:
            pass

    with Camera(open_capture=lambda number: Broken()) as camera, pytest.raises(InputError, match="the cable is out"):
        next(iter(camera))
