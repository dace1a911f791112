"""Live cameras: a thread keeps the newest frame, so that a slow reader never lags behind."""

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
    """What a camera thread reads from: pictures at their own pace."""

    @property
    def fps(self) -> float:
        """Frames a second."""
        ...

    def read(self) -> Picture | None:
        """Wait for the next picture, uint8 (H, W, 3) RGB; None when there are no more."""
        ...

    def close(self) -> None:
        """Let go of the device or file."""
        ...


class OpenCVCapture:
    """A real camera, read through OpenCV.

    Parameters
    ----------
    number : int or str
        The camera; a video file's path works too.
    width, height : int
        Size asked for in pixels; the camera gives the nearest it has.

    Raises
    ------
    InputError
        If no camera answers.
    """

    def __init__(self, number: int | str, width: int = 640, height: int = 480) -> None:
        level = cv2.setLogLevel(0)  # an absent camera would fill stderr with the complaints of each back end
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
        """Wait for the next picture; None once the camera has failed several times in a row."""
        for _ in range(READ_TRIES):
            good, image = self._device.read()
            if good:
                return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            time.sleep(RETRY_S)
        return None

    def close(self) -> None:
        """Let go of the camera."""
        self._device.release()


class ArrayCapture:
    """A stand-in for a camera that plays pictures in real time.

    Parameters
    ----------
    images : uint8 (T, H, W, 3), RGB
    fps : float
    loop : bool
        Start again at the end instead of ending.
    """

    def __init__(self, images: Picture, fps: float = DEFAULT_FPS, *, loop: bool = False) -> None:
        self.fps = fps
        self._images, self._loop = images, loop
        self._shown, self._start_s = 0, time.monotonic()

    def read(self) -> Picture | None:
        """Wait until the next picture is due; None after the last."""
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
    """A stand-in for a camera that plays a video file in real time.

    Raises
    ------
    InputError
        If the video cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self._decoder = VideoDecoder(path)
        self.fps = self._decoder.fps
        self._frames = iter(self._decoder)
        self._start_s = time.monotonic()

    def read(self) -> Picture | None:
        """Wait until the next frame is due; None after the last."""
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
    """Frames of a camera as they come; a frame that nobody fetched before the next one came is dropped.

    Parameters
    ----------
    number : int
        The camera, from 0.
    width, height : int
        Size asked for in pixels.
    open_capture : callable, optional
        Opens what is read from; OpenCV's camera by default, `ArrayCapture` or `FileCapture` to try things out.
    timeout_s : float
        How long to wait for a picture before giving up.
    name : str
        What it is called; "camera" and its number by default.
    hint : str
        What to do if it gives no pictures.

    Attributes
    ----------
    lag_ms : float
        Age of the frame last handed out, since the capture gave it.
    dropped : int
        Frames dropped so far.
    fps : float
        What the camera says of itself.

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
        except Exception as error:  # handed to whoever iterates
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
        """Wait for a picture that was not handed out yet; None at the end."""
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
        """Let the frames end; a signal may call it at any moment."""
        self._closing = True

    def close(self) -> None:
        """Stop the thread and let go of the camera."""
        self.stop()
        self._thread.join(CLOSE_WAIT_S)
