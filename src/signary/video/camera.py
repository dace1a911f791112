"""Live cameras: a thread keeps only the newest frame, so that a slow reader does not lag."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from signary.errors import InputError
from signary.lifetime import Lifetime
from signary.video.decode import VideoDecoder
from signary.video.frame import DEFAULT_FPS, LIVE_SHOWN_S, Frame, Picture

READ_TRIES = 20
RETRY_S = 0.02
CLOSE_WAIT_S = 2.0
HINT = "is it plugged in, and free? `signary doctor --camera` lists the cameras that answer"


class Capture(Protocol):
    """Pictures in real time, read by the thread of a `Camera`."""

    @property
    def fps(self) -> float:
        """Frames a second."""
        ...

    def read(self) -> Picture | None:
        """Wait for the next picture, uint8 (H, W, 3) RGB; None at the end."""
        ...

    def close(self) -> None:
        """Release the device or file."""
        ...


class OpenCVCapture:
    """A camera through OpenCV: its number (or a video file) and the preferred size in pixels.

    Raises
    ------
    InputError
        If no camera answers.
    """

    def __init__(self, number: int | str, width: int = 640, height: int = 480) -> None:
        level = cv2.setLogLevel(0)  # each back end prints errors for an absent camera
        try:
            self._device = cv2.VideoCapture(number)
        finally:
            cv2.setLogLevel(level)
        if not self._device.isOpened():
            raise InputError(
                f"camera {number}: not there, or in use by another program",
                hint="`signary doctor --camera` lists the cameras that answer",
            )
        self._device.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._device.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self.fps: float = self._device.get(cv2.CAP_PROP_FPS) or DEFAULT_FPS

    def read(self) -> Picture | None:
        """Wait for the next picture; None after `READ_TRIES` failures in a row."""
        for _ in range(READ_TRIES):
            good, image = self._device.read()
            if good:
                return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            time.sleep(RETRY_S)
        return None

    def close(self) -> None:
        """Release the camera."""
        self._device.release()


class ArrayCapture:
    """A simulated camera that plays pictures uint8 (T, H, W, 3), RGB, in real time, once or in a ``loop``."""

    def __init__(self, images: Picture, fps: float = DEFAULT_FPS, *, loop: bool = False) -> None:
        self.fps = fps
        self._images, self._loop = images, loop
        self._shown, self._start_s = 0, time.monotonic()

    def read(self) -> Picture | None:
        """Wait for the next picture; None at the end."""
        if not self._loop and self._shown >= len(self._images):
            return None
        _wait_until(self._start_s + self._shown / self.fps)
        image: Picture = self._images[self._shown % len(self._images)]
        self._shown += 1
        return image

    def close(self) -> None:
        """Stop playing."""
        self._images, self._loop = self._images[:0], False


class FileCapture:
    """A simulated camera that plays a video file in real time; errors as of `VideoDecoder`."""

    def __init__(self, path: str | Path) -> None:
        self._decoder = VideoDecoder(path)
        self.fps = self._decoder.fps
        self._frames = iter(self._decoder)
        self._start_s = time.monotonic()

    def read(self) -> Picture | None:
        """Wait for the next picture; None at the end."""
        frame = next(self._frames, None)
        if frame is None:
            return None
        _wait_until(self._start_s + frame.time_s)
        return frame.image

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()


def _wait_until(due_s: float) -> None:
    time.sleep(max(0.0, due_s - time.monotonic()))


class Camera(Lifetime):
    """Newest frames of a camera; frames that are not read before the next one comes are dropped.

    Parameters
    ----------
    number : int
        From 0.
    width, height : int
        Preferred size in pixels; the camera gives the nearest that it has.
    open_capture : callable, optional
        Opens the capture: `OpenCVCapture` by default, `ArrayCapture` or `FileCapture` for tests.
    timeout_s : float
        Longest wait for a picture.
    name : str
        "camera" and its number by default.
    hint : str
        In the error if it gives no pictures.

    Attributes
    ----------
    lag_ms : float
        Age of the last frame when it was read.
    dropped : int
        Frames dropped so far.
    fps : float
        As the camera reports it.

    Raises
    ------
    InputError
        If the camera is absent or (while iterating) gives no pictures.

    Examples
    --------
    >>> pictures = np.zeros((3, 4, 4, 3), np.uint8)
    >>> with Camera(0, open_capture=lambda number: ArrayCapture(pictures, fps=100)) as camera:
    ...     next(iter(camera)).image.shape
    (4, 4, 3)
    """

    is_still = False
    is_live = True
    frame_count: int | None = None

    def __init__(
        self,
        number: int = 0,
        *,
        width: int = 640,
        height: int = 480,
        open_capture: Callable[[int], Capture] | None = None,
        timeout_s: float = 10.0,
        name: str = "",
        hint: str = HINT,
    ) -> None:
        self.name: str = name or f"camera {number}"
        self.warnings: list[str] = []
        self.lag_ms, self.dropped = 0.0, 0
        self._capture = open_capture(number) if open_capture else OpenCVCapture(number, width, height)
        self.fps: float = self._capture.fps
        self._timeout_s, self._hint = timeout_s, hint
        self._newest: tuple[Picture, float] | None = None
        self._failure: Exception | None = None
        self._ended, self._closing = False, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._keep_newest, name=self.name, daemon=True)
        self._thread.start()

    def _keep_newest(self) -> None:
        try:
            while not self._closing and (image := self._capture.read()) is not None:
                with self._changed:
                    self.dropped += self._newest is not None
                    self._newest = image, time.monotonic()
                    self._changed.notify_all()
        except Exception as error:  # raised where frames are read
            self._failure = error
        finally:
            self._capture.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def __iter__(self) -> Iterator[Frame]:
        index, start_s = 0, None
        while (newest := self._take()) is not None:
            image, taken_s = newest
            start_s = taken_s if start_s is None else start_s
            self.lag_ms = 1000 * (time.monotonic() - taken_s)
            yield Frame(image, index, taken_s - start_s, LIVE_SHOWN_S)
            index += 1
        if not self._closing:
            self.warnings.append(f"{self.name} gave no more pictures after {index} frames")

    def _take(self) -> tuple[Picture, float] | None:
        """Wait for a new picture; None at the end."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._newest or self._ended, self._timeout_s):
                raise InputError(f"{self.name}: no picture for {self._timeout_s:g} s", hint=self._hint)
            newest, self._newest = self._newest, None
        if newest is None and self._failure is not None and not self._closing:
            if isinstance(self._failure, InputError):
                raise self._failure
            raise InputError(f"{self.name}: failed ({self._failure})", hint=self._hint) from self._failure
        return None if self._closing else newest

    def stop(self) -> None:
        """End the frames; may be called by a signal handler."""
        self._closing = True

    def close(self) -> None:
        """Stop the thread and release the camera."""
        self.stop()
        self._thread.join(CLOSE_WAIT_S)
