"""A run of an earlier version is resumed, and a bundle of it is read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning")

from signary.recognition.load import load
from signary.training.train import read_metrics, train

BEFORE = Path(__file__).parent / "before"


def test_a_run_ends_as_in_the_earlier_version(tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(BEFORE / "run", run)
    train(recipe="digits-mlp", data=BEFORE / "data", output=run, resume=True)
    measured, then = read_metrics(run), json.loads((BEFORE / "metrics.json").read_text(encoding="utf-8"))
    assert measured.keys() == then.keys()
    for part in ("train", "validation", "test"):
        assert measured[part].get("n") == then[part].get("n")
        assert measured[part].get("accuracy") == then[part].get("accuracy")
    assert measured["validation"]["ece"] == pytest.approx(then["validation"]["ece"], abs=0.01)


def test_a_bundle_reads_as_it_did(tmp_path: Path) -> None:
    reader = load(BEFORE / "bundle")
    pictures = np.load(BEFORE / "data" / "X.npy")
    columns = np.load(BEFORE / "data" / "Y.npy").argmax(1)
    said = [reader.recognize(np.repeat(picture[..., None], 3, 2)).text for picture in pictures]
    right = {text for text, column in zip(said, columns, strict=True) if column == columns[0]}
    assert right == {"0"} and set(said) == {"0", "1"}
