"""The models that come with the package, on real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import signary
from signary.bundles.bundle import bundle_names, load_bundle
from signary.evaluation.evaluate import evaluate


@pytest.mark.parametrize("name", bundle_names())
def test_bundle_is_whole_small_and_carded(name: str) -> None:
    bundle = load_bundle(name)
    assert sum(path.stat().st_size for path in bundle.path.iterdir()) < 8e6
    assert "## Limits" in (bundle.path / "README.md").read_text()
    assert bundle.manifest.training
    assert not any(b".py" in path.read_bytes() for path in bundle.path.glob("*.onnx"))  # where the code lay


def test_letters_of_a_folder(shared_data: Path) -> None:
    reader = signary.load("letters")
    photos = sorted((shared_data / "asl-letters-photos-mirrored/photos/B").glob("*.jpg"))[:5]
    said = [result.text for result in reader.recognize_many(photos)]
    assert said.count("B") >= 4


def test_mirrored_photos_read_alike(shared_data: Path) -> None:
    from signary.video.photo import read_photo

    reader = signary.load("letters")
    photo = read_photo(next((shared_data / "asl-letters-photos-mirrored/photos/L").glob("*.jpg")))
    turned = np.ascontiguousarray(photo[:, ::-1])
    assert reader.recognize(photo).text == reader.recognize(turned).text == "L"


@pytest.mark.slow
def test_evaluate_says_what_was_trained_on(shared_data: Path, tmp_path: Path) -> None:
    for label in "BL":
        folder = tmp_path / label
        folder.mkdir()
        for photo in sorted((shared_data / "asl-letters-photos-several-hands" / label).iterdir())[:4]:
            (folder / photo.name).symlink_to(photo)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "1.jpg").symlink_to(photo)
    summary = evaluate(signary.load("letters"), tmp_path).summary
    assert (summary["n"], summary["trained_on"], len(summary["skipped"])) == (8, 8, 1)
    assert summary["metrics"]["accuracy"] >= 0.75


def test_a_video_gives_times_and_a_stream_says_the_same(shared_data: Path) -> None:
    reader = signary.load("digits")
    clip = shared_data / "gesture-videos/signer1/Num5_1.mp4"
    read = reader.recognize(clip)
    assert read.frames == 44
    assert all(0 <= token.start_s <= token.end_s <= 1.6 for token in read.tokens)
    final = [event.text for event in reader.stream(clip) if event.final]
    assert "".join(final) == read.text
