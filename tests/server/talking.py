"""A real server on a free port, and the messages of its tests."""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.recognizer import Recognizer
from signary.server.app import make_app
from signary.server.options import ServeOptions
from signary.server.run import listening, make_server

START = {"version": 1, "type": "start", "model": "letters", "input": "landmarks"}
END = {"version": 1, "type": "end"}


@dataclass(frozen=True)
class Running:
    """A server that runs in a thread."""

    port: int
    stop: Callable[[], None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, path: str = "/api/live", **options: Any) -> ClientConnection:
        # entered here; `with` on the result closes it
        return connect(f"ws://127.0.0.1:{self.port}{path}", **options).__enter__()


Serving = Callable[..., Running]


@contextmanager
def serving(readers: dict[str, Recognizer], **options: Any) -> Iterator[Running]:
    settings = ServeOptions(**options)
    with listening("127.0.0.1", 0) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # a client that does not read is soon detected
        server = make_server(make_app(settings, readers), settings.limit)
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(20)

        try:
            yield Running(listener.getsockname()[1], stop)
        finally:
            stop()
            assert not thread.is_alive()


def packet(time_s: float, content: bytes | Points) -> bytes:
    return struct.pack("<d", time_s) + (content if isinstance(content, bytes) else content.astype("<f4").tobytes())


def jpeg(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "gray").save(file, "JPEG")
    return file.getvalue()


def start(client: ClientConnection, **fields: Any) -> dict[str, Any]:
    client.send(json.dumps(START | fields))
    return said(client)


def said(client: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(client.recv(timeout=20)))


def until(client: ClientConnection, *types: str) -> list[dict[str, Any]]:
    """Return the messages up to the first of one of these types."""
    messages = [said(client)]
    while messages[-1]["type"] not in types:
        messages.append(said(client))
    return messages


def close_code(client: ClientConnection) -> int:
    """Read to the end and return the close code."""
    try:
        while True:
            client.recv(timeout=20)
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code


def final_text(messages: list[dict[str, Any]]) -> str:
    return "".join(message["text"] for message in messages if message["type"] == "event" and message["final"])


def speaks(client: ClientConnection, clip: LandmarkSequence) -> str:
    """Stream a clip frame by frame, wait for each to be read, and return the final text."""
    heard = []
    for points, time_s in zip(clip.points, clip.times_s, strict=True):
        client.send(packet(time_s, points))
        heard += until(client, "frame", "error")
    client.send(json.dumps(END))
    return final_text(heard + until(client, "closed"))
