"""Videos over HTTP, decoded while they download and resumed if the connection breaks."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from signary.errors import InputError
from signary.lifetime import Lifetime
from signary.video.network.line import Patience, StallError, Stop, StoppedError
from signary.video.network.request import LOST, Answer, get, lost

if TYPE_CHECKING:
    from signary.address import Address
    from signary.video.decode import VideoDecoder
    from signary.video.frame import Frame

CLOSE_WAIT_S = 2.0
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)", re.IGNORECASE)


class Download:
    """The unread body of an answer as a file without ``seek``.

    Once ``stop`` is set, reading raises `StoppedError`.

    Attributes
    ----------
    length : int or None
        Total bytes, if the server gave them.
    at : int
        Bytes read so far.
    cut : str
        What is missing if the end did not come, else empty.
    failure : InputError or None
        Raised by a read: FFmpeg may swallow it.
    """

    def __init__(self, address: Address, name: str, answer: Answer, stop: Stop, patience: Patience) -> None:
        self.length, self.at, self.cut = answer.length, 0, ""
        self.failure: InputError | None = None
        self._address, self._name, self._answer = address, name, answer
        self._stop, self._patience, self._tries = stop, patience, 0
        etag = answer.header("ETag")
        self._validator = etag if etag.startswith('"') else answer.header("Last-Modified")

    def begin(self) -> None:
        """As `Pace.begin`."""
        self._answer.begin()

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer at the end; errors as of `read1`."""
        data = bytearray()
        while len(data) < size and (more := self.read1(size - len(data))):
            data += more
        return bytes(data)

    def read1(self, size: int) -> bytes:
        """Return up to ``size`` bytes as soon as some come, none at the end; raise `InputError` at a stall."""
        while not self.cut:
            try:
                data = self._answer.read1(size)
                self.at += len(data)
                return data
            except StoppedError:
                raise
            except StallError as error:
                self.failure = lost(error, self._name)
                raise self.failure from None
            except LOST:
                if not self._go_on():
                    self.cut = f"cut off: {self.at} of {self.length or 'unknown'} bytes came"
        return b""

    def _go_on(self) -> bool:
        """Request the rest; False if the server does not give exactly that."""
        self._answer.close()
        headers = {"Range": f"bytes={self.at}-"} | ({"If-Range": self._validator} if self._validator else {})
        while (self._validator or self.length) and self._tries < self._patience.retries:
            self._stop.sleep(self._patience.pause_s * 2**self._tries)
            self._tries += 1
            try:
                answer = get(self._address, self._name, self._stop, self._patience, headers)
            except StoppedError:
                raise
            except LOST:
                continue
            except InputError:
                return False
            if self._is_rest(answer):
                answer.begin()
                self._answer = answer
                return True
            answer.close()
            if answer.status < 500:
                return False
        return False

    def _is_rest(self, answer: Answer) -> bool:
        if not (told := CONTENT_RANGE.fullmatch(answer.header("Content-Range"))) or answer.status != 206:
            return False
        whole = None if told[2] == "*" else int(told[2])
        return int(told[1]) == self.at and (self.length is None or whole in (None, self.length))

    def close(self) -> None:
        """End the connection."""
        self._answer.close()


class NetworkVideo(Lifetime):
    """Frames of a downloading video; iterate once, close from any thread.

    Parameters
    ----------
    decoder : VideoDecoder
        Reads ``file``, which reads ``download``.
    download : Download
    file : binary file
    stop : Stop
        Of the download.

    Raises
    ------
    InputError
        While iterating: at a stall, and as `VideoDecoder`.
    """

    is_still = False
    is_live = False

    def __init__(self, decoder: VideoDecoder, download: Download, file: BinaryIO, stop: Stop) -> None:
        self.name: str = decoder.name
        self.fps: float = decoder.fps
        self.frame_count: int | None = decoder.frame_count
        self.warnings: list[str] = decoder.warnings
        self._decoder, self._download, self._file, self._stop = decoder, download, file, stop
        self._frames: Iterator[Frame] = iter(decoder)
        self._is_reading = threading.Lock()  # a decoder must not be freed while decoding

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._next()) is not None:
            yield frame
        if self._stop.said:
            self.close()  # again: the first call may not have waited for the decoder
            return
        if self._download.failure is not None:
            raise self._download.failure
        if self._download.cut and not any(warning.startswith("cut off") for warning in self.warnings):
            self.warnings.append(self._download.cut)

    def _next(self) -> Frame | None:
        with self._is_reading:
            try:
                return None if self._stop.said else next(self._frames, None)
            except Exception:
                if self._stop.said:
                    return None
                raise

    def close(self) -> None:
        """End the connection and the frames, and free the decoder."""
        self._stop.said = True
        if self._is_reading.acquire(timeout=CLOSE_WAIT_S):
            try:
                self._decoder.close()
                self._download.close()
                close: Any = getattr(self._file, "close", None)
                if close is not None:
                    close()
            finally:
                self._is_reading.release()
