"""Verbs with several processes: the results are the same, and no process is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import run
from made_files import write_hand, write_photo

PATIENCE_S = 60.0


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write a folder of random hands, a photo and a file that is not one."""
    folder = tmp_path / "in"
    for seed in range(8):
        write_hand(folder / "B" / f"{seed}.npz", seed)
    write_photo(folder / "photo.png")
    (folder / "text.jpg").write_text("not a picture")
    return folder


@pytest.mark.parametrize("verb", ["recognize", "evaluate", "landmarks"])
def test_wrong_numbers_of_workers(capsys: pytest.CaptureFixture[str], files: Path, tmp_path: Path, verb: str) -> None:
    words = {"recognize": [str(files)], "evaluate": ["digits", str(files)], "landmarks": [str(files)]}[verb]
    for workers in ("0", "-2", "all"):
        status, out, err = run(capsys, verb, *words, "-o", str(tmp_path / "out"), "--workers", workers)
        assert (status, out) == (2, "")
        assert workers in err
    assert not (tmp_path / "out").exists()


def test_recognize_says_the_same(capsys: pytest.CaptureFixture[str], files: Path, tmp_path: Path) -> None:
    said = {}
    for workers in ("1", "2"):
        words = ("recognize", str(files), "--model", "digits", "--workers", workers)
        status, out, err = run(capsys, *words, "--format", "json")
        rows = json.loads(out)
        said[workers] = (status, err, [{**row, "elapsed_s": 0} for row in rows])
        assert run(capsys, *words, "--format", "csv", "-o", str(tmp_path / workers))[0] == 1
    assert said["1"] == said["2"]
    status, err, rows = said["2"]
    assert (status, len(rows), err.count("error:"), "text.jpg" in err) == (1, 10, 1, True)
    written = [sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")) for name in said]
    assert written[0] == written[1] and len(written[0]) == 10
    for path in written[0]:
        if path.suffix:
            assert (tmp_path / "1" / path).read_text() == (tmp_path / "2" / path).read_text()


def test_evaluate_says_the_same(capsys: pytest.CaptureFixture[str], files: Path) -> None:
    (files / "B").rename(files / "3")
    said = {}
    for workers in ("1", "2"):
        status, out, err = run(capsys, "evaluate", "digits", str(files), "--json", "--workers", workers)
        said[workers] = (status, err, {**json.loads(out), "speed": 0})
    assert said["1"] == said["2"]
    assert (said["2"][0], said["2"][2]["n"]) == (0, 8)


def test_landmarks_are_the_same(capsys: pytest.CaptureFixture[str], files: Path, tmp_path: Path) -> None:
    for number in range(3):
        write_photo(files / f"{number}.png", 40 * number)
    sources = [str(path) for path in sorted(files.iterdir()) if path.is_file()]
    said = {}
    for workers in ("1", "2"):
        words = ("landmarks", *sources, "-o", str(tmp_path / workers), "--detector", "hands", "--workers", workers)
        status, out, err = run(capsys, *words)
        said[workers] = (status, out.replace(str(tmp_path / workers), ""), err)
        assert "4 done before and kept" in run(capsys, *words)[2]
    assert said["1"] == said["2"]
    assert said["2"][:2] == (1, "4 written to \n")
    written = [sorted(path.name for path in (tmp_path / name).rglob("*.parquet")) for name in said]
    assert written[0] == written[1] and len(written[0]) == 4


@pytest.fixture
def reading(files: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program that reads 400 photos in two processes, and wait until both work."""
    photos = [str(files / "photo.png")] * 400
    words = [sys.executable, "-m", "signary", "recognize", *photos, "--workers", "2"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        until_s = time.monotonic() + PATIENCE_S
        while len(workers_of(process.pid)) < 2:
            assert process.poll() is None and time.monotonic() < until_s
            time.sleep(0.02)
        yield process
        process.kill()


def workers_of(program: int) -> list[int]:
    """Return the running workers of a program."""
    found = []
    for path in Path(f"/proc/{program}/task").glob("*/children"):
        for number in path.read_text().split():
            try:
                command = Path(f"/proc/{number}/cmdline").read_text()
            except OSError:
                continue
            found += [int(number)] if "spawn_main" in command else []
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_ctrl_c_ends_the_workers(reading: subprocess.Popen[str]) -> None:
    workers = workers_of(reading.pid)
    os.killpg(reading.pid, signal.SIGINT)
    out, err = reading.communicate(timeout=PATIENCE_S)
    assert (reading.returncode, out, err) == (130, "", "")
    assert not any(Path(f"/proc/{number}").exists() for number in workers)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_system_that_kills_every_worker_is_told(reading: subprocess.Popen[str]) -> None:
    while reading.poll() is None:
        for number in workers_of(reading.pid):
            os.kill(number, signal.SIGKILL)
        time.sleep(0.01)
    out, err = reading.communicate(timeout=PATIENCE_S)
    assert (reading.returncode, out) == (1, "")
    assert "error: workers: one after the other was ended (SIGKILL), and nothing gets done\nhint: memory" in err
    assert "Traceback" not in err
