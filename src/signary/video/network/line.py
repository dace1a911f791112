"""Connections without endless waits: each has a timeout, and another thread can end it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from signary.address import Address

SLICE_S = 0.1  # between two looks at `Stop`
LEAST_BYTES = 1024
BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """Timeouts and retries of a network source.

    Parameters
    ----------
    connect_s : float
        Until the first bytes, connection included.
    stall_s : float
        Later: longest waiting time for each 1 KiB.
    retries : int
        Reconnections in a row.
    pause_s : float
        Before the first retry; doubles with each.
    fresh_s : float
        Seconds of pictures of a live source that reset the count of retries.
    """

    connect_s: float = 10.0
    stall_s: float = 10.0
    retries: int = 3
    pause_s: float = 0.5
    fresh_s: float = 60.0


PATIENCE = Patience()


class StoppedError(OSError):
    """The source was closed during a wait."""


class StallError(OSError):
    """Too few bytes came in time."""


@dataclass(slots=True)
class Stop:
    """Tells all threads of one source that it is closed; without a lock, so that a signal handler may set it."""

    said: bool = False

    def check(self) -> None:
        """Raise `StoppedError` if the source is closed."""
        if self.said:
            raise StoppedError("closed")

    def sleep(self, seconds: float) -> None:
        """Wait; raise `StoppedError` as soon as the source is closed."""
        end_s = time.monotonic() + seconds
        while not self.said and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(SLICE_S, left_s))
        self.check()


@dataclass(slots=True)
class Pace:
    """Applies `Patience`: at first one deadline, later 1 KiB in each ``stall_s``."""

    patience: Patience
    is_open: bool = field(default=False, init=False)
    _deadline_s: float = field(init=False)
    _waited_s: float = field(default=0.0, init=False)
    _came: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._deadline_s = time.monotonic() + self.patience.connect_s

    def left_s(self) -> float:
        """Return the waiting time left; raise `StallError` if there is none."""
        left_s = self.patience.stall_s - self._waited_s if self.is_open else self._deadline_s - time.monotonic()
        if left_s > 0:
            return left_s
        if self.is_open:
            raise StallError(f"stalls: {self._came} bytes in {self.patience.stall_s:g} s")
        raise StallError(f"no answer within {self.patience.connect_s:g} s")

    def begin(self) -> None:
        """Replace the deadline of the connection by ``stall_s``."""
        self.is_open, self._waited_s, self._came = True, 0.0, 0

    def note(self, waited_s: float, came: int) -> None:
        """Count a wait and the bytes that came."""
        self._waited_s += waited_s
        self._came += came
        if self._came >= LEAST_BYTES:
            self._waited_s, self._came = 0.0, 0


class Line(io.RawIOBase):
    """A TCP or TLS connection to the host and port of an address.

    Raises
    ------
    OSError
        If nobody answers, or the certificate is not trusted.
    """

    def __init__(self, address: Address, pace: Pace, stop: Stop) -> None:
        super().__init__()
        self.pace, self._stop = pace, stop
        self.socket = _dial(address, pace, stop)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for bytes, 0 at the end; raise `StallError` or `StoppedError`."""
        while True:
            start_s = time.monotonic()
            self._stop.check()
            self.socket.settimeout(min(SLICE_S, self.pace.left_s()))
            try:
                came = self.socket.recv_into(buffer)
            except TimeoutError:
                came = -1
            self.pace.note(time.monotonic() - start_s, max(0, came))
            if came >= 0:
                return came

    def take(self) -> bytes | None:
        """Return the bytes that came, none at the end, None if TLS needs more to decrypt them."""
        self.socket.settimeout(SLICE_S)
        try:
            return self.socket.recv(BUFFER_BYTES)
        except TimeoutError:
            return None

    def pending(self) -> bool:
        """Tell whether TLS has buffered bytes."""
        return bool(getattr(self.socket, "pending", int)())

    def sendall(self, data: bytes) -> None:
        """Send a request; raise `StallError` if no time is left."""
        self.socket.settimeout(self.pace.left_s())
        self.socket.sendall(data)

    def makefile(self, mode: str = "rb", *_: Any) -> io.BufferedReader:
        """Return the file that http.client reads."""
        return io.BufferedReader(self, BUFFER_BYTES)

    def close(self) -> None:
        """End the connection."""
        if not self.closed and "socket" in vars(self):  # absent if nobody answered
            self.socket.close()
        super().close()


def ready(waiting: Iterable[tuple[socket.socket, int]], timeout_s: float) -> list[Any]:
    """Return the sockets that are ready to be read (`selectors.EVENT_READ`) or written."""
    with selectors.DefaultSelector() as selector:
        for one, events in waiting:
            selector.register(one, events)
        return [key.fileobj for key, _ in selector.select(timeout_s)]


def _dial(address: Address, pace: Pace, stop: Stop) -> socket.socket:
    found = _look_up(address.host, address.port, pace, stop)
    failure: OSError = OSError("no address found")
    for number, (family, kind, protocol, _, place) in enumerate(found):
        line = socket.socket(family, kind, protocol)
        try:
            # each gets a share of the time, as the first may never answer
            _connect(line, place, pace.left_s() / (len(found) - number), stop)
            return _encrypt(line, address.host, pace, stop) if address.is_encrypted else line
        except (StoppedError, StallError):
            line.close()
            raise
        except OSError as error:
            line.close()
            failure = error
    raise failure


def _look_up(host: str, port: int, pace: Pace, stop: Stop) -> list[Any]:
    """Resolve a host name in a thread, since a waiting resolver cannot be interrupted."""
    with contextlib.suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    while True:
        stop.check()
        with contextlib.suppress(queue.Empty):
            answer = answers.get(timeout=min(SLICE_S, pace.left_s()))
            if isinstance(answer, OSError):
                raise answer
            return answer


def _connect(line: socket.socket, place: Any, share_s: float, stop: Stop) -> None:
    end_s = time.monotonic() + share_s
    line.setblocking(False)
    code = line.connect_ex(place)
    while code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
        stop.check()
        left_s = end_s - time.monotonic()
        if left_s <= 0:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if ready([(line, selectors.EVENT_WRITE)], min(SLICE_S, left_s)):
            code = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _encrypt(line: socket.socket, host: str, pace: Pace, stop: Stop) -> socket.socket:
    import ssl

    # trusts the certificates of the system or of SSL_CERT_FILE
    tls = ssl.create_default_context().wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
    try:
        while True:
            stop.check()
            tls.settimeout(min(SLICE_S, pace.left_s()))
            with contextlib.suppress(TimeoutError):
                tls.do_handshake()
                return tls
    except BaseException:
        tls.close()
        raise
