"""What is counted, what is skipped, and what a model was trained on."""

from __future__ import annotations

import csv
from collections.abc import Set
from pathlib import Path

import numpy as np
import pytest

from signary.bundles.bundle import load_bundle
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.stores.landmarks import ClipStore
from signary.errors import InputError, SignaryError
from signary.evaluation.evaluate import evaluate
from signary.evaluation.labeled import StoredClip
from signary.landmarks.files import read_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.landmarks.write import write_landmarks
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer
from signary.text.vocabulary import Vocabulary


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
    assert evaluation.sources == [tmp_path / "3" / "1.npz", tmp_path / "Num4" / "2.npz"]
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

    from signary.digest import sha256_file

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
    assert (summary["n"], summary["trained_on"], summary["held_out"]["n"]) == (2, 1, 1)
    assert summary["held_out"]["metrics"]["accuracy"] in (0, 1)


class FrameCounter:
    """A public fake of a recognizer of signs: it reads a clip as the sign of its number of frames."""

    name, task = "counter", "signs"

    def __init__(self, known: Set[str] = frozenset()) -> None:
        self.bundle, self.known = self, known
        labels = ("none", *(f"sign-{number}" for number in range(1, 12)))
        self.vocabulary = Vocabulary(labels, aliases={"uno": "sign-1"})

    def trained_on(self, keys: list[str]) -> set[str]:
        return set(keys) & self.known

    def rank(self, source: LandmarkSequence) -> list[tuple[str, float]]:
        if np.isnan(source.points).all():
            return []
        if len(source) == 11:
            raise SignaryError("too long a clip", hint="cut it")
        labels = self.vocabulary.labels
        return [(labels[(len(source) + place) % 12], 0.9 / (place + 1)) for place in range(12)]


def made_store(path: Path, clips: list[tuple[int, str, str]]) -> ClipStore:
    """A store of clips out of one file: frames (0: one, without a hand), label and signer of each."""
    draft = StoreDraft(path, np.arange(468, 543))
    draft.begin()
    about = {"file": "all.npz", "sha256": "a" * 64}
    draft.add("0", [
        Clip(f"c/{row}", np.full((frames or 1, 543, 3), 0.5 if frames else np.nan, np.float32), label, signer, **about)
        for row, (frames, label, signer) in enumerate(clips)
    ])  # fmt: skip
    draft.finish()
    return ClipStore(path)


CLIPS = [
    *((1, "sign-1", "ann"), (1, "Uno", "ann"), (2, "sign_1", "bob"), (3, "SIGN 3", "bob"), (0, "sign-3", "")),
    *((4, "else", "bob"), (5, "else", "ann"), (11, "sign-2", "bob"), (11, "sign-2", "bob")),
]


def test_a_store_is_read_clip_by_clip(tmp_path: Path) -> None:
    store = made_store(tmp_path / "store", CLIPS)
    told: list[int] = []
    evaluation = evaluate(FrameCounter(), store.path, by="signer", track=lambda clips: told.append(len(clips)) or clips)
    summary = evaluation.summary
    assert told == [9]
    assert (summary["n"], summary["n_skipped"], summary["trained_on"], summary["unit"]) == (5, 4, 0, "clip")
    assert summary["skipped"] == ["label 'else' is not in the vocabulary: 2 clips", "too long a clip: 2 clips"]
    assert evaluation.targets == ["sign-1", "sign-1", "sign-1", "sign-3", "sign-3"]
    assert evaluation.predictions == ["sign-1", "sign-1", "sign-2", "sign-3", ""]
    assert evaluation.confidence == [0.9, 0.9, 0.9, 0.9, 0.0]
    assert summary["by"]["signer"] == {
        "": {"n": 1, "accuracy": 0.0}, "ann": {"n": 2, "accuracy": 1.0}, "bob": {"n": 2, "accuracy": 0.5}
    }  # fmt: skip
    metrics = summary["metrics"]
    assert (metrics["accuracy"], metrics["top5"], metrics["recall_macro"]) == (0.6, 0.6, pytest.approx(7 / 12))
    assert {len(best) for best in evaluation.ranked} == {10, 0}
    assert all(isinstance(source, StoredClip) for source in evaluation.sources)
    assert "held_out" not in summary


def test_clips_of_a_store_that_were_trained_on(tmp_path: Path) -> None:
    store = made_store(tmp_path / "store", CLIPS)
    keys = store.keys()
    summary = evaluate(FrameCounter({keys[0], keys[1], keys[3], keys[5], "a" * 64}), store.path).summary
    assert (summary["trained_on"], summary["held_out"]["n"]) == (3, 2)
    assert summary["held_out"]["metrics"]["accuracy"] == 0
    assert summary["held_out"]["metrics"].keys() == summary["metrics"].keys()
    summary = evaluate(FrameCounter(set(keys)), store.path).summary
    assert summary["trained_on"] == 5 and "held_out" not in summary


def test_groups_of_a_store(tmp_path: Path) -> None:
    store = made_store(tmp_path / "store", CLIPS)
    summary = evaluate(FrameCounter(), store.path, by="label").summary
    assert list(summary["by"]["label"]) == ["SIGN 3", "Uno", "sign-1", "sign-3", "sign_1"]
    with pytest.raises(InputError, match=r"by='frames': .* has numbers there .give a column of text: signer"):
        evaluate(FrameCounter(), store.path, by="frames")
    with pytest.raises(InputError, match="'age': no such column"):
        evaluate(FrameCounter(), store.path, by="age")
    other = made_store(tmp_path / "other", [(1, "else", ""), (1, "", "")])
    with pytest.raises(InputError, match="no clip to count for counter") as caught:
        evaluate(FrameCounter(), other.path)
    assert "label 'else' is not in the vocabulary: 1 clip" in caught.value.hint


def test_a_bundled_model_reads_a_store_as_it_reads_files(reader: Recognizer, tmp_path: Path) -> None:
    files = [write_hand(tmp_path / "files" / str(seed) / "1.npz", seed=seed) for seed in range(4)]
    draft = StoreDraft(tmp_path / "store", np.arange(543))
    draft.begin()
    hands = [read_landmarks(path) for path in files]
    draft.add("0", [Clip(f"{seed}", hand.points, str(seed), aspect=1.0) for seed, hand in enumerate(hands)])
    draft.finish()
    from_files, from_store = (evaluate(reader, tmp_path / name) for name in ("files", "store"))
    assert from_store.predictions == from_files.predictions
    np.testing.assert_allclose(from_store.confidence, from_files.confidence, atol=0.01)


def test_nothing_to_count(reader: Recognizer, tmp_path: Path) -> None:
    for folder, said in ((tmp_path / "none", "no such folder"), (tmp_path, "nothing to read")):
        with pytest.raises(InputError, match=said):
            evaluate(reader, folder)
    write_hand(tmp_path / "A" / "1.npz")
    with pytest.raises(InputError, match="no file to count") as caught:
        evaluate(reader, tmp_path)
    assert "'A' is not in the vocabulary" in caught.value.hint
