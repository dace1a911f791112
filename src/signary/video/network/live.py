"""Live network sources: keep the newest picture and reconnect after a failure."""

from __future__ import annotations

import time
from collections.abc import Callable

from signary.video.camera import Camera, Capture
from signary.video.frame import Picture
from signary.video.network.line import Patience, StallError, Stop, StoppedError
from signary.video.network.request import LOST, lost, why

HINT = "check the camera, the network and the address"


class Reopened:
    """A capture that reconnects when its connection breaks.

    Parameters
    ----------
    open_capture : callable
        Opens the capture. Both raise OSError or HTTPException where a retry may help, else InputError.
    name : str
        In errors.
    stop : Stop
        Of the capture.
    patience : Patience

    Attributes
    ----------
    warnings : list of str
        Number of reconnections, and why it ended.

    Raises
    ------
    InputError, OSError, HTTPException
        If the first connection fails.
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
            If no picture ever came, or every connection stalls.
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
        """End every wait; may be called by any thread or signal handler."""
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
    """Newest frames of a live network source; parameters as for `Reopened`; any thread may close it.

    Raises
    ------
    InputError
        If it cannot be opened, or (while iterating) as `Reopened.read`.
    """

    def __init__(self, open_capture: Callable[[], Capture], name: str, stop: Stop, patience: Patience) -> None:
        try:
            self._reopened = Reopened(open_capture, name, stop, patience)
        except LOST as error:
            raise lost(error, name) from None
        waits_s = (patience.retries + 1) * (patience.connect_s + patience.stall_s)
        longest_s = waits_s + patience.pause_s * 2**patience.retries
        super().__init__(open_capture=lambda _: self._reopened, timeout_s=longest_s, name=name, hint=HINT)
        self.warnings = self._reopened.warnings

    def stop(self) -> None:
        """End the frames; may be called by a signal handler."""
        super().stop()
        self._reopened.stop()
