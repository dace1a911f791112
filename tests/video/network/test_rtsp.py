"""RTSP cameras: pictures are live, and no answer leads to requests to another server."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest
from network_servers import (
    HURRIED,
    Camera,
    certificate,
    check_closes,
    failure,
    filming,
    nothing_left,
    serving,
    tls_server,
    tls_tunnel,
)

from signary.errors import InputError
from signary.video.network.relay import Replies
from signary.video.network.source import open_network

pytestmark = pytest.mark.filterwarnings("error")

OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"
PACKET = b"$\0\0\x08pictures"


def test_a_camera_is_live() -> None:
    with filming() as camera, nothing_left(), open_network(camera.address(), patience=HURRIED) as source:
        frames = [frame for frame, _ in zip(source, range(12), strict=False)]
        assert (source.name, source.is_live, source.is_still) == (camera.address(), True, False)
        assert source.fps == 25
        assert frames[0].image.shape == (48, 64, 3)
        values = [round((int(frame.image[20, 20, 0]) - 40) / 20) for frame in frames]
        assert values == [value % 8 for value in range(values[0], values[0] + 12)]
        times_s = [frame.time_s for frame in frames]
        assert times_s == sorted(set(times_s))
        assert camera.asked == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
        assert camera.calls == 1


def test_a_slow_reader_gets_the_newest_picture() -> None:
    with filming() as camera, nothing_left(), open_network(camera.address(), patience=HURRIED) as source:
        frames = iter(source)
        next(frames)
        time.sleep(1)
        next(frames)
        assert source.dropped > 10  # type: ignore[union-attr]
        assert source.lag_ms < 500  # type: ignore[union-attr]


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
def test_user_and_password_of_the_address(scheme: str) -> None:
    with filming(scheme=scheme) as camera:
        address = camera.address("/live?channel=1", user="me:pass%20w%2Frd")
        with nothing_left(), open_network(address, patience=HURRIED) as source:
            assert next(iter(source)).index == 0
        assert source.name == camera.address("/live?channel=1", user="me:***")
        error = failure(camera.address(user="me:passing"))
        assert "answers 401 Unauthorized" in error.message
        assert error.hint == "wrong user or password"
        assert "USER" in failure(camera.address()).hint


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_a_redirect_is_refused_and_nothing_is_asked_of_the_other(method: str) -> None:
    with filming() as other:
        reply = f"RTSP/1.0 302 Moved\r\nCSeq: CSEQ\r\nLocation: {other.address()}\r\n\r\n".encode()
        with filming(replies={method: reply}) as camera, nothing_left():
            for user in ("", "me:password"):
                with pytest.raises(InputError) as caught, open_network(camera.address(user=user), patience=HURRIED):
                    pass
                assert f"sends on to {other.address()}" in caught.value.message
                assert caught.value.hint == f"give {other.address()} itself if you trust it"
        assert other.calls == 0


def test_a_redirect_on_the_way_is_refused() -> None:
    with filming(frames=20, then="redirect") as camera:
        assert "sends on to rtsp://127.0.0.1:9/x" in failure(camera.address()).message
        assert camera.calls == 1


def test_a_redirect_hidden_from_the_relay_is_refused() -> None:
    with filming() as other:
        hidden = f"RTSP/1.0 302 Moved\r\nCSeq: CSEQ\r\nLocation: {other.address()}\r\n\r\n".encode()
        tricks = [
            OK.replace(b"CSeq: 1", b"CSeq: CSEQ").replace(b"\r\n", b"\n") + b"\n" + hidden,
            b"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n$AAA\r\n\r\n" + hidden,
            b"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nContent-Length: 400\r\nContent-Length: 0\r\n\r\n" + hidden,
            b"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nContent-Length: +400\r\n\r\n" + hidden,
            b"$\0\0\x03abc" + hidden,
            b"$\0\x00\x04" + hidden,
        ]
        for trick in tricks:
            with filming(replies={"OPTIONS": trick}) as camera:
                failure(camera.address())
        assert other.calls == 0


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "PLAY"])
def test_a_camera_that_does_not_answer_is_given_up(method: str) -> None:
    with filming(replies={method: b""}) as camera:
        start_s = time.monotonic()
        assert "no answer within 1 s" in failure(camera.address()).message
        assert time.monotonic() - start_s < 8


def test_a_camera_that_stalls_is_given_up() -> None:
    with filming(frames=20, then="stall", connections=1) as camera:
        start_s = time.monotonic()
        failure_of_stall(camera)
        assert time.monotonic() - start_s < 10


def failure_of_stall(camera: Camera) -> None:
    patience = replace(HURRIED, retries=0)
    with nothing_left(), pytest.raises(InputError, match=r"stalls: \d+ bytes in 0\.6 s"):
        list(open_network(camera.address(), patience=patience))


def test_a_camera_that_is_cut_is_opened_again_a_few_times() -> None:
    with filming(frames=15, then="cut") as camera, nothing_left():
        with open_network(camera.address(), patience=HURRIED) as source:
            times_s = [frame.time_s for frame in source]
        assert camera.calls == 1 + HURRIED.retries
        assert times_s == sorted(set(times_s))
        assert len(times_s) > 30
        assert source.warnings[0] == "connection lost and opened again 3 times"
        assert source.warnings[1].startswith("given up after 3 tries in a row: ended the connection")


def test_a_camera_that_says_goodbye_has_ended() -> None:
    with filming(frames=20, then="bye") as camera, nothing_left():
        with open_network(camera.address(), patience=HURRIED) as source:
            count = len(list(source))
        assert camera.calls == 1
        assert count > 10
        assert source.warnings == [f"{source.name} gave no more pictures after {count} frames"]


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ({"DESCRIBE": b"RTSP/1.0 404 Not Found\r\nCSeq: CSEQ\r\n\r\n"}, "answers 404 Not Found"),
        ({"SETUP": b"RTSP/1.0 461 Unsupported Transport\r\nCSeq: CSEQ\r\n\r\n"}, "answers 461 Unsupported Transport"),
        ({"OPTIONS": b"SSH-2.0-OpenSSH_9.6\r\n"}, "does not speak RTSP"),
        ({"OPTIONS": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "does not speak RTSP"),
        ({"OPTIONS": b"\x16\x03\x01garbage"}, "does not speak RTSP"),
        ({"DESCRIBE": b"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nContent-Length: 3\r\n\r\nxyz"}, "has no pictures"),
    ],
)
def test_what_is_no_stream_is_said_plainly(replies: dict[str, bytes], said: str) -> None:
    with filming(replies=replies) as camera:
        assert said in failure(camera.address()).message


def test_a_session_that_names_other_places_makes_nothing_be_asked_for() -> None:
    with filming() as other, serving(lambda exchange: exchange.answer()) as web:
        text = f"v=0\r\no=- 0 0 IN IP4 {other.place}\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        text += f"a=control:{other.address()}\r\nm=video {web.server_address[1]} RTP/AVP 96\r\n"
        text += f"a=rtpmap:96 MP4V-ES/90000\r\na=control:{web.address()}\r\n"
        head = f"Content-Base: {other.address()}\r\nContent-Type: application/sdp\r\nContent-Length: {len(text)}\r\n"
        reply = f"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n{head}\r\n{text}".encode()
        with filming(replies={"DESCRIBE": reply}) as camera, nothing_left():
            with open_network(camera.address(), patience=HURRIED) as source:
                assert next(iter(source)).index == 0
            assert camera.asked[-1] == "PLAY"
        assert (other.calls, web.asked) == (0, [])


def test_nobody_there_is_an_input_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "no connection" in failure(f"rtsp://127.0.0.1:{port}/live").message


def test_close_ends_a_camera_at_any_moment() -> None:
    with filming() as camera, filming(frames=20) as stalled, nothing_left():
        for one in (camera, stalled):
            source = open_network(one.address())
            check_closes(source, after_s=0.8)


def test_rtsps_with_a_certificate_that_is_trusted(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = certificate(tmp_path_factory.mktemp("tls"))
    with filming() as camera, tls_tunnel(tls_server(path), camera) as place, nothing_left():
        assert "its certificate is not trusted" in failure(f"rtsps://{place}/live").message
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(path))
            with open_network(f"rtsps://{place}/live", patience=HURRIED) as source:
                assert [frame.index for frame, _ in zip(source, range(30), strict=False)] == list(range(30))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_what_may_pass_passes_unchanged_in_pieces_of_any_size(size: int) -> None:
    messages = OK + b"Content-Length: 12\r\n\r\nRTSP/1.0 302" + PACKET + OK + b"\r\n" + PACKET
    messages += b"OPTIONS * RTSP/1.0\r\nCSeq: 3\r\n\r\n" + PACKET
    replies = Replies("camera")
    assert b"".join(replies.passed(messages[at : at + size]) for at in range(0, len(messages), size)) == messages


def test_what_would_lead_astray_does_not_pass() -> None:
    assert Replies("camera").passed(b"$\0\0\x02ab\r\n" + PACKET) == PACKET
    for data in (
        b"RTSP/1.0 302 Moved\r\n\r\n",
        b"RTSP/1.0 300\r\n\r\n",
        b"REDIRECT rtsp://a RTSP/1.0\r\nLocation: rtsp://b\r\n\r\n",
        b"RTSP/1.0 200 OK\n\nRTSP/1.0 302 Moved\r\n\r\n",
        b" RTSP/1.0 302 Moved\r\n\r\n",
        b"RTSP/1.0  302 Moved\r\n\r\n",
        OK + b"$: 1\r\n\r\n",
        OK + b" folded\r\n\r\n",
        OK + b"Content-Length : 5\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        OK + b"X: \0\r\n\r\n",
        b"A" * 70_000,
    ):
        with pytest.raises(InputError, match=r"camera: (sends on to|does not speak RTSP)"):
            Replies("camera").passed(data)
