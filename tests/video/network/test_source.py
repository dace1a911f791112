"""Photos, videos and motion JPEG over HTTP: streamed, ended at a stall, and never redirected elsewhere."""

from __future__ import annotations

import base64
import io
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from network_servers import (
    HURRIED,
    NONCE,
    REALM,
    Exchange,
    certificate,
    check_closes,
    digest_is_right,
    failure,
    jpeg,
    noisy,
    nothing_left,
    serving,
    tls_server,
)
from PIL import Image

import signary.video.network.source as network
from signary.address import is_address, is_live_address, read_address, redirected, shown_address
from signary.errors import InputError
from signary.video.network.line import Patience
from signary.video.network.source import open_network
from signary.video.write import write_video

pytestmark = pytest.mark.filterwarnings("error")

MULTIPART = "multipart/x-mixed-replace; boundary=frame"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An MP4 of 40 frames with its index first, of more than 200 KiB."""
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", noisy(), fps=25).read_bytes()


def remuxed(data: bytes, kind: str) -> bytes:
    """Put the video into another container; an MP4 gets its index at the end."""
    file = io.BytesIO()
    file.name = f"x.{kind}"
    with av.open(io.BytesIO(data)) as source, av.open(file, "w", format=kind) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return file.getvalue()


def part(image: bytes, *, length: bool = True) -> bytes:
    """Return a picture as a part of motion JPEG."""
    told = f"Content-Length: {len(image)}\r\n" if length else ""
    return b"--frame\r\nContent-Type: image/jpeg\r\n" + told.encode() + b"\r\n" + image + b"\r\n"


def hurried(**changes: float) -> Patience:
    """Return `HURRIED` with some of it changed."""
    return replace(HURRIED, **changes)  # type: ignore[arg-type]


def ranged(exchange: Exchange, data: bytes, cut: int | None, **headers: str) -> None:
    """Serve a file that can be asked for from the middle; the connection breaks after ``cut`` bytes."""
    asked = re.fullmatch(r"bytes=(\d+)-", exchange.headers.get("Range", ""))
    start = int(asked[1]) if asked else 0
    told = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if asked else {}
    body = data[start : start + cut if cut else None]
    exchange.answer(body, "video/mp4", 206 if asked else 200, Content_Length=len(data) - start, **told, **headers)


def test_addresses_are_known_and_live_ones_among_them() -> None:
    assert all(map(is_address, ("http://a/b", "HTTPS://a", "rtsp://a", "Rtsps://a/b")))
    assert not any(map(is_address, ("file:///a", "ftp://a", "clip.mp4", "http:/a", 0, Path("http://a/b"), None)))
    assert is_live_address("RTSP://a")
    assert not is_live_address("http://a")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:pw@host:81/a?b=c", "http://me:***@host:81/a?b=c"),
        ("rtsp://me:p@w:x@host/a", "rtsp://me:***@host/a"),
        ("http://me:p/w?d#e@host/a", "http://me:***@host/a"),
        ("http://me:/pw@host/a", "http://me:***@host/a"),
        ("http://host:81/a@2x.jpg", "http://host:81/a@2x.jpg"),
        ("http://host/a?x=1&Access_Token=pw&k=2", "http://host/a?x=1&Access_Token=***&k=2"),
        ("http://host/a?pwd=pw#pw", "http://host/a?pwd=***"),
        ("rtsp://host/user=me&password=pw&channel=1", "rtsp://host/user=me&password=***&channel=1"),
        ("http://[::1]:81/a?X-Amz-Signature=pw\n", "http://[::1]:81/a?X-Amz-Signature=***"),
    ],
)
def test_secrets_are_not_shown(address: str, shown: str) -> None:
    assert shown_address(address) == shown


@pytest.mark.parametrize(
    "address", ["http://", "http://:80/", "http://host:99999/", "http://me:p/w@host/", "http://[/"]
)
def test_addresses_of_no_place_are_input_errors(address: str) -> None:
    assert "no valid address" in failure(address).message


def test_a_photo_is_a_still() -> None:
    with serving(lambda exchange: exchange.answer(jpeg(77), "image/jpeg")) as server, nothing_left():
        with open_network(server.address("/me.jpg")) as source:
            (frame,) = source
        assert (source.name, source.is_still, source.is_live) == (server.address("/me.jpg"), True, False)
        assert abs(int(frame.image[5, 5, 0]) - 77) < 3
        assert server.asked == ["/me.jpg"]


def test_an_animation_is_a_clip() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(
        file, "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8), "red")], duration=200
    )
    with serving(lambda exchange: exchange.answer(file.getvalue())) as server, open_network(server.address()) as source:
        assert [frame.time_s for frame in source] == [0, 0.2]


@pytest.mark.parametrize("kind", ["mp4", "matroska", "mpegts", "flv", "faststart"])
def test_videos_of_every_kind_are_read_as_they_come(clip: bytes, kind: str) -> None:
    data = clip if kind == "faststart" else remuxed(clip, kind)
    assert kind != "mp4" or data.find(b"moov") > data.find(b"mdat")
    with serving(lambda exchange: exchange.answer(data)) as server, nothing_left():
        with open_network(server.address()) as source:
            frames = list(source)
        assert (source.is_still, source.is_live, source.warnings) == (False, False, [])
        assert len(frames) == 40
        assert frames[39].time_s == pytest.approx(39 / 25, abs=0.01)
        assert frames[0].image.shape == (96, 128, 3)
        assert server.asked == ["/clip"]


def test_a_video_is_read_while_it_still_comes(clip: bytes) -> None:
    more = threading.Event()

    def respond(exchange: Exchange) -> None:
        exchange.answer(clip[: len(clip) // 2], Content_Length=len(clip))
        assert more.wait(10)
        exchange.raw(clip[len(clip) // 2 :])

    with serving(respond) as server, open_network(server.address()) as source:
        frames = iter(source)
        assert next(frames).index == 0
        more.set()
        assert len(list(frames)) == 39


def test_a_slow_reader_is_no_stall(clip: bytes) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.answer(clip)

    with serving(respond) as server, open_network(server.address(), patience=HURRIED) as source:
        frames = iter(source)
        next(frames)
        time.sleep(2 * HURRIED.stall_s)
        assert len(list(frames)) == 39


def test_chunks_and_a_length_that_is_not_told(clip: bytes) -> None:
    def respond(exchange: Exchange) -> None:
        if exchange.path == "/open":
            return exchange.answer(clip, Content_Length=None)
        exchange.answer(Content_Length=None, Transfer_Encoding="chunked")
        for at in range(0, len(clip), 5000):
            piece = clip[at : at + 5000]
            exchange.raw(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        exchange.raw(b"0\r\n\r\n")
        return None

    with serving(respond) as server:
        for path in ("/open", "/chunks"):
            with open_network(server.address(path)) as source:
                assert len(list(source)) == 40
                assert source.warnings == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x.answer(b"gone", status=404), "answers 404 Not Found"),
        (lambda x: x.answer(b"oh", status=500), "answers 500 Internal Server Error"),
        (lambda x: x.answer(status=204), "answers 204 No Content"),
        (lambda x: x.raw(b"HTTP/1.1 418 I am\x1b[31m a\ttea" + b"pot" * 200 + b"\r\n\r\n"), "answers 418 I am"),
        (lambda x: x.answer(b"hello", "text/html; charset=utf-8"), "a web page, no picture"),
        (lambda x: x.answer(b"\n <!DOCTYPE html><p>log in", "image/jpeg"), "a web page, no picture"),
        (lambda x: x.answer(b""), "empty, nothing came"),
        (lambda x: x.answer(b"", Content_Length=None), "empty, nothing came"),
        (lambda x: x.answer(b"\x1f\x8b1234567890", Content_Encoding="gzip"), "compressed data"),
        (lambda x: x.answer(b"#EXTM3U\n#EXTINF:1\na.ts\n", "application/vnd.apple.mpegurl"), "names other addresses"),
        (lambda x: x.answer(b"\xef\xbb\xbfffconcat version 1.0\nfile x\n"), "names other addresses"),
        (lambda x: x.answer(b'<?xml version="1.0"?><MPD></MPD>', "application/dash+xml"), "names other addresses"),
        (lambda x: x.answer(b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\n"), "names other addresses"),
        (lambda x: x.answer(jpeg(), "image/jpeg", Content_Length=10**10), "a photo of more than 256 MiB"),
        (lambda x: x.answer(bytes(100)), "not a video that can be read"),
        (lambda x: x.answer(jpeg()[:400], "image/jpeg"), "damaged photo"),
        (lambda x: x.raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "does not speak HTTP"),
        (lambda x: x.raw(b""), "ended the connection without an answer"),
        (lambda x: x.answer(b"xx", MULTIPART.split(";")[0]), "names no boundary"),
    ],
)
def test_what_is_no_picture_is_said_plainly(answer: Callable[[Exchange], None], said: str) -> None:
    with serving(answer) as server:
        error = failure(server.address())
        assert said in error.message
        assert len(error.message) < 300
        assert error.message.isprintable()


def test_ten_gigabytes_to_keep_are_refused_before_they_come(clip: bytes) -> None:
    data = remuxed(clip, "mp4")
    with serving(lambda exchange: (exchange.answer(data, Content_Length=10**10), exchange.wait())) as server:
        assert "an MP4 of more than 2 GiB with its index at the end" in failure(server.address()).message


def test_what_is_kept_is_counted_where_no_length_was_told(clip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MAX_KEPT_BYTES", 50_000)
    data = remuxed(clip, "mp4")
    with serving(lambda exchange: exchange.answer(data, Content_Length=None)) as server:
        assert "index at the end" in failure(server.address()).message


def test_nobody_there_is_an_input_error() -> None:
    with serving(lambda exchange: None) as server:
        address = server.address()
    assert "no connection" in failure(address).message


def test_a_name_that_is_not_found_or_not_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over, look_up = threading.Event(), socket.getaddrinfo

    def answer(host: str, *rest: Any, flags: int = 0, **named: Any) -> Any:
        if flags:
            return look_up(host, *rest, flags=flags, **named)
        if host.startswith("slow"):
            over.wait(10)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert "no connection (Name or service not known)" in failure("http://camera.invalid/a").message
    threading.Timer(1.5, over.set).start()
    assert "no answer within 1 s" in failure("http://slow.invalid/a").message


def drip(exchange: Exchange, data: bytes, every_s: float = 0.05) -> None:
    for at in range(len(data)):
        exchange.raw(data[at : at + 1])
        if exchange.wait(every_s):
            return


@pytest.mark.parametrize(
    "respond",
    [
        lambda exchange: exchange.wait(),
        lambda exchange: drip(exchange, b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 1000),
        lambda exchange: (exchange.raw(b"HTTP/1.1 200 OK\r\n\r\n"), drip(exchange, jpeg())),
        lambda exchange: drip(exchange, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0.001),
    ],
    ids=["nothing", "headers", "head", "continue"],
)
def test_a_server_that_does_not_begin_is_given_up(respond: Callable[[Exchange], None]) -> None:
    with serving(respond) as server:
        start_s = time.monotonic()
        assert "no answer within 1 s" in failure(server.address()).message
        assert time.monotonic() - start_s < 8


@pytest.mark.parametrize("bytewise", [False, True])
def test_a_server_that_stalls_is_given_up(clip: bytes, bytewise: bool) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.answer(clip[:60_000], Content_Length=len(clip))
        if bytewise:
            drip(exchange, clip[60_000:])
        exchange.wait()

    with serving(respond) as server:
        start_s = time.monotonic()
        assert re.search(r"stalls: \d+ bytes in 0\.6 s", failure(server.address()).message)
        assert time.monotonic() - start_s < 8


@pytest.mark.parametrize("validator", [{"ETag": '"a"'}, {"Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, {}])
def test_a_cut_file_goes_on_where_it_was_cut(clip: bytes, validator: dict[str, str]) -> None:
    seen: list[str | None] = []

    def respond(exchange: Exchange) -> None:
        seen.append(exchange.headers.get("If-Range"))
        ranged(exchange, clip, len(clip) // 3, **validator)

    with serving(respond) as server, nothing_left(), open_network(server.address(), patience=HURRIED) as source:
        assert len(list(source)) == 40
        assert source.warnings == []
    assert 3 <= len(server.asked) <= 4
    assert seen[1:] == [next(iter(validator.values()), None)] * (len(seen) - 1)


@pytest.mark.parametrize("kind", ["mp4", "mpegts"])
def test_a_file_that_stays_cut_is_read_as_far_as_it_came(clip: bytes, kind: str) -> None:
    data = clip if kind == "mp4" else remuxed(clip, kind)

    def respond(exchange: Exchange) -> None:
        exchange.answer(data[: len(data) // 2], Content_Length=len(data))

    with serving(respond) as server, nothing_left(), open_network(server.address(), patience=HURRIED) as source:
        assert 10 < len(list(source)) < 40
        assert any(warning.startswith("cut off") for warning in source.warnings)
    assert len(server.asked) == 2


def test_a_file_is_taken_up_again_only_so_often(clip: bytes) -> None:
    def respond(exchange: Exchange) -> None:
        ranged(exchange, clip, len(clip) // 10, ETag='"a"')

    with serving(respond) as server, open_network(server.address(), patience=HURRIED) as source:
        assert 5 < len(list(source)) < 40
        assert any(warning.startswith("cut off") for warning in source.warnings)
    assert len(server.asked) == 1 + HURRIED.retries


@pytest.mark.parametrize("wrong", ["bytes 0-9/10", "bytes 7-9/10", "", "bytes x"])
def test_a_wrong_rest_is_not_taken(clip: bytes, wrong: str) -> None:
    def respond(exchange: Exchange) -> None:
        if exchange.headers.get("Range"):
            exchange.answer(clip, status=206, Content_Range=wrong)
        else:
            exchange.answer(clip[: len(clip) // 2], Content_Length=len(clip), ETag='"a"')

    with serving(respond) as server, open_network(server.address(), patience=HURRIED) as source:
        assert len(list(source)) < 40
    assert len(server.asked) == 2


def test_a_cut_photo_is_an_input_error() -> None:
    with serving(lambda exchange: exchange.answer(jpeg()[:300], Content_Length=len(jpeg()))) as server:
        assert "cut off: 300 of" in failure(server.address()).message


def sends_to(location: str) -> Callable[[Exchange], None]:
    def respond(exchange: Exchange) -> None:
        exchange.answer(status=302, Location=location.replace("PLACE", exchange.server.place))

    return respond


@pytest.mark.parametrize(
    "location",
    ["file:///etc/hosts", "ftp://127.0.0.1/x", "https://PLACE/x", "//localhost/x", "rtsp://PLACE/x", "http://[/x"],
)
def test_a_redirect_elsewhere_is_refused_by_name(location: str) -> None:
    with serving(sends_to(location)) as server:
        error = failure(server.address())
        whole = location.replace("PLACE", server.place)
        assert error.message.endswith(f"sends on to {'http:' if whole.startswith('//') else ''}{whole}")
        assert ("if you trust it" in error.hint) == ("localhost" in whole or is_address(whole))
        assert server.asked == ["/clip"]


def test_a_redirect_to_another_port_is_refused_and_nothing_is_asked_of_it() -> None:
    with serving(lambda exchange: exchange.answer(jpeg())) as other, serving(sends_to(other.address("/x"))) as server:
        for user in ("", "me:pass"):
            error = failure(server.address(user=user))
            assert f"sends on to {other.address('/x')}" in error.message
            assert error.hint == f"give {other.address('/x')} itself if you trust it"
        assert other.asked == []


def test_a_redirect_to_the_same_server_is_followed() -> None:
    def respond(exchange: Exchange) -> None:
        sends_to("../b?c=1")(exchange) if exchange.path == "/a/x" else exchange.answer(jpeg())

    with serving(respond) as server, open_network(server.address("/a/x")) as source:
        assert len(list(source)) == 1
        assert server.asked == ["/a/x", "/b?c=1"]


def test_the_upgrade_to_https_is_followed_with_the_users_password_and_no_other() -> None:
    plain = read_address("http://me:pw@host/a/b")
    upgraded = redirected(plain, "https://you:other@HOST/c", "name")
    assert (upgraded.place, upgraded.target) == (("https", "host", 443), "/c")
    assert (upgraded.user, upgraded.password) == ("me", "pw")
    for base, location in (("https://host/", "http://host/"), ("http://host:81/", "https://host/")):
        with pytest.raises(InputError, match="name: sends on to"):
            redirected(read_address(base), location, "name")


def test_redirects_in_circles_end() -> None:
    with serving(sends_to("/clip")) as server:
        assert "more than 5 times" in failure(server.address()).message
        assert len(server.asked) == 6


def locked(exchange: Exchange, scheme: str) -> None:
    """Ask for the user ``me`` with the password ``pä:ss``."""
    header = exchange.headers.get("Authorization", "")
    kind, _, algorithm = scheme.partition(" ")
    if kind == "Basic" and header == f"Basic {base64.b64encode('me:pä:ss'.encode()).decode()}":
        return exchange.answer(jpeg())
    if kind == "Digest" and header.startswith("Digest ") and digest_is_right(header, "me", "pä:ss"):
        return exchange.answer(jpeg())
    challenge = f'{kind} realm="{REALM}"'
    challenge += f', nonce="{NONCE}", qop="auth,auth-int", opaque="o"' * (kind == "Digest")
    challenge += f", algorithm={algorithm}" * bool(algorithm)
    return exchange.answer(status=401, WWW_Authenticate=challenge)


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Digest MD5", "Digest SHA-256"])
def test_user_and_password_of_the_address(scheme: str) -> None:
    with serving(lambda exchange: locked(exchange, scheme)) as server:
        address = server.address("/a?b=c", user="me:p%C3%A4%3Ass")
        with open_network(address) as source:
            assert len(list(source)) == 1
        assert source.name == address.replace("p%C3%A4%3Ass", "***")
        assert server.asked == ["/a?b=c"] * 2
        for user in ("me:wrong-one", ""):
            error = failure(server.address(user=user))
            assert "answers 401 Unauthorized" in error.message
            assert "wrong-one" not in repr(error) + str(error.__dict__)
            assert ("wrong user or password" in error.hint) == bool(user)


def test_a_way_to_log_in_that_is_not_known() -> None:
    with serving(lambda exchange: exchange.answer(status=401, WWW_Authenticate="Bearer realm=x")) as server:
        assert "Basic and Digest" in failure(server.address(user="me:pw")).hint
        assert server.asked == ["/clip"]


def test_no_cookie_is_kept_and_nothing_personal_is_sent() -> None:
    seen: list[dict[str, str]] = []

    def respond(exchange: Exchange) -> None:
        seen.append({name.lower(): value for name, value in exchange.headers.items()})
        there = exchange.path == "/clip"
        exchange.answer(b"" if there else jpeg(), status=302 if there else 200, Location="/b", Set_Cookie="a=b")

    with serving(respond) as server, open_network(server.address()) as source:
        list(source)
    assert [set(headers) for headers in seen] == [{"host", "user-agent", "accept", "accept-encoding", "connection"}] * 2


def test_https_with_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: bytes) -> None:
    path = certificate(tmp_path)
    with serving(lambda exchange: exchange.answer(clip), tls_server(path)) as server:
        assert "its certificate is not trusted (self-signed certificate)" in failure(server.address()).message
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        with nothing_left(), open_network(server.address()) as source:
            assert len(list(source)) == 40
        assert "its certificate is not trusted" in failure(server.address().replace("127.0.0.1", "localhost")).message


def test_https_where_nothing_is_encrypted() -> None:
    with serving(lambda exchange: exchange.answer(jpeg())) as server:
        assert "no encrypted connection" in failure(server.address().replace("http", "https")).message


def lists(address: str) -> dict[str, bytes]:
    """Return files of every kind that name an address."""
    session = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n"
    segments = f'<SegmentList><SegmentURL media="{address}"/></SegmentList>'
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n".encode(),
        "late hls": b"\n" * 100 + f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n".encode(),
        "concat": f"ffconcat version 1.0\nfile {address}\n".encode(),
        "dash": f'<?xml version="1.0"?><MPD type="static"><Period><AdaptationSet><Representation>{segments}'.encode(),
        "bare dash": f'<MPD type="static"><Period><AdaptationSet><Representation>{segments}'.encode(),
        "sdp": session + f"a=control:{address}\r\n".encode(),
        "asx": f'<asx version="3.0"><entry><ref href="{address}"/></entry></asx>'.encode(),
        "pls": f"[playlist]\nFile1={address}\n".encode(),
        "smil": f'<smil><body><video src="{address}"/></body></smil>'.encode(),
    }


@pytest.mark.parametrize("kind", lists(""))
@pytest.mark.parametrize("name", ["/clip.mp4", "/list.m3u8", "/list.mpd"])
def test_lists_make_nothing_be_asked_for(kind: str, name: str, clip: bytes) -> None:
    with serving(lambda exchange: exchange.answer(clip)) as other:
        with serving(lambda exchange: exchange.answer(lists(other.address())[kind], "video/mp4")) as server:
            failure(server.address(name))
            assert server.asked == [name]
        assert other.asked == []


def test_a_movie_whose_pictures_are_in_another_file_opens_none(tmp_path: Path, clip: bytes) -> None:
    canary = tmp_path / "canary.mp4"
    canary.write_bytes(clip)
    place = str(canary).encode()
    # An alias of QuickTime, with the absolute path of a file; FFmpeg would read all pictures from there if it were let.
    alias = bytes(10) + b"\1x" + bytes(38) + b"\1x" + bytes(78) + bytes(4) + bytes(16)
    alias += b"\0\2" + len(place).to_bytes(2, "big") + place + bytes(len(place) % 2) + b"\xff\xff"
    movie = with_box(clip, (12 + len(alias)).to_bytes(4, "big") + b"alis" + bytes(4) + alias)
    with av.open(io.BytesIO(movie), options={"enable_drefs": "1", "use_absolute_path": "1"}) as allowed:
        assert sum(1 for _ in allowed.decode(video=0)) == 40
    with serving(lambda exchange: exchange.answer(movie, "video/mp4")) as server:
        assert "not one frame" in failure(server.address()).message


def with_box(clip: bytes, box: bytes) -> bytes:
    """Put a box in place of an MP4's data reference; the boxes around it grow with it."""
    at = clip.index(b"\0\0\0\x0curl ")
    data = bytearray(clip[:at] + box + clip[at + 12 :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start = clip.index(name) - 4
        data[start : start + 4] = (int.from_bytes(data[start : start + 4], "big") + len(box) - 12).to_bytes(4, "big")
    return bytes(data)


def test_motion_jpeg_is_live() -> None:
    def respond(exchange: Exchange) -> None:
        exchange.answer(b"preamble\r\n", MULTIPART, Content_Length=None)
        exchange.raw(part(b"no picture"))
        for index in range(10):
            exchange.raw(part(jpeg(20 * index), length=bool(index % 2)))
            exchange.wait(0.02)
        exchange.raw(b"--frame--\r\n")

    with serving(respond) as server, nothing_left(), open_network(server.address(), patience=HURRIED) as source:
        frames = list(source)
        assert (source.is_live, source.is_still, source.frame_count) == (True, False, None)
        values = [round(int(frame.image[5, 5, 0]) / 20) for frame in frames]
        assert values == sorted(set(values))
        assert values[-1] == 9
        assert len(values) + source.dropped == 10  # type: ignore[union-attr]
        assert [frame.index for frame in frames] == list(range(len(frames)))
        assert server.asked == ["/clip"]
        assert source.warnings == [f"{source.name} gave no more pictures after {len(frames)} frames"]


def test_a_live_source_that_is_cut_is_opened_again_a_few_times() -> None:
    def respond(exchange: Exchange) -> None:
        exchange.answer(b"", MULTIPART, Content_Length=None)
        for _ in range(3):
            exchange.raw(part(jpeg()))
            exchange.wait(0.03)

    with serving(respond) as server, nothing_left(), open_network(server.address(), patience=HURRIED) as source:
        times_s = [frame.time_s for frame in source]
        assert len(server.asked) == 1 + HURRIED.retries
        assert times_s == sorted(set(times_s))
        assert len(times_s) > 4
        assert source.warnings[0] == "connection lost and opened again 3 times"
        assert source.warnings[1].startswith("given up after 3 tries in a row: ended the connection")


def test_a_camera_that_starts_anew_is_waited_for() -> None:
    def respond(exchange: Exchange) -> None:
        if len(server.asked) in (2, 3):
            return exchange.answer(status=503)
        exchange.answer(part(jpeg()), MULTIPART, Content_Length=None)
        exchange.wait(0.05)
        return exchange.raw(b"--frame--\r\n" if len(server.asked) == 4 else b"")

    with serving(respond) as server, open_network(server.address(), patience=HURRIED) as source:
        assert 1 <= len(list(source)) <= 2
        assert len(server.asked) == 4
        assert source.warnings[0] == "connection lost and opened again 1 time"


def test_after_a_while_of_pictures_tries_count_anew() -> None:
    patience = hurried(fresh_s=0.05)

    def respond(exchange: Exchange) -> None:
        if len(server.asked) > 6:
            return exchange.answer(status=404)
        exchange.answer(b"", MULTIPART, Content_Length=None)
        for _ in range(4):
            exchange.raw(part(jpeg()))
            exchange.wait(0.04)
        return None

    with serving(respond) as server, open_network(server.address(), patience=patience) as source:
        with pytest.raises(InputError, match="answers 404"):
            list(source)
        assert source.warnings == ["connection lost and opened again 5 times"]


def test_a_live_source_that_stalls_is_given_up() -> None:
    def respond(exchange: Exchange) -> None:
        exchange.answer(part(jpeg()) if len(server.asked) == 1 else b"", MULTIPART, Content_Length=None)
        exchange.wait()

    with serving(respond) as server:
        patience = hurried(connect_s=0.3)
        with nothing_left(), pytest.raises(InputError, match=r"no answer within 0\.3 s"):
            list(open_network(server.address(), patience=patience))
        assert len(server.asked) == 1 + HURRIED.retries


def test_a_live_source_without_pictures_is_an_input_error() -> None:
    def respond(exchange: Exchange) -> None:
        exchange.answer(b"", MULTIPART, Content_Length=None)
        while not exchange.wait(0.001):
            exchange.raw(part(b"none"))

    with serving(respond) as server:
        assert "parts in a row are no pictures" in failure(server.address()).message


def endless_jpeg(exchange: Exchange) -> None:
    exchange.answer(b"", MULTIPART, Content_Length=None)
    while not exchange.wait(0.01):
        exchange.raw(part(jpeg()))


def endless_video(exchange: Exchange, clip: bytes) -> None:
    exchange.answer(clip[: len(clip) // 2], Content_Length=len(clip))
    exchange.wait()


@pytest.mark.parametrize("live", [False, True])
def test_close_ends_a_source_that_never_ends(clip: bytes, live: bool) -> None:
    respond = endless_jpeg if live else lambda exchange: endless_video(exchange, clip)
    with serving(respond) as server, nothing_left():
        source = open_network(server.address())
        check_closes(source, after_s=0.3)


def test_close_ends_the_wait_for_another_try() -> None:
    def respond(exchange: Exchange) -> None:
        if len(server.asked) == 1:
            exchange.answer(part(jpeg()), MULTIPART, Content_Length=None)
        else:
            exchange.wait()

    with serving(respond) as server, nothing_left():
        with open_network(server.address()) as source:
            next(iter(source))
            time.sleep(0.8)
            start_s = time.monotonic()
        assert time.monotonic() - start_s < 4


def test_a_source_that_nobody_reads_can_be_closed(clip: bytes) -> None:
    with serving(lambda exchange: exchange.answer(clip)) as server, nothing_left():
        open_network(server.address()).close()
