"""Live pictures from a network: the newest one counts, and a connection that breaks is opened again."""

from __future__ import annotations

import time
from collections.abc import Callable

from signary.video.camera import Camera, Capture
from signary.video.frame import Picture
from signary.video.network.line import Patience, StallError, Stop, StoppedError
from signary.video.network.request import LOST, lost, why

HINT = "check the camera, the network and the address"


class Reopened:
    """A capture that is opened again, a few times in a row, when its connection breaks.

    Parameters
    ----------
    open_capture : callable
        Opens the capture. It and the capture raise OSError or HTTPException where trying again may help, InputError
        where it cannot.
    name : str
        What errors call it.
    stop : Stop
    patience : Patience

    Attributes
    ----------
    warnings : list of str
        How often it was opened again, and why it ended.

    Raises
    ------
    InputError, OSError, HTTPException
        If it cannot be opened the first time.
    """

    def __init__(self, open_capture: Callable[[], Capture], name: str, stop: Stop, patience: Patience) -> None:
        self._open, self._name, self._stop, self._patience = open_capture, name, stop, patience
        self._capture = open_capture()
        self.fps: float = self._capture.fps
        self.warnings: list[str] = []
        self._opened_s = time.monotonic()
        self._last_s: float | None = None
        self._tries = self._times = 0

    def read(self) -> Picture | None:
        """Wait for the next picture; None at the end.

        Raises
        ------
        InputError
            If there never was a picture, or the connection stalls each time that it is opened.
        """
        while not self._stop.said:
            try:
                picture = self._capture.read()
            except StoppedError:
                break
            except LOST as error:
                if not self._stop.said and self._is_open_again(error):
                    continue
                break
            self._last_s = time.monotonic()
            return picture
        return None

    def stop(self) -> None:
        """End every wait; any thread or signal may call it."""
        self._stop.said = True

    def close(self) -> None:
        """End the connection."""
        self._capture.close()

    def _is_open_again(self, error: Exception) -> bool:
        self._capture.close()
        if self._last_s is None:
            raise lost(error, self._name) from None
        if self._last_s - self._opened_s >= self._patience.fresh_s:
            self._tries = 0
        while self._tries < self._patience.retries:
            try:
                self._stop.sleep(self._patience.pause_s * 2**self._tries)
                self._tries += 1
                self._capture = self._open()
            except StoppedError:
                return False
            except LOST as again:
                error = again
                continue
            self._opened_s = time.monotonic()
            self._times += 1
            self._say(f"connection lost and opened again {self._times} time{'s' * (self._times > 1)}")
            return True
        if isinstance(error, StallError):
            raise lost(error, self._name) from None
        self._say(f"given up after {self._tries} tries in a row: {why(error)}", is_new=True)
        return False

    def _say(self, warning: str, *, is_new: bool = False) -> None:
        self.warnings[:] = [*self.warnings, warning] if is_new else [warning]


class LiveStream(Camera):
    """Frames of a live source on a network as they come, the newest one first; close from any thread.

    Parameters
    ----------
    open_capture : callable
        As for `Reopened`.
    name : str
    stop : Stop
        That of the capture.
    patience : Patience

    Raises
    ------
    InputError
        If it cannot be opened, or (while iterating) as `Reopened`.
    """

    def __init__(self, open_capture: Callable[[], Capture], name: str, stop: Stop, patience: Patience) -> None:
        try:
            self._reopened = Reopened(open_capture, name, stop, patience)
        except LOST as error:
            raise lost(error, name) from None
        longest_s = (patience.retries + 1) * (patience.connect_s + patience.stall_s) + patience.pause_s * (
            2**patience.retries
        )
        super().__init__(open_capture=lambda _: self._reopened, timeout_s=longest_s, name=name, hint=HINT)
        self.warnings = self._reopened.warnings

    def stop(self) -> None:
        """Let the frames end; a signal may call it at any moment."""
        super().stop()
        self._reopened.stop()
