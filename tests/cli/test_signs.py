"""A bundle of signs on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import run
from made_signs import make_sign_bundle, signed

from signary.landmarks.write import write_landmarks


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_sign_bundle(tmp_path_factory.mktemp("made") / "bundle").path)


def test_recognize(model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    clip = write_landmarks(tmp_path / "clip.npz", signed(("A", 1.0), ("-", 1.0), ("B", 1.0)))
    assert run(capsys, "recognize", str(clip), "--model", model) == (0, "A B\n", "")
    status, out, _ = run(capsys, "recognize", str(clip), "--model", model, "--format", "json")
    said = json.loads(out)
    assert (status, said["task"], [token["text"] for token in said["tokens"]]) == (0, "signs", ["A", "B"])
    assert (said["tokens"][0]["start_s"], said["tokens"][0]["end_s"]) == (0, 1.0)
    status, out, err = run(capsys, "recognize", str(clip), "--model", model, "--context", "words")
    assert (status, out) == (2, "")
    assert "reads signs" in err


def test_evaluate(model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for label in "AB":
        (tmp_path / label).mkdir()
        write_landmarks(tmp_path / label / "1.npz", signed(("A", 3.0)))
    status, out, _ = run(capsys, "evaluate", model, str(tmp_path), "--json")
    assert status == 0
    assert json.loads(out)["metrics"]["accuracy"] == 0.5


def test_bench(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "bench", model, "--runs", "1", "--json")
    assert status == 0
    assert list(json.loads(out)["ms_a_frame"]) == ["detector", "features and network", "decoding"]
