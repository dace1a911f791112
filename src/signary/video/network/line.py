"""Connections that cannot hold anybody up: every wait has an end, and another thread can end all of them."""

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

SLICE_S = 0.1  # how long a wait goes on before it looks whether it is still wanted
LEAST_BYTES = 1024
BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a network source is waited for.

    Parameters
    ----------
    connect_s : float
        For the connection and the first bytes, all in all.
    stall_s : float
        Later: as long as at least 1 KiB comes in that time of waiting.
    retries : int
        Connections tried again in a row.
    pause_s : float
        Before the first of them; each later one doubles it.
    fresh_s : float
        After so many seconds of pictures of a live source they count anew.
    """

    connect_s: float = 10.0
    stall_s: float = 10.0
    retries: int = 3
    pause_s: float = 0.5
    fresh_s: float = 60.0


PATIENCE = Patience()


class StoppedError(OSError):
    """The source was closed while it was waited for."""


class StallError(OSError):
    """Too little came in the time allowed."""


@dataclass(slots=True)
class Stop:
    """Says to all that work for one source that it is closed; a flag without a lock, so that a signal may set it."""

    said: bool = False

    def check(self) -> None:
        """Raise if the source is closed.

        Raises
        ------
        StoppedError
        """
        if self.said:
            raise StoppedError("closed")

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the source is open.

        Raises
        ------
        StoppedError
        """
        end_s = time.monotonic() + seconds
        while not self.said and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(SLICE_S, left_s))
        self.check()


@dataclass(slots=True)
class Pace:
    """Counts waiting against what came: at first one deadline for all, later 1 KiB in each `Patience.stall_s`."""

    patience: Patience
    is_open: bool = field(default=False, init=False)
    _deadline_s: float = field(init=False)
    _waited_s: float = field(default=0.0, init=False)
    _came: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._deadline_s = time.monotonic() + self.patience.connect_s

    def left_s(self) -> float:
        """Return how long may still be waited.

        Raises
        ------
        StallError
            If that is no time at all.
        """
        left_s = self.patience.stall_s - self._waited_s if self.is_open else self._deadline_s - time.monotonic()
        if left_s > 0:
            return left_s
        if self.is_open:
            raise StallError(f"stalls: {self._came} bytes in {self.patience.stall_s:g} s")
        raise StallError(f"no answer within {self.patience.connect_s:g} s")

    def begin(self) -> None:
        """Count stalls from now on, no more the time since the beginning."""
        self.is_open, self._waited_s, self._came = True, 0.0, 0

    def note(self, waited_s: float, came: int) -> None:
        """Count a wait, and what came at its end."""
        self._waited_s += waited_s
        self._came += came
        if self._came >= LEAST_BYTES:
            self._waited_s, self._came = 0.0, 0


class Line(io.RawIOBase):
    """A connection to one place, plain or TLS, read at a pace; closing it ends the connection.

    Parameters
    ----------
    address : Address
        Whose host and port are called.
    pace : Pace
    stop : Stop

    Raises
    ------
    OSError
        If nobody answers, or TLS finds no trust.
    """

    def __init__(self, address: Address, pace: Pace, stop: Stop) -> None:
        super().__init__()
        self.pace, self._stop = pace, stop
        self.socket = _dial(address, pace, stop)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for bytes; 0 when the other side has ended.

        Raises
        ------
        StallError, StoppedError
        """
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
        """Return what has come, nothing if the other side has ended, None if it is less than TLS can make sense of."""
        self.socket.settimeout(SLICE_S)
        try:
            return self.socket.recv(BUFFER_BYTES)
        except TimeoutError:
            return None

    def pending(self) -> bool:
        """Tell whether bytes wait that TLS has read ahead."""
        return bool(getattr(self.socket, "pending", int)())

    def sendall(self, data: bytes) -> None:
        """Send a request.

        Raises
        ------
        StallError
        """
        self.socket.settimeout(self.pace.left_s())
        self.socket.sendall(data)

    def makefile(self, mode: str = "rb", *_: Any) -> io.BufferedReader:
        """Return what http.client reads from."""
        return io.BufferedReader(self, BUFFER_BYTES)

    def close(self) -> None:
        """End the connection."""
        if not self.closed and "socket" in vars(self):  # not if nobody answered
            self.socket.close()
        super().close()


def ready(waiting: Iterable[tuple[socket.socket, int]], timeout_s: float) -> list[Any]:
    """Return those of the sockets that can be read (`selectors.EVENT_READ`) or written to."""
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
            # A share of the time for each, as the first of several may be one that never answers.
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
    """Ask for the addresses of a name; by a thread of its own, since nothing ends a resolver that waits."""
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

    # Trusts what the system, or SSL_CERT_FILE, trusts.
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
