"""Which requests are let in: hosts, origins, tokens, sizes."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.request import urlopen

import pytest
from starlette.testclient import TestClient
from talking import END, START, Running, Serving, close_code

from signary.errors import ConfigError
from signary.recognition.recognizer import Recognizer
from signary.server.app import make_app
from signary.server.guard import MOST_SENDING
from signary.server.options import ServeOptions

HERE = "http://127.0.0.1:8000"


def client_of(readers: dict[str, Recognizer], base_url: str = HERE, **options: object) -> TestClient:
    app = make_app(ServeOptions(**options), readers)  # type: ignore[arg-type]
    return TestClient(app, base_url=base_url, follow_redirects=False)


@pytest.fixture(scope="module")
def client(readers: dict[str, Recognizer]) -> Iterator[TestClient]:
    with client_of(readers) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.0.0.1"])
def test_own_names_are_let_in(client: TestClient, host: str) -> None:
    assert client.get("/api/health", headers={"host": host}).json()["status"] == "ok"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "192.168.1.7:8000", "", "@"),
        *("localhost:x", "evil.example@localhost", "localhost/evil", "[::1", "127.0.0.1:99999999"),
    ],
)
def test_other_names_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/api/health", headers={"host": host})
    assert answer.status_code == 403
    assert "is not this server's name" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://localhost:8000", "http://127.0.0.1:3000", "file://127.0.0.1:8000"],
)
def test_other_origins_are_refused(client: TestClient, origin: str) -> None:
    answer = client.post("/api/recognize", headers={"origin": origin}, files={"file": ("a.png", b"x")})
    assert answer.status_code == 403
    assert "is another page's" in answer.json()["error"]["message"]


def test_the_own_origin_is_let_in(client: TestClient) -> None:
    assert client.get("/api/health", headers={"origin": HERE}).status_code == 200


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "no-cors", 403),
        ("same-site", "cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ],
)
def test_requests_from_other_pages_are_refused(client: TestClient, site: str, mode: str, status: int) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
    assert client.get("/api/health", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({"Origin": "https://evil.example"}, "another page's"), ({"Origin": "null"}, "another page's")],
)
def test_sockets_of_other_pages_are_closed(serve: Serving, headers: dict[str, str], reason: str) -> None:
    with serve().connect(additional_headers=headers) as socket:
        assert close_code(socket) == 1008
        assert reason in (socket.close_reason or "")


def test_sockets_under_another_name_are_closed(readers: dict[str, Recognizer], serve: Serving) -> None:
    port = serve().port
    raw = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    raw.putrequest("GET", "/api/live", skip_host=True)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    for name, value in (upgrade | {"Host": "evil.example", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}).items():
        raw.putheader(name, value)
    raw.endheaders()
    raw.sock.settimeout(10)
    heard = b""
    while b"this server's name" not in heard and (part := raw.sock.recv(4096)):
        heard += part
    assert b"\x03\xf0Host 'evil.example' is not this server's name" in heard  # close code 1008 and its reason
    raw.close()


def test_headers_keep_the_page_to_itself(client: TestClient) -> None:
    for path in ("/", "/api/health", "/static/nosuch", "/nosuch"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["permissions-policy"].startswith("camera=(self)")
    refused = client.get("/", headers={"host": "evil.example"}).headers
    assert "content-security-policy" in refused
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        *("/static/parts/../../errors.py", "/static/parts/%2e%2e/%2e%2e/errors.py", "/static/..%2ferrors.py"),
        *("/static/parts/..%2f..%2ferrors.py", "/static/parts/..\\..\\errors.py", "/static/parts//etc/passwd"),
        *("/static/parts/%2fetc%2fpasswd", "/static/parts/%00", "/../../etc/passwd", "/static/", "/static/parts/"),
        *("/static/__init__.py", "/static/parts/" + "a" * 5000),
    ],
)
def test_no_path_leads_out_of_the_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 405)
    assert b"import" not in answer.content


def test_a_token_is_needed_where_one_is_set(readers: dict[str, Recognizer]) -> None:
    with client_of(readers, token="s3cret") as client:
        for headers in (
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": "s3cret"},
            {"cookie": "signary_token="},
        ):
            answer = client.get("/api/health", headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"]["message"] == "the token is missing or wrong"
        assert client.get("/api/health", headers={"authorization": "Bearer s3cret"}).status_code == 200
        with client.websocket_connect("ws://127.0.0.1:8000/api/live") as socket:
            assert socket.receive() == {
                "type": "websocket.close",
                "code": 1008,
                "reason": "the token is missing or wrong",
            }


def test_a_link_with_the_token_opens_the_page(readers: dict[str, Recognizer]) -> None:
    with client_of(readers, token="s3cret") as client:
        answer = client.get("/?token=s3cret")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        assert client.get("/api/health").status_code == 200
        with client.websocket_connect("ws://127.0.0.1:8000/api/live") as socket:
            socket.send_json(START)
            assert socket.receive_json()["type"] == "ready"
            socket.send_json(END)
            assert socket.receive_json()["type"] == "closed"


def test_other_machines_need_a_token() -> None:
    with pytest.raises(ConfigError, match=r"host='0.0.0.0': other machines could use it unasked") as refused:
        ServeOptions(host="0.0.0.0")
    assert "--token" in refused.value.hint and "--insecure" in refused.value.hint
    assert not ServeOptions(host="0.0.0.0", token="s3cret").is_local
    assert "s3cret" not in repr(ServeOptions(token="s3cret"))
    assert all(ServeOptions(host=host).is_local for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"))
    with pytest.raises(ConfigError, match="limit=0, must be above 0"):
        ServeOptions(limit=0)


def test_other_machines_call_by_address_or_given_name(readers: dict[str, Recognizer]) -> None:
    with client_of(readers, host="0.0.0.0", insecure=True, names=("signs.example",)) as client:
        said = {host: client.get("/api/health", headers={"host": host}).status_code for host in HOSTS}
    assert said == {"192.168.1.7:8000": 200, "signs.example": 200, "evil.example": 403}


HOSTS = ("192.168.1.7:8000", "signs.example", "evil.example")


def test_too_large_a_body_is_refused_before_it_is_read(serve: Serving) -> None:
    raw = http.client.HTTPConnection("127.0.0.1", serve(upload_bytes=1000).port, timeout=10)
    raw.putrequest("POST", "/api/recognize")
    raw.putheader("Content-Type", "multipart/form-data; boundary=x")
    raw.putheader("Content-Length", str(2**30))
    raw.endheaders()
    answer = raw.getresponse()
    assert answer.status == 413
    assert "larger than" in json.load(answer)["error"]["message"]


def test_too_large_a_body_of_unknown_length_is_refused(serve: Serving) -> None:
    raw = http.client.HTTPConnection("127.0.0.1", serve(upload_bytes=1000).port, timeout=10)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    parts = [head, *[b"0" * 10_000] * 10]
    raw.request("POST", "/api/recognize", iter(parts), {"Content-Type": "multipart/form-data; boundary=x"})
    assert raw.getresponse().status == 413


def test_so_many_files_are_taken_at_a_time(serve: Serving) -> None:
    server = serve()
    head = f"POST /api/recognize HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 1000\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x"
    with ExitStack() as stack:
        for _ in range(MOST_SENDING):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))).sendall(head.encode())
        status = 0
        for _ in range(200):  # until the others have come in
            if (status := posted(server)) == 503:
                break
            time.sleep(0.05)
        assert status == 503
        with urlopen(f"{server.url}/api/health") as answer:
            assert json.load(answer)["status"] == "ok"
    for _ in range(200):  # until they have gone
        if (status := posted(server)) != 503:
            break
        time.sleep(0.05)
    assert status == 422


def posted(server: Running) -> int:
    raw = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    raw.request("POST", "/api/recognize")
    return raw.getresponse().status
