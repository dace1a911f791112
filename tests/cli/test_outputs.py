"""Names of the files that the command line writes, and existing files."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from command import run
from made_files import write_photo

import signary
from signary.video.write import write_video


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a photo without a hand into a folder of its own, and go there."""
    path = write_photo(tmp_path / "in" / "grey.png")
    monkeypatch.chdir(path.parent)
    return path


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_sources_of_one_name_keep_their_endings(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    (photo.parent / "B").mkdir()
    for name in ("a.png", "A.bmp", "B/b.c.png"):
        copyfile(photo, photo.parent / name)
    assert run(capsys, "recognize", ".", "--format", "json", "-o", "../out")[0] == 0
    read = {name: json.loads((tmp_path / "out" / name).read_text())["source"] for name in names(tmp_path / "out")}
    assert read == {"a.png.json": "a.png", "A.bmp.json": "A.bmp", "B/b.c.json": "B/b.c.png", "grey.json": "grey.png"}
    assert run(capsys, "recognize", ".", "-o", "../whole", "--whole-names")[0] == 0
    assert names(tmp_path / "whole") == {"a.png.txt", "A.bmp.txt", "B/b.c.png.txt", "grey.png.txt"}


def test_an_output_never_takes_the_place_of_its_source(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    copyfile(photo, "notes.json")
    words = ("recognize", "notes.json", "grey.png", "--format", "json", "--force", "-o", ".")
    status, out, err = run(capsys, *words)
    assert (status, out) == (1, "")
    assert err.count("notes.json: its output would take its place") == 1
    assert Path("notes.json").read_bytes() == photo.read_bytes()
    assert json.loads(Path("grey.json").read_text())["source"] == "grey.png"
    assert run(capsys, *words, "--whole-names")[0] == 0
    assert names(photo.parent) == {"notes.json", "grey.png", "grey.json", "notes.json.json", "grey.png.json"}


def test_landmarks_beside_their_sources_go_on_where_they_were(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    write_video(Path("clip.mp4"), np.zeros((3, 48, 64, 3), np.uint8), 25)
    words = ("landmarks", ".", "--detector", "hands", "--draw", "-o", ".")
    assert run(capsys, *words)[:2] == (0, "2 written to .\n")
    made = {path.name: path.stat().st_mtime_ns for path in photo.parent.iterdir()}
    assert set(made) == {"grey.png", "grey.parquet", "grey.drawn.png", "clip.mp4", "clip.parquet", "clip.drawn.mp4"}
    assert run(capsys, *words) == (0, "0 written to .\n", "2 done before and kept\n")
    Path("clip.drawn.mp4").unlink()
    assert run(capsys, *words) == (0, "1 written to .\n", "1 done before and kept\n")
    kept = {path.name: path.stat().st_mtime_ns for path in photo.parent.iterdir()}
    assert kept.keys() == made.keys()
    assert [name for name in made if kept[name] != made[name]] == ["clip.drawn.mp4"]
    assert signary.read_landmarks("clip.parquet").points.shape == (3, 543, 3)


def test_landmarks_of_sources_of_one_name(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    write_video(Path("grey.mp4"), np.zeros((3, 48, 64, 3), np.uint8), 25)
    words = ("landmarks", ".", "--detector", "hands", "--format", "npz", "-o", "../out")
    assert run(capsys, *words, "--draw")[0] == 0
    drawn = {"grey.mp4.drawn.mp4", "grey.png.drawn.png"}
    assert names(tmp_path / "out") == {"grey.mp4.npz", "grey.png.npz"} | drawn
    assert run(capsys, *words, "--draw")[2] == "2 done before and kept\n"
    Path("grey.mp4").unlink()
    assert run(capsys, *words, "--whole-names")[2] == "1 done before and kept\n"


def test_landmarks_never_take_the_place_of_their_source(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    Path("points.parquet").write_bytes(b"points")
    words = ("landmarks", "grey.png", "points.parquet", "--detector", "hands", "-o", ".", "--force")
    status, out, err = run(capsys, *words)
    assert (status, out) == (1, "1 written to .\n")
    assert "points.parquet: its output would take its place" in err
    assert Path("points.parquet").read_bytes() == b"points"
