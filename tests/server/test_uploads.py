"""Recordings that are sent whole."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from talking import jpeg

import signary
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.write import write_landmarks
from signary.recognition.recognizer import Recognizer
from signary.server.app import make_app
from signary.server.options import ServeOptions
from signary.server.practice import letter_picture
from signary.server.uploads import client_name
from signary.text.write import to_dict

HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client(readers: dict[str, Recognizer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("uploads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        with TestClient(make_app(ServeOptions(upload_frames=200), readers), base_url=HERE) as client:
            yield client
    assert list(folder.iterdir()) == []  # nothing is kept


def test_a_photo_is_read(client: TestClient) -> None:
    answer = client.post("/api/recognize", files={"file": ("b.png", letter_picture("B", 6, "right"))})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["source"], said["model"], said["task"], said["text"]) == ("b.png", "letters", "letters", "B")
    assert said["tokens"][0]["confidence"] > 0.5


def test_a_video_is_read_as_on_the_command_line(client: TestClient, letters: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    signary.spell("L", path, fps=10, size=(240, 240))
    said = client.post("/api/recognize", files={"file": ("clip.mp4", path.read_bytes())}).json()
    whole = to_dict(letters.recognize(path))
    same = ("model", "task", "text", "confidence", "tokens", "frames", "fps", "hand_rate", "warnings")
    assert {key: said[key] for key in same} == {key: whole[key] for key in same}
    assert said.keys() == whole.keys()


def test_landmarks_are_read(client: TestClient, clip: LandmarkSequence, tmp_path: Path) -> None:
    path = tmp_path / "clip.npz"
    write_landmarks(path, clip)
    said = client.post("/api/recognize?hand=right", files={"file": ("clip.npz", path.read_bytes())}).json()
    assert said["text"] == "HELLO"
    assert client.post("/api/recognize?hand=left", files={"file": ("c.npz", path.read_bytes())}).json()["text"] == ""


def zeros_npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, points=np.zeros(10**7))
    return file.getvalue()


def animation(frames: int) -> bytes:
    file = io.BytesIO()
    pictures = [Image.new("RGB", (16, 16), (shade, 0, 0)) for shade in range(frames)]
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=20)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jpg", b"", "a.jpg: empty file"),
        ("a.jpg", jpeg()[:300], "a.jpg: damaged photo"),
        ("a.jpg", b"\xff\xd8\xff" + b"noise" * 99, "a.jpg: not a photo that can be read"),
        ("a.mp4", bytes(range(256)) * 50, "a.mp4: not a video that can be read"),
        ("noise", bytes(range(256)) * 50, "noise: not a video that can be read"),
        ("a.m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "a.m3u8: names other files"),
        ("a.mp4", b"ffconcat version 1.0\nfile clip.mp4\n", "a.mp4: names other files"),
        ("a.npz", b"PK", "a.npz: cannot be read as npz"),
        ("a.npz", zeros_npz(), "a.npz: unpacks to 80 MB"),
        ("a.parquet", b"PAR1", "a.parquet: cannot be read as Parquet"),
        ("../../etc/passwd.jpg", b"x", "passwd.jpg: not a photo"),
        ("a.gif", animation(201), "a.gif: more than 200 frames"),
    ],
)
def test_what_cannot_be_read_is_named(client: TestClient, name: str, content: bytes, message: str) -> None:
    answer = client.post("/api/recognize", files={"file": (name, content)})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert message in error["message"]
    assert error["hint"]
    assert "/" not in error["message"]
    assert client.get("/api/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("model=nosuch", 404, "'nosuch': no such model"),
        ("model=/etc", 404, "'/etc': no such model"),
        ("hand=third", 422, "query.hand"),
        ("fps=0", 422, "query.fps"),
        ("fps=nan", 422, "query.fps"),
        ("context=poem", 422, "query.context"),
    ],
)
def test_wrong_values_are_refused(client: TestClient, query: str, status: int, message: str) -> None:
    answer = client.post(f"/api/recognize?{query}", files={"file": ("a.jpg", jpeg())})
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


def test_requests_without_a_file_are_refused(client: TestClient) -> None:
    assert client.post("/api/recognize").status_code == 422
    assert client.post("/api/recognize", data={"file": "text"}).status_code == 422
    broken = client.post("/api/recognize", content=b"--x", headers={"content-type": "multipart/form-data"})
    assert broken.status_code == 400
    assert client.get("/api/recognize").status_code == 405


def test_names_are_plain() -> None:
    assert client_name("C:\\films\\a.mp4") == "a.mp4"
    assert client_name("../../x/a\x00\n.mp4") == "a.mp4"
    assert client_name(None) == client_name("") == client_name("..\\") == "file"
    assert client_name("é" * 300 + ".mp4") == "é" * 96 + ".mp4"
