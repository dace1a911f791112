"""``signary evaluate`` with a report, of a run folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import run
from made_clips import write_store
from made_files import write_hand
from PIL import Image

from signary.bundles.bundle import load_bundle
from signary.datasets.stores.draft import Clip
from signary.digest import sha256_file
from signary.landmarks.files import read_landmarks


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four random hands, and a photo without a hand."""
    folder = tmp_path / "data"
    for seed, label in enumerate("1234"):
        write_hand(folder / label / "hand.npz", seed)
    Image.new("RGB", (64, 64)).save(folder / "1" / "photo.png")
    return folder


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run folder: a bundle and the log of its training."""
    folder = tmp_path / "run"
    shutil.copytree(load_bundle("digits").path, folder / "bundle")
    log = folder / "logs" / "csv" / "validation" / "metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_text("epoch,step,train_loss,validation_loss\n0,9,2.5,\n0,9,,2.25\n1,19,0.5,\n1,19,,0.75\n")
    return folder


def learn(bundle: Path, key: str) -> None:
    """Declare in a bundle that it was trained on one clip."""
    about = (bundle / "bundle.json").read_text(encoding="utf-8")
    listed = bundle / json.loads(about)["training_files"]
    before = sha256_file(listed)
    listed.write_text(f"{key}\n")
    (bundle / "bundle.json").write_text(about.replace(before, sha256_file(listed)), encoding="utf-8")


def test_a_run_is_reported_with_its_training(
    capsys: pytest.CaptureFixture[str], run_folder: Path, data: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    status, out, _ = run(capsys, "evaluate", str(run_folder), str(data), "--json", "-o", str(report))
    assert status == 0
    summary = json.loads(out)
    assert summary == json.loads((report / "evaluation.json").read_text(encoding="utf-8"))
    assert summary["n"] == 5
    assert all(summary["speed"][name] > 0 for name in ("files_per_s", "median_ms", "p95_ms"))
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "validation, train_loss: 2.5 to 0.5; validation, validation_loss: 2.25 to 0.75" in page
    with Image.open(report / "curves.png") as curves:
        assert curves.format == "PNG"


def test_a_bundle_has_no_training_to_show(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    status, out, err = run(capsys, "evaluate", "digits", str(data), "-o", str(report))
    assert status == 0
    assert f"digits on {data}: 5 files" in out
    assert "files a second" in out
    assert "warning" not in err
    assert "curves.png" not in {path.name for path in report.iterdir()}
    assert 'id="training"' not in (report / "report.html").read_text(encoding="utf-8")


def test_a_report_is_kept_unless_forced(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    (report / "mine.txt").write_text("years of work")
    for words in ((), ("--force",)):
        status, _, err = run(capsys, "evaluate", "digits", str(data), "-o", str(report), *words)
        assert status == 1
        assert str(report) in err
    assert [path.name for path in report.iterdir()] == ["mine.txt"]


def test_a_store_and_a_run_with_a_learning_curve(
    capsys: pytest.CaptureFixture[str], run_folder: Path, data: Path, tmp_path: Path
) -> None:
    hands = [read_landmarks(data / label / "hand.npz").points for label in "1234"]
    clips = [Clip(f"{row}", points, "1234"[row], "ann", sha256=str(row) * 64) for row, points in enumerate(hands)]
    store = write_store(tmp_path / "store", [*clips, Clip("none", hands[0], "hello")], "all").path
    learn(run_folder / "bundle", "0" * 64)
    steps = [{"clips": 10, "accuracy": 0.25, "n": 40}, {"clips": 100, "accuracy": 0.5, "n": 40}]
    (run_folder / "metrics.json").write_text(json.dumps({"learning_curve": steps}))
    report = tmp_path / "report"
    status, out, err = run(capsys, "evaluate", str(run_folder), str(store), "--by", "signer", "-o", str(report))
    assert status == 0
    assert "store: 4 clips" in out and "clips a second" in out and "signer ann" in out
    assert "warning: 1 of 4 clips were trained on: the figures flatter; of the other 3: accuracy " in err
    assert "skipped: label 'hello' is not in the vocabulary: 1 clip\n" in err
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "Read right after learning from 10 clips: 25.0% of 40; 100 clips: 50.0% of 40" in page
    assert {"by-0.png", "learning.png"} < {path.name for path in report.iterdir()}
