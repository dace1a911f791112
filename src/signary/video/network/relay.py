"""A local relay to one RTSP server; it refuses redirects to any other."""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import threading
import time

from signary.address import Address, redirect_refused, shown_address
from signary.errors import InputError
from signary.video.network.line import SLICE_S, Line, Pace, Patience, Stop, ready

STATUS = re.compile(rb"RTSP/\d\.\d (\d{3})(?: [\t -~\x80-\xff]*)?")
REQUEST = re.compile(rb"([A-Z_]+) [!-~]+ RTSP/\d\.\d")
BEGINNING = re.compile(STATUS.pattern + rb"|" + REQUEST.pattern)
# FFmpeg could take other bytes for a packet between two lines, or for another length.
FIELD = re.compile(rb"[!-#%-~][\t -~\x80-\xff]*")
LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,7})[ \t]*", re.IGNORECASE)
LOCATION = re.compile(rb"\nlocation:[ \t]*([^\r\n]*)", re.IGNORECASE)
MAX_HEAD_BYTES = 64 * 1024
MAX_SHOWN = 300
LEAST_PACKET_BYTES = 8  # FFmpeg reads shorter payloads as text
FAREWELL_S = 1.0


class Replies:
    """Parse and check what an RTSP server sends; ``name`` is for errors.

    Attributes
    ----------
    refused : str
        Status and reason of the last answer if it was an error, else empty.
    """

    def __init__(self, name: str) -> None:
        self.refused = ""
        self._name, self._held, self._body = name, bytearray(), 0

    def passed(self, data: bytes) -> bytes:
        """Add received bytes; return those that may be forwarded: whole packets and answers that do not redirect.

        Raises
        ------
        InputError
            If the server redirects or does not speak RTSP.
        """
        self._held += data
        out = bytearray()
        while (unit := self._unit()) is not None:
            out += unit
        return bytes(out)

    def _unit(self) -> bytes | None:
        """Return the next piece, empty if it must be dropped, None if more bytes are needed."""
        if self._body:
            body = self._taken(min(self._body, len(self._held)))
            self._body -= len(body)
            return body or None
        if bytes(self._held[:1]) in (b"\r", b"\n"):
            self._taken(1)
            return b""
        if self._held[:1] == b"$":
            size = int.from_bytes(self._held[2:4], "big")
            if len(self._held) < 4 + size or len(self._held) < 4:
                return None
            packet = self._taken(4 + size)
            return packet if size >= LEAST_PACKET_BYTES else b""
        end = self._held.find(b"\r\n\r\n")
        if end >= 0:
            head = self._taken(end + 4)
            self._check(head[:-4])
            return head
        first, ended, _ = self._held.partition(b"\n")
        known = BEGINNING.fullmatch(first.rstrip(b"\r")) if ended else first[:1].isupper() or not first
        if len(self._held) > MAX_HEAD_BYTES or not known:
            raise self._no_rtsp()
        return None

    def _taken(self, size: int) -> bytes:
        data = bytes(self._held[:size])
        del self._held[:size]
        return data

    def _check(self, head: bytes) -> None:
        first, *fields = head.split(b"\r\n")
        status, request = STATUS.fullmatch(first), REQUEST.fullmatch(first)
        if not (status or request) or not all(FIELD.fullmatch(field) for field in fields):
            raise self._no_rtsp()
        if (status and status[1].startswith(b"3")) or (request and request[1] == b"REDIRECT"):
            raise self._redirect(head)
        lengths = [field for field in fields if field.lower().startswith(b"content-length")]
        told = [LENGTH.fullmatch(field) for field in lengths]
        if len(told) > 1 or None in told:
            raise self._no_rtsp()
        self._body = next((int(length[1]) for length in told if length), 0)
        if status:
            self.refused = first.partition(b" ")[2].decode("ascii", "replace") if status[1] >= b"400" else ""

    def _redirect(self, head: bytes) -> InputError:
        found = LOCATION.search(head)
        place = shown_address(found[1].decode("ascii", "replace").strip()[:MAX_SHOWN]) if found else ""
        return redirect_refused(self._name, place)

    def _no_rtsp(self) -> InputError:
        return InputError(f"{self._name}: does not speak RTSP", hint="check the port and the address")


class Relay:
    """Relay one local connection to one RTSP server, over TCP or TLS; parameters as for `RtspCapture`.

    Attributes
    ----------
    port : int
        On the loopback interface; accepts one connection.
    failure : Exception or None
        Why it ended; None while it runs, or if the client ended it.

    Raises
    ------
    OSError
        If the server does not answer.
    """

    def __init__(self, address: Address, name: str, stop: Stop, patience: Patience) -> None:
        self.failure: Exception | None = None
        self.replies = Replies(name)
        self._stop, self._closed, self._patience = stop, False, patience
        self._pace = Pace(patience)
        self._server = Line(address, self._pace, stop)
        self._door = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.port: int = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name=f"relay {name}", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """As `Pace.begin`."""
        self._pace.begin()

    def close(self) -> None:
        """End both connections and the thread."""
        self._closed = True
        self._thread.join()

    def _is_over(self) -> bool:
        return self._stop.said or self._closed

    def _run(self) -> None:
        client: socket.socket | None = None
        try:
            client = self._accept()
            self._door.close()
            if client is not None:
                client.settimeout(SLICE_S)
                self._carry(client)
                self._part(client)
        except Exception as error:  # read by `RtspCapture`
            self.failure = error
        finally:
            self._door.close()
            self._server.close()
            if client is not None:
                client.close()

    def _accept(self) -> socket.socket | None:
        while not self._is_over():
            if ready([(self._door, selectors.EVENT_READ)], min(SLICE_S, self._pace.left_s())):
                return self._door.accept()[0]
        return None

    def _carry(self, client: socket.socket) -> None:
        """Forward bytes both ways until one side ends; in one thread, as TLS cannot be read and written at once."""
        both = [(client, selectors.EVENT_READ), (self._server.socket, selectors.EVENT_READ)]
        while not self._is_over():
            start_s = time.monotonic()
            found = ready(both, 0 if self._server.pending() else min(SLICE_S, self._pace.left_s()))
            if client in found and not self._forward(client):
                return
            data = self._server.take() if self._server.socket in found or self._server.pending() else None
            self._pace.note(time.monotonic() - start_s, len(data or b""))
            if data == b"":
                raise ConnectionResetError("ended the connection")
            if data and not self._hand_on(client, self.replies.passed(data)):
                return

    def _forward(self, client: socket.socket) -> bool:
        data = client.recv(MAX_HEAD_BYTES)
        if data:
            self._server.sendall(data)
        return bool(data)

    def _hand_on(self, client: socket.socket, data: bytes) -> bool:
        """Send data to the client as fast as it reads; False if it has gone."""
        left = memoryview(data)
        while left and not self._is_over():
            try:
                left = left[client.send(left) :]
            except TimeoutError:
                continue
            except OSError:
                return False
        return not left

    def _part(self, client: socket.socket) -> None:
        """Let the client send its TEARDOWN: cameras with few connections free one at once."""
        end_s = time.monotonic() + FAREWELL_S
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
            while time.monotonic() < end_s:
                if ready([(client, selectors.EVENT_READ)], SLICE_S) and not self._forward(client):
                    return
