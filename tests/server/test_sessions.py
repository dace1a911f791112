"""Live sessions over real sockets: frames are read or refused, and no client harms another."""

from __future__ import annotations

import io
import json
import math
import socket
import struct
import threading
import time
from contextlib import suppress
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from talking import END, START, Running, Serving, close_code, final_text, jpeg, packet, said, speaks, start, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from signary.avatar.motion import plan_spelling
from signary.avatar.render import render
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.recognizer import Recognizer
from signary.server.live import FRAME_BYTES, LANDMARK_BYTES
from signary.video.photo import read_photo
from signary.video.source import open_source


def test_a_clip_as_landmarks_gives_the_text_of_the_whole(
    serve: Serving, letters: Recognizer, clip: LandmarkSequence
) -> None:
    with serve().connect() as client:
        ready = start(client, aspect=1.0)
        assert (ready["type"], ready["model"], ready["task"]) == ("ready", "letters", "letters")
        assert ready["labels"] == list(letters.vocabulary)
        assert speaks(client, clip) == letters.recognize(clip).text == "HELLO"
        assert close_code(client) == 1000


def test_a_mirrored_clip_gives_the_same(serve: Serving, clip: LandmarkSequence) -> None:
    with serve().connect() as client:
        start(client, mirrored=True)
        assert speaks(client, clip.mirrored()) == "HELLO"


def test_a_clip_as_jpegs_gives_the_text_of_the_whole(serve: Serving, letters: Recognizer) -> None:
    fps, size = 10, (320, 320)
    pictures = [encode(frame.image) for frame in render(plan_spelling("BL").sequence(fps), size=size)]
    seen = np.stack([read_photo(picture) for picture in pictures])
    with serve().connect() as client, open_source(seen, fps=fps) as frames:
        start(client, input="jpeg")
        heard = []
        for index, picture in enumerate(pictures):
            client.send(packet(index / fps, picture))
            heard += until(client, "frame")
        client.send(json.dumps(END))
        heard += until(client, "closed")
        assert final_text(heard) == letters.recognize(frames).text == "BL"
    hands = [message["hands"] for message in heard if message["type"] == "frame"]
    assert [len(hand[0]) for hand in hands if hand] == [21] * sum(map(bool, hands))
    assert sum(map(bool, hands)) > len(hands) / 2


def encode(image: np.ndarray) -> bytes:  # type: ignore[type-arg]
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    return file.getvalue()


def test_the_newest_frame_wins(serve: Serving, clip: LandmarkSequence) -> None:
    with serve(workers=1).connect() as client:
        start(client)
        for number in range(300):
            client.send(packet(number / 30, clip.points[number % len(clip)]))
        client.send(json.dumps(END))
        heard = until(client, "closed")
    frames = [message for message in heard if message["type"] == "frame"]
    last = frames[-1]
    assert (last["time_s"], last["received"]) == (pytest.approx(299 / 30), 300)
    assert last["dropped"] > 0
    assert last["served"] == len(frames) == 300 - last["dropped"]


def test_frames_at_one_moment_are_dropped(serve: Serving, clip: LandmarkSequence) -> None:
    with serve().connect() as client:
        start(client)
        for time_s in (0.0, 1e-9, 2e-9, 0.1):
            client.send(packet(time_s, clip.points[0]))
            time.sleep(0.05)
        client.send(json.dumps(END))
        *_, last = (message for message in until(client, "closed") if message["type"] == "frame")
    assert (last["received"], last["served"], last["dropped"]) == (4, 2, 2)


def test_the_session_after_the_last_is_refused_politely(serve: Serving, clip: LandmarkSequence) -> None:
    server = serve(limit=2)
    with server.connect() as first, server.connect() as second:
        for client in (first, second):
            start(client)
        with server.connect() as third:
            error = said(third)
            assert error["message"] == "limit of 2 sessions reached"
            assert "try again" in error["hint"]
            assert close_code(third) == 1008
        assert speaks(first, clip) == "HELLO"
        assert close_code(first) == 1000
        with server.connect() as third:
            assert start(third)["type"] == "ready"


def refused(server: Running, *sent: str | bytes) -> tuple[str, int]:
    """Send messages and return the last answer and the close code."""
    with server.connect() as client:
        for message in sent:
            client.send(message)
        *_, last = until(client, "error")
        return last["message"], close_code(client)


BEGIN, JPEG = json.dumps(START), json.dumps(START | {"input": "jpeg"})


@pytest.mark.parametrize(
    ("sent", "message", "code"),
    [
        ([json.dumps(START | {"version": 2})], "message: start.version: Input should be 1", 4400),
        ([json.dumps({"type": "start", "model": "letters"})], "start.version: Field required", 4400),
        ([json.dumps(START | {"model": "nosuch"})], "'nosuch': no such model", 4400),
        ([json.dumps(START | {"model": "../letters"})], "'../letters': no such model", 4400),
        ([json.dumps(START | {"extra": 1})], "start.extra: Extra inputs", 4400),
        ([json.dumps(END)], "'end' before 'start'", 4400),
        (["no JSON"], "Invalid JSON", 4400),
        ([b"\x00" * 100], "binary data before 'start'", 1003),
        ([BEGIN, "text where a frame is due"], "Invalid JSON", 4400),
        ([BEGIN, BEGIN], "'start' twice", 4400),
        ([BEGIN, b"\xff" * 999], f"frame of 999 bytes, must be a time and points, {LANDMARK_BYTES}", 1003),
        ([JPEG, b"\xff" * 8], "frame of 8 bytes, must be a time and a JPEG", 1003),
    ],
)
def test_wrong_messages_close_with_a_reason(
    serve: Serving, clip: LandmarkSequence, sent: list[str | bytes], message: str, code: int
) -> None:
    server = serve()
    with server.connect() as other:
        start(other)
        said_last, closed = refused(server, *sent)
        assert message in said_last
        assert closed == code
        other.send(packet(0, clip.points[0]))
        assert until(other, "frame")[-1]["served"] == 1


def test_a_frame_that_is_too_large_closes(serve: Serving) -> None:
    with serve().connect() as client:
        start(client)
        client.socket.sendall(b"\x82\xff" + struct.pack(">Q", FRAME_BYTES + 1) + b"mask")  # a header alone
        assert close_code(client) == 1009


@pytest.mark.parametrize(
    ("input", "content", "message"),
    [
        ("jpeg", b"\xff\xd8\xff" + bytes(range(256)) * 9, "frame: not a photo that can be read"),
        ("jpeg", jpeg()[:300], "frame: damaged photo"),
        ("jpeg", bytes(np.random.default_rng(0).bytes(5000)), "frame: not a photo that can be read"),
        ("jpeg", jpeg(10_000, 5_000), "frame: 10000 x 5000 pixels, must be at most 4 megapixels"),
        ("landmarks", np.full((543, 3), np.inf, np.float32), "points: beyond 100 picture widths"),
        ("landmarks", np.full((543, 3), -3e38, np.float32), "points: beyond 100 picture widths"),
    ],
)
def test_a_broken_frame_is_named_and_the_session_goes_on(
    serve: Serving, clip: LandmarkSequence, input: str, content: bytes, message: str
) -> None:
    with serve().connect() as client:
        start(client, input=input)
        client.send(packet(0.0, content))
        error = said(client)
        assert (error["type"], error["error"]) == ("error", "InputError")
        assert message in error["message"]
        assert error["hint"]
        client.send(packet(0.1, jpeg() if input == "jpeg" else clip.points[0]))
        assert until(client, "frame")[-1]["served"] == 1


@pytest.mark.parametrize("time_s", [math.nan, math.inf, -math.inf, 1e300, 0.0, -1.0])
def test_times_must_rise(serve: Serving, clip: LandmarkSequence, time_s: float) -> None:
    with serve().connect() as client:
        start(client)
        client.send(packet(0.0, clip.points[0]))
        until(client, "frame")
        client.send(struct.pack("<d", time_s) + packet(0, clip.points[0])[8:])
        assert said(client)["message"] == f"time_s={time_s}, must rise"


def test_points_of_no_size_do_no_harm(serve: Serving) -> None:
    with serve().connect() as client:
        start(client)
        for number in range(40):
            client.send(packet(number / 10, np.zeros((543, 3), np.float32)))
            assert until(client, "frame", "error")[-1]["type"] == "frame"
        client.send(json.dumps(END))
        assert until(client, "closed")[-1]["reason"] == "ended"


def test_an_idle_session_is_closed(serve: Serving) -> None:
    with serve(idle_s=0.2).connect() as client:
        start(client)
        assert said(client)["message"] == "nothing came for 0.2 s"
        assert close_code(client) == 4408
    with serve(idle_s=0.2).connect() as client:  # without a start
        assert close_code(client) == 4408


def test_who_falls_silent_hears_what_was_open(serve: Serving) -> None:
    clip = plan_spelling("B").sequence(20)
    with serve(idle_s=0.3).connect() as client:
        start(client)
        held = int(np.flatnonzero(np.isfinite(clip.points[:, 522, 0]))[-5])
        for points, time_s in zip(clip.points[:held], clip.times_s[:held], strict=True):
            client.send(packet(time_s, points))
            until(client, "frame")
        heard = until(client, "error")
        assert (final_text(heard), heard[-1]["message"]) == ("B", "nothing came for 0.3 s")
        assert close_code(client) == 4408


def test_a_reason_of_wide_letters_fits_into_a_close(serve: Serving) -> None:
    message, code = refused(serve(), json.dumps(START | {"model": "\U0001f44b" * 90}))
    assert message.startswith("'\U0001f44b") and code == 4400


def test_a_client_that_never_reads_is_left_and_others_are_served(serve: Serving, clip: LandmarkSequence) -> None:
    server = serve(patience_s=0.3, limit=2)
    with small_socket(server.port) as narrow, server.connect(sock=narrow, max_queue=1) as silent:
        start(silent)
        with server.connect() as other:
            start(other)
            sending = threading.Thread(target=send_on_and_on, args=(silent, clip), daemon=True)  # it will be stuck
            sending.start()
            number = 0
            while sessions_open(server) == 2 and number < 2000:
                other.send(packet(number / 30, clip.points[0]))
                assert until(other, "frame")[-1]["dropped"] == 0
                number += 1
            assert sessions_open(server) == 1
            with urlopen(f"{server.url}/metrics") as answer:
                assert b'signary_errors_total{type="1008"} 1.0' in answer.read()
        narrow.shutdown(socket.SHUT_RDWR)


def send_on_and_on(client: ClientConnection, clip: LandmarkSequence) -> None:
    with suppress(ConnectionClosed):
        for number in range(100_000):
            client.send(packet(number / 30, clip.points[number % len(clip)]))


def small_socket(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", port))
    return made


def sessions_open(server: Running) -> int:
    with urlopen(f"{server.url}/api/health") as answer:
        return int(json.load(answer)["sessions"])


def test_a_client_that_dies_mid_frame_frees_its_place(serve: Serving, clip: LandmarkSequence) -> None:
    server = serve(limit=1)
    for _ in range(3):
        client = server.connect()
        while said_or_refused(client) != "ready":
            time.sleep(0.05)
            client = server.connect()
        client.send(packet(0, clip.points[0]))
        client.socket.sendall(b"\x82\xfe\x19\x7c" + b"half a frame")  # a header that promises 6,524 bytes
        client.socket.close()
    time.sleep(0.2)
    with server.connect() as last:
        start(last)
        assert speaks(last, clip) == "HELLO"


def said_or_refused(client) -> str:  # type: ignore[no-untyped-def]
    try:
        return str(start(client)["type"])
    except ConnectionClosed:
        return "closed"


def test_sessions_share_the_threads(serve: Serving, clip: LandmarkSequence) -> None:
    server = serve(workers=2, limit=4)
    sockets = [server.connect() for _ in range(4)]
    for client in sockets:
        start(client)
    for number in range(150):
        for client in sockets:
            client.send(packet(number / 30, clip.points[number % len(clip)]))
    served = []
    for client in sockets:
        client.send(json.dumps(END))
        served.append(sum(message["type"] == "frame" for message in until(client, "closed")))
        client.close()
    assert min(served) >= np.mean(served) / 2


def test_a_server_that_stops_ends_its_sessions(serve: Serving, clip: LandmarkSequence) -> None:
    server = serve()
    with server.connect() as client:
        start(client)
        client.send(packet(0, clip.points[0]))
        until(client, "frame")
        server.stop()
        assert close_code(client) == 1012
