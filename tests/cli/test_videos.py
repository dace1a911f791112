"""Signs from videos on the command line: features, training, and transfer to other signs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import run

pytest.importorskip("lightning")

from signary.video.write import write_video

TINY = ("--epochs", "1", "--width", "8", "--dense", "[]")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Write two clips of each of three labels, by two people."""
    folder, random = tmp_path / "set", np.random.default_rng(0)
    rows = ["path,label,signer"]
    for label in ("bye", "hello", "yes"):
        for signer in ("ann", "bob"):
            path = folder / signer / f"{label}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_video(path, random.integers(0, 256, (6, 48, 80, 3), np.uint8), 25)
            rows.append(f"{signer}/{label}.mp4,{label},{signer}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.slow
def test_from_videos_to_other_signs(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, classes in (("before", "bye,hello"), ("after", "hello,yes")):
        made = ("--classes", classes, "--features", "compact", "-o", str(tmp_path / name))
        status, out, _ = run(capsys, "data", "prepare", "clips", str(videos), *made)
        assert (status, out) == (0, f"4 clips of 2 labels written to {tmp_path / name}\n")
    first, then = str(tmp_path / "first"), str(tmp_path / "then")
    assert run(capsys, "train", "video-lstm", "--data", str(tmp_path / "before"), "-o", first, *TINY)[0] == 0
    went_on = ("--init-from", first, "--freeze", "all", "-o", then)
    status, out, err = run(capsys, "train", "video-lstm", "--data", str(tmp_path / "after"), *went_on, *TINY)
    assert (status, "2 labels are replaced by 2, 1 of them the same" in err) == (0, True)
    clip = str(videos / "ann" / "yes.mp4")
    status, out, _ = run(capsys, "recognize", clip, "--model", then, "--format", "json")
    said = json.loads(out)
    assert (status, said["task"], said["frames"]) == (0, "signs", 6)


def test_features_need_a_network(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("clips", str(videos), "-o", str(tmp_path / "store"))
    status, out, err = run(capsys, "data", "prepare", *where, "--draws", "2")
    assert (status, out) == (2, "")
    assert "--draws: without --features" in err
    status, _, err = run(capsys, "data", "prepare", *where, "--features", "inception")
    assert (status, "no weights given" in err) == (1, True)
