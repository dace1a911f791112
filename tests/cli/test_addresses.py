"""Addresses on the command line: files, cameras, failures, and output names without secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import run
from network_servers import Exchange, filming, serving

from signary.server.practice import letter_picture

PAGE = b"<html>sign in</html>"


def respond(exchange: Exchange) -> None:
    """Serve a photo, a camera of motion JPEG that ends, and a page."""
    if exchange.path.startswith("/b.png"):
        exchange.answer(letter_picture("B", 6, "right"), "image/png")
    elif exchange.path.startswith("/live"):
        parts = b"".join(b"--f\r\nContent-Type: image/png\r\n\r\n" + PAGE + b"\r\n" for _ in range(1)) + b"--f--\r\n"
        exchange.answer(parts, "multipart/x-mixed-replace; boundary=f")
    else:
        exchange.answer(PAGE, "text/html")


def test_photos_pages_and_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(respond) as server:
        photo, page = server.address("/b.png?token=word", user="me:secret"), server.address("/page")
        status, out, err = run(capsys, "recognize", photo, page, "--format", "json")
    assert status == 1
    read, failed = json.loads(out)
    assert read["text"] == "B"
    assert read["source"].endswith("/b.png?token=***")
    assert "web page" in failed["error"]["message"]
    assert "secret" not in out + err
    assert "word" not in out + err


def test_outputs_are_named_after_host_and_path(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with serving(respond) as server:
        status, _, _ = run(capsys, "recognize", server.address("/b.png?x=1"), "-o", str(tmp_path), "--format", "csv")
        assert status == 0
        address = server.address("/b.png", user="me:secret")
        assert run(capsys, "landmarks", address, "-o", str(tmp_path), "--detector", "hands")[0] == 0
        status, _, err = run(capsys, "landmarks", address, "-o", str(tmp_path), "--draw")
        assert (status, "--draw" in err) == (2, True)
        status, _, err = run(capsys, "landmarks", server.address("/x", user="me:secret"), "-o", str(tmp_path))
        assert (status, "secret" in err) == (1, False)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert [name for name in found if "127" not in name.split("/")[-1]] == ["127.0.0.1/b.csv", "127.0.0.1/b.parquet"]


def test_a_camera_is_read_until_it_ends(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with filming(frames=30, then="bye") as camera:
        status, out, _ = run(capsys, "recognize", camera.address(user="me:secret"), "--format", "json")
        said = json.loads(out)
    assert status == 0
    assert (said["text"], said["warnings"][-1]) == ("", "no hand found")
    assert said["frames"] > 0
    assert "secret" not in out


@pytest.mark.parametrize("words", [("--show",), ("--show", "--format", "json")])
def test_a_window_is_for_what_is_live(capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str]) -> None:
    status, _, err = run(capsys, "recognize", str(tmp_path / "x.mp4"), *words)
    assert (status, "--show" in err) == (2, True)


def test_a_camera_that_sends_no_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(respond) as server:
        status, out, err = run(capsys, "recognize", server.address("/live"))
    assert (status, out) == (1, "")
    assert "/live" in err
