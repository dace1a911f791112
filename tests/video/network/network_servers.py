"""Servers on this machine's loopback that behave as the tests want: HTTP of every kind, and a small RTSP camera."""

from __future__ import annotations

import base64
import contextlib
import functools
import gc
import hashlib
import http.server
import io
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import signary.video.network.live
import signary.video.network.rtsp  # noqa: F401  # slow imports must not count in the short timeouts
from signary.address import shown_address
from signary.errors import InputError
from signary.video.network.line import Patience
from signary.video.network.source import open_network
from signary.video.source import FrameSource

HURRIED = Patience(connect_s=1.0, stall_s=0.6, retries=3, pause_s=0.02)
PAYLOAD = 96
REALM, NONCE = "camera", "f00d"

Respond = Callable[["Exchange"], None]


def failure(address: str) -> InputError:
    """Open and read an address that must fail; check that the error is one line, without the password "passing"."""
    with nothing_left(), pytest.raises(InputError) as caught, open_network(address, patience=HURRIED) as source:
        for _ in source:
            pass
    assert caught.value.message.startswith(shown_address(address))
    assert caught.value.hint
    assert not any(text in str(caught.value) for text in ("passing", "\n"))
    return caught.value


def check_closes(source: FrameSource, after_s: float) -> None:
    """Close a source while a thread reads it, and check that the thread ends soon, with frames and no warning."""
    counts: list[int] = []
    reader = threading.Thread(target=lambda: counts.append(sum(1 for _ in source)))
    reader.start()
    time.sleep(after_s)
    start_s = time.monotonic()
    source.close()
    reader.join(5)
    assert time.monotonic() - start_s < 4
    assert not reader.is_alive()
    assert counts[0] > 0
    source.close()
    assert source.warnings == []


class Exchange(http.server.BaseHTTPRequestHandler):
    """One request, handed to the function that the test gave to its `WebServer`."""

    protocol_version = "HTTP/1.1"
    server: WebServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        with contextlib.suppress(OSError):
            self.server.respond(self)
        self.close_connection = True

    def answer(self, body: bytes = b"", kind: str = "", status: int = 200, **headers: Any) -> None:
        """Send status, headers (``_`` for ``-``) and body; ``Content_Length=None`` omits that header."""
        self.send_response(status)
        fields = {"Content_Length": len(body), **({"Content_Type": kind} if kind else {}), **headers}
        for name, value in fields.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.wfile.write(data)
        self.wfile.flush()

    def wait(self, seconds: float = 20.0) -> bool:
        """Do nothing for a while; True as soon as the test is over."""
        return self.server.over.wait(seconds)

    def log_message(self, *_: Any) -> None:
        pass


class WebServer(http.server.ThreadingHTTPServer):
    """Answers every GET with a function and records the paths."""

    daemon_threads = True

    def __init__(self, respond: Respond, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.respond, self.over = respond, threading.Event()
        self.asked: list[str] = []
        self.place = f"127.0.0.1:{self.server_address[1]}"
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def address(self, path: str = "/clip", user: str = "") -> str:
        """Return the address of a path, with ``user`` (user:password) in it."""
        return f"{self.scheme}://{user}{'@' if user else ''}{self.place}{path}"

    def handle_error(self, *_: Any) -> None:
        pass  # a client that hangs up, or trusts no certificate


@contextlib.contextmanager
def serving(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Run a `WebServer` for a while."""
    server = WebServer(respond, tls)
    with _running(server):
        yield server


@contextlib.contextmanager
def _running(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="test server")
    thread.start()
    try:
        yield
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def digest_is_right(header: str, user: str, password: str, method: str = "GET") -> bool:
    """Check the answer to a Digest challenge with `REALM` and `NONCE`."""
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', header))
    name = fields.get("algorithm", "MD5").replace("-", "").lower()

    def digest(*parts: str) -> str:
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    secret, asked = digest(user, REALM, password), digest(method, fields.get("uri", ""))
    extra = (fields["nc"], fields["cnonce"], fields["qop"]) if "qop" in fields else ()
    return fields.get("response") == digest(secret, NONCE, *extra, asked) and fields.get("username") == user


def certificate(folder: Path) -> Path:
    """Make a self-signed certificate for 127.0.0.1 and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not here to make a certificate")
    path = folder / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", str(path), "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    path.write_text(path.read_text() + (folder / "cert.pem").read_text())
    return path


def tls_server(path: Path) -> ssl.SSLContext:
    """Return the SSL context of a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def picture(value: int = 200) -> NDArray[np.uint8]:
    """Return a picture, 64 x 48, of one grey."""
    return np.full((48, 64, 3), value, np.uint8)


def jpeg(value: int = 200) -> bytes:
    """Return a grey picture as JPEG."""
    file = io.BytesIO()
    Image.fromarray(picture(value)).save(file, "JPEG")
    return file.getvalue()


def noisy(count: int = 40, size: tuple[int, int] = (96, 128)) -> NDArray[np.uint8]:
    """Return pictures that hardly compress, so that their video is large."""
    return np.random.default_rng(1).integers(0, 255, (count, *size, 3), np.uint8)


@functools.cache
def rtp_frames(count: int = 8) -> list[list[bytes]]:
    """Return FFmpeg's RTP packets of MPEG-4 key frames, frame by frame."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        port = receiver.getsockname()[1]
        address = f"rtp://127.0.0.1:{port}?rtcpport={port}&pkt_size=1200"
        with av.open(address, "w", format="rtp", options={"rtpflags": "skip_rtcp"}) as container:
            stream: Any = container.add_stream("mpeg4", rate=25, options={"g": "1"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.time_base = Fraction(1, 25)
            for index in range(count):
                frame = av.VideoFrame.from_ndarray(picture(40 + 20 * index), format="rgb24")
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        frames: list[list[bytes]] = [[]]
        while len(frames) <= count:
            packet = receiver.recv(2048)
            if packet[1] & 0x7F != PAYLOAD:
                continue
            frames[-1].append(packet)
            if packet[1] & 0x80:
                frames.append([])
    return frames[:count]


class Camera(socketserver.ThreadingTCPServer):
    """An RTSP camera: OPTIONS, DESCRIBE, SETUP and PLAY, pictures interleaved on the one connection.

    Parameters
    ----------
    frames : int
        Pictures sent on one connection.
    then : str
        What comes after them: ``stall``, ``cut``, ``bye``, ``redirect``.
    scheme : str
        What it asks the password for with: ``Basic``, ``Digest`` or nothing.
    replies : dict of str to bytes
        Raw answers in place of its own, by method.
    """

    allow_reuse_address, daemon_threads = True, True

    def __init__(
        self,
        frames: int = 10**6,
        then: str = "stall",
        scheme: str = "",
        replies: dict[str, bytes] | None = None,
        connections: int = 10**6,
    ) -> None:
        super().__init__(("127.0.0.1", 0), Viewer)
        self.frames, self.then, self.scheme, self.replies, self.connections = (
            frames,
            then,
            scheme,
            replies or {},
            connections,
        )
        self.over = threading.Event()
        self.asked: list[str] = []
        self.calls = 0
        self.place = f"127.0.0.1:{self.server_address[1]}"

    def address(self, path: str = "/live", user: str = "") -> str:
        """Return the address of a path, with ``user`` (user:password) in it."""
        return f"rtsp://{user}{'@' if user else ''}{self.place}{path}"

    def handle_error(self, *_: Any) -> None:
        pass


class Viewer(socketserver.StreamRequestHandler):
    """One connection to a `Camera`."""

    server: Camera

    def handle(self) -> None:
        self.server.calls += 1
        if self.server.calls > self.server.connections:
            return
        with contextlib.suppress(OSError):
            while (request := self._request()) is not None:
                method, url, headers = request
                self.server.asked.append(method)
                self._answer(method, url, headers)
                if method == "PLAY":
                    self._play()
                    return

    def _request(self) -> tuple[str, str, dict[str, str]] | None:
        lines: list[str] = []
        while line := self.rfile.readline().decode().strip():
            lines.append(line)
        if not lines:
            return None
        method, url, _ = lines[0].split()
        return method, url, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}

    def _answer(self, method: str, url: str, headers: dict[str, str]) -> None:
        if method in self.server.replies:
            data = self.server.replies[method]
            if not data:
                self.server.over.wait(20)
            self.wfile.write(data.replace(b"CSEQ", headers["cseq"].encode()))
            return
        if not self._is_allowed(method, headers.get("authorization", "")):
            extra = ', nonce="f00d"' if self.server.scheme == "Digest" else ""
            challenge = f'WWW-Authenticate: {self.server.scheme} realm="{REALM}"{extra}\r\n'
            self._reply(headers, "401 Unauthorized", challenge)
            return
        if method == "DESCRIBE":
            text = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP {PAYLOAD}\r\n"
            text += f"a=rtpmap:{PAYLOAD} MP4V-ES/90000\r\na=control:track1\r\n"
            self._reply(headers, "200 OK", f"Content-Base: {url}/\r\nContent-Type: application/sdp\r\n", text)
        elif method == "SETUP":
            self._reply(headers, "200 OK", f"Transport: {headers['transport']}\r\nSession: 7\r\n")
        else:
            self._reply(headers, "200 OK", "Session: 7\r\n" if method == "PLAY" else "")

    def _is_allowed(self, method: str, header: str) -> bool:
        if self.server.scheme == "Basic":
            return header == f"Basic {base64.b64encode(b'me:pass w/rd').decode()}"
        return not self.server.scheme or digest_is_right(header, "me", "pass w/rd", method)

    def _reply(self, headers: dict[str, str], status: str, fields: str = "", body: str = "") -> None:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: {headers['cseq']}\r\n{fields}{length}\r\n{body}".encode())

    def _play(self) -> None:
        frames, number = rtp_frames(), 0
        for index in range(self.server.frames):
            for packet in frames[index % len(frames)]:
                ticks = (3600 * index).to_bytes(4, "big")
                data = packet[:2] + (number % 2**16).to_bytes(2, "big") + ticks + packet[8:]
                self.wfile.write(b"$\0" + len(data).to_bytes(2, "big") + data)
                number += 1
            if self.server.over.wait(0.02):
                return
        if self.server.then == "stall":
            self.server.over.wait(20)
        elif self.server.then == "bye":
            self.wfile.write(b"$\x01\0\x10" + b"\x80\xc9\0\x01" + b"\0\0\0\1" + b"\x81\xcb\0\x01" + frames[0][0][8:12])
            self.server.over.wait(5)
        elif self.server.then == "redirect":
            self.wfile.write(
                b"REDIRECT rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 9\r\nLocation: rtsp://127.0.0.1:9/x\r\n\r\n"
            )
            self.server.over.wait(5)


@contextlib.contextmanager
def filming(**options: Any) -> Iterator[Camera]:
    """Run a `Camera` for a while."""
    camera = Camera(**options)
    with _running(camera):
        yield camera


@contextlib.contextmanager
def tls_tunnel(context: ssl.SSLContext, camera: Camera) -> Iterator[str]:
    """Put TLS before a camera; yield host and port."""
    plain = camera.get_request
    camera.get_request = lambda: _encrypted(plain(), context)  # type: ignore[method-assign]
    yield camera.place


def _encrypted(request: tuple[Any, Any], context: ssl.SSLContext) -> tuple[Any, Any]:
    line, place = request
    try:
        return context.wrap_socket(line, server_side=True), place
    except OSError:
        line.close()
        raise


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Check that all threads but those of the servers end."""
    before = set(threading.enumerate())
    yield
    new = {one for one in set(threading.enumerate()) - before if "process_request" not in one.name}
    for thread in new:
        thread.join(3)
    assert {thread.name for thread in new if thread.is_alive()} == set()
    gc.collect()  # warns of unclosed sockets and files
