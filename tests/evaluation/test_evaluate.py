"""What is counted, what is skipped, and what a model was trained on."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from signary.errors import InputError
from signary.evaluation.evaluate import evaluate, find_labeled
from signary.export.bundle import load_bundle
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.landmarks.write import write_landmarks
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def reader() -> Recognizer:
    return load("digits")


def write_hand(path: Path, *, seen: bool = True, seed: int = 0) -> Path:
    """Write landmarks of one still, made hand."""
    points = np.full((1, 543, 3), np.nan, np.float32)
    if seen:
        points[0, RIGHT_HAND] = 0.4 + 0.2 * np.random.default_rng(seed).random((21, 3), np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_landmarks(path, LandmarkSequence(points, [0.0], aspect=1.0))


def write_manifest(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def test_every_file_is_counted_or_named(reader: Recognizer, tmp_path: Path) -> None:
    write_hand(tmp_path / "3" / "1.npz")
    write_hand(tmp_path / "Num4" / "2.npz", seen=False)
    write_hand(tmp_path / "seven" / "3.npz")
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "4.npz").write_text("broken")
    (tmp_path / "5" / "5.jpg").symlink_to(tmp_path / "gone.jpg")
    evaluation = evaluate(reader, tmp_path)
    summary = evaluation.summary
    assert (summary["n"], summary["trained_on"], summary["by"]) == (2, 0, {})
    assert evaluation.targets == ["3", "4"]
    assert evaluation.predictions[1] == ""  # no hand: no answer
    assert evaluation.confidence[1] == 0
    assert evaluation.paths == [tmp_path / "3" / "1.npz", tmp_path / "Num4" / "2.npz"]
    speed = summary["speed"]
    assert list(speed) == ["files_per_s", "median_ms", "p95_ms"]
    assert 0 < speed["median_ms"] < speed["p95_ms"]
    assert speed["files_per_s"] == pytest.approx(1000 / speed["median_ms"])  # of two, the median is the mean
    named = sorted(said.split(":")[0] for said in summary["skipped"])
    assert named == ["5/4.npz", "5/5.jpg", "seven/3.npz"]
    assert any("'seven' is not in the vocabulary" in said for said in summary["skipped"])
    assert summary["metrics"]["accuracy"] == (evaluation.predictions[0] == "3") / 2


def test_groups_of_a_manifest(reader: Recognizer, tmp_path: Path) -> None:
    texts = {seed: reader.recognize(write_hand(tmp_path / f"{seed}.npz", seed=seed)).text for seed in range(20)}
    seed, said = next((seed, text) for seed, text in texts.items() if text)
    other = "1" if said == "0" else "0"
    write_hand(tmp_path / "a.npz", seed=seed)
    write_hand(tmp_path / "b.npz", seed=seed)
    rows = [("a.npz", said, "ann"), ("b.npz", other, "bob"), (str(tmp_path / "a.npz"), said, "bob")]
    outside = ("/nowhere/c.npz", said, "bob")
    write_manifest(tmp_path, [dict(zip(("path", "label", "signer"), row, strict=True)) for row in (*rows, outside)])
    summary = evaluate(reader, tmp_path, by="signer").summary
    assert summary["by"] == {"signer": {"ann": {"n": 1, "accuracy": 1.0}, "bob": {"n": 2, "accuracy": 0.5}}}
    assert [skipped.split(":")[0] for skipped in summary["skipped"]] == ["/nowhere/c.npz"]
    with pytest.raises(InputError, match="by='age'") as caught:
        evaluate(reader, tmp_path, by="age")
    assert "signer" in caught.value.hint


def test_files_that_were_trained_on_are_counted(tmp_path: Path) -> None:
    import shutil

    from signary.export.bundle import sha256_file

    source = load_bundle("digits")
    bundle = tmp_path / "bundle"
    data = write_hand(tmp_path / "data" / "2" / "1.npz").parents[1]
    write_hand(data / "2" / "2.npz", seed=1)
    shutil.copytree(source.path, bundle)
    listed = bundle / source.manifest.training_files
    before = sha256_file(listed)
    listed.write_text(f"{sha256_file(data / '2' / '1.npz')}\n")
    manifest = (bundle / "bundle.json").read_text()
    (bundle / "bundle.json").write_text(manifest.replace(before, sha256_file(listed)))
    summary = evaluate(load(bundle), data).summary
    assert (summary["n"], summary["trained_on"]) == (2, 1)


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (b"file,label\na.jpg,A\n", "path and label", "first line"),
        (b"", "path and label", "first line"),
        (b"path,label\n", "path and label", "first line"),
        (b"path,label\na.jpg\n", "line 2", "cell"),
        (b"path,label\na.jpg,A,B\n", "line 2", "cell"),
        (b"\xff\xfep,a", "no readable CSV", "UTF-8"),
        (b'path,label\n"a.jpg,A\n', "no readable CSV", "UTF-8"),
        (b"path,label\ngone.jpg,A\n", "none of its files", "gone.jpg"),
    ],
)
def test_bad_manifests(tmp_path: Path, content: bytes, said: str, hint: str) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        find_labeled(tmp_path)
    assert "manifest.csv" in caught.value.message
    assert hint in caught.value.hint


def test_nothing_to_count(reader: Recognizer, tmp_path: Path) -> None:
    for folder, said in ((tmp_path / "none", "no such folder"), (tmp_path, "nothing to read")):
        with pytest.raises(InputError, match=said):
            evaluate(reader, folder)
    write_hand(tmp_path / "A" / "1.npz")
    with pytest.raises(InputError, match="no file to count") as caught:
        evaluate(reader, tmp_path)
    assert "'A' is not in the vocabulary" in caught.value.hint
