"""``signary data`` from the user's view."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import command
import numpy as np
import pytest

from signary.datasets.fake import make_fingerspelling
from signary.datasets.stores.landmarks import ClipStore
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.write import write_landmarks


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run ``signary data``; return exit status, stdout and stderr."""
    return command.run(capsys, "data", *words)


def write_set(folder: Path, count: int = 4) -> Path:
    """Write a folder of Kaggle's layout with clips of 3 frames, two signs and signers."""
    folder.mkdir()
    rows = ["path,participant_id,sequence_id,sign"]
    points = np.random.default_rng(0).random((3, 543, 3), np.float32)
    write_landmarks(folder / "0.parquet", LandmarkSequence(points, [0, 1 / 30, 2 / 30]))
    for number in range(count):
        if number:
            os.link(folder / "0.parquet", folder / f"{number}.parquet")
        rows.append(f"{number}.parquet,{number % 2},{number},{('hello', 'bye')[number % 2]}")
    (folder / "train.csv").write_text("\n".join(rows))
    return folder


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "list")
    assert status == 0 and "gislr\n    train.csv" in out
    status, out, _ = run(capsys, "list", "--json")
    names = ["gislr", "fingerspelling", "mediapipe-arrays", "clips", "chalearn-isogd", "ledasila"]
    assert [row["name"] for row in json.loads(out)] == names
    assert run(capsys, "info", "gislr", "--json")[1].startswith('{\n  "name": "gislr"')


@pytest.mark.parametrize("verb", ["list", "info", "prepare"])
def test_every_verb_has_help(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert run(capsys, verb, "--help")[0] == 0
    assert verb in run(capsys, "--help")[1]


def test_prepare_and_info(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder, target = write_set(tmp_path / "set"), tmp_path / "store"
    words = ("prepare", "gislr", str(folder), "-o", str(target))
    status, out, err = run(capsys, *words, "--points", "hands,489-513")
    assert (status, out) == (0, f"4 clips of 2 labels written to {target}\n")
    assert err == "fps: 30 supposed, the data does not say (--fps)\n"
    status, out, _ = run(capsys, "info", str(target), "--json")
    assert json.loads(out) == {
        "store": str(target),
        "reader": "gislr",
        "clips": 4,
        "frames": 12,
        "points": 67,
        "labels": {"bye": 2, "hello": 2},
        "signers": {"0": 2, "1": 2},
        "sources": {"gislr": 4},
        "licences": {"CC BY 4.0": 4},
        "splits": {"": 4},
        "frames_a_clip": {"min": 3, "p5": 3, "median": 3, "p95": 3, "max": 3},
        "missing": {"left_hand": 0, "right_hand": 0, "hand": 0, "clips_without_hand": 0},
        "fps": {"30.0": 4},
    }
    out = run(capsys, "info", str(target))[1]
    assert "labels: 2\n  bye                      2\n" in out and "(not known)" in out
    assert "exists already" in run(capsys, *words)[2]
    status, out, err = run(capsys, *words, "--force", "--classes", "bye", "--fps", "15", "--licence", "mine")
    assert (status, err) == (0, "")
    store = ClipStore(target)
    assert (store.column("id").tolist(), set(store.column("fps"))) == (["1", "3"], {15.0})
    assert set(store.column("licence")) == {"mine"}


def test_phrases_are_summed_up(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder, target = tmp_path / "set", tmp_path / "store"
    make_fingerspelling(folder, files=1, sequences=3, frames_a_letter=1)
    status, out, _ = run(capsys, "prepare", "fingerspelling", str(folder), "-o", str(target))
    phrases = set(ClipStore(target).column("label").tolist())
    assert (status, out) == (0, f"6 clips of {len(phrases)} phrases written to {target}\n")
    out = run(capsys, "info", str(target))[1]
    assert f"phrases                    {len(phrases)}\ncharacters_a_phrase\n" in out
    assert "  (space)  " in out and "labels" not in out and not any(phrase in out for phrase in phrases)


def test_bad_files_are_named_counted_and_end_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    for number in (1, 2):
        (folder / f"{number}.parquet").unlink()
        (folder / f"{number}.parquet").write_text("no Parquet")
    target = tmp_path / "store"
    status, out, err = run(capsys, "prepare", "gislr", str(folder), "-o", str(target), "--workers", "2")
    assert (status, out) == (1, f"2 clips of 2 labels written to {target}\n")
    assert [f"error: {folder}/{number}.parquet: cannot be read as Parquet" in err for number in (1, 2)] == [True] * 2
    assert "2 failed\n" in err and "Traceback" not in err
    for number in (0, 3):
        (folder / f"{number}.parquet").unlink()
    status, out, err = run(capsys, "prepare", "gislr", str(folder), "-o", str(tmp_path / "none"))
    assert (status, out) == (1, "") and "4 failed\n" in err and "not written, no clip could be read" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "store"]


def test_wrong_use(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder, output = str(write_set(tmp_path / "set")), ("-o", str(tmp_path / "store"))
    for words, message in [
        (("prepare", "gislrr", folder, *output), "did you mean 'gislr'"),
        (("prepare", "gislr", folder, *output, "--points", "tail"), "no such points"),
        (("prepare", "gislr", folder, *output, "--workers", "0"), "workers=0"),
        (("prepare", "gislr", folder, *output, "--fps", "0"), "fps=0"),
        (("info", "nothing"), "no such store or reader"),
    ]:
        status, _, err = run(capsys, *words)
        assert status == 2 and message in err
    assert run(capsys, "info", folder)[0] == 1
    status, _, err = run(capsys, "prepare", "gislr", str(tmp_path), *output)
    assert status == 1 and "train.csv: no such file" in err


def test_a_killed_run_is_gone_on_with(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder, target = write_set(tmp_path / "set", 1200), tmp_path / "store"
    words = ["prepare", "gislr", str(folder), "-o", str(target)]
    command = [sys.executable, "-m", "signary", "data", *words, "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    partial = tmp_path / "store.partial"
    while process.poll() is None and len(list(partial.glob("0*.json"))) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    time.sleep(1)  # its workers end with it
    done = {path.name: path.stat().st_mtime_ns for path in partial.glob("0*.json")}
    assert done and not target.exists()
    assert "half written" in run(capsys, "info", str(target))[2]
    status, _, err = run(capsys, *words)
    assert status == 1 and "--resume goes on with it" in err
    assert {path.name: path.stat().st_mtime_ns for path in partial.glob("0*.json")} == done
    status, out, err = run(capsys, *words, "--resume")
    assert (status, out) == (0, f"1200 clips of 2 labels written to {target}\n")
    assert f"{len(done)} batches done before and kept" in err
    assert ClipStore(target).column("id").tolist() == [str(number) for number in range(1200)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "store"]
