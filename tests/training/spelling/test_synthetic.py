"""Training of fingerspelling on synthetic clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("lightning")

from signary.datasets.synthetic.spelling import SyntheticSpelling
from signary.datasets.synthetic.texts import PhraseMaker
from signary.features.select import SelectPoints
from signary.recognition.load import load
from signary.training.networks import spelling_network
from signary.training.recipes.load import load_recipe
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.spelling.synthetic import TUNED_SEED, EpochNumbers, MadeClips, is_made, strange_clips
from signary.training.train import read_metrics, train

TINY = {"steps": "2", "batch": "4", "width": "32", "depth": "1", "features.points": "[left_hand, right_hand]"}


def test_batches_are_made_anew_each_epoch_and_alike_each_time() -> None:
    recipe = load_recipe("spelling-ctc")
    assert isinstance(recipe, SpellingRecipe)
    made = MadeClips(SyntheticSpelling(SelectPoints(["left_hand", "right_hand"]), seed=3), recipe, 4)
    numbers = EpochNumbers(5)
    assert list(numbers) == [0, 1, 2, 3, 4]
    numbers.set_epoch(2)
    assert list(numbers) == [10, 11, 12, 13, 14]
    (first, places, _), (again, _, _), (other, _, _) = made[10], made[10], made[11]
    torch.testing.assert_close(first.clips, again.clips, equal_nan=True)
    assert not torch.equal(first.letters, other.letters)
    assert places.tolist() == [0, 1, 2, 3]
    assert first.clips.shape[2:] == (42, 3)
    assert (first.letter_counts > 0).all()
    assert recipe.characters.decode(first.letters[0].numpy()).isprintable()
    assert first.scores.isnan().all()


def test_every_eighth_clip_to_choose_by_is_spelled_backwards() -> None:
    recipe = load_recipe("spelling-hands")
    assert isinstance(recipe, SpellingRecipe)
    phrases = PhraseMaker(weights=recipe.synthetic.texts).draw(512, np.random.default_rng(recipe.seed + TUNED_SEED))
    made = next(strange_clips(spelling_network(recipe), recipe))
    assert made.texts == [phrase if place % 8 else phrase[::-1] for place, phrase in enumerate(phrases[:32])]


def test_a_folder_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_made(Path("synthetic"))
    Path("synthetic").mkdir()
    assert not is_made(Path("synthetic"))
    assert not is_made(tmp_path / "synthetic")


@pytest.mark.slow
def test_a_network_of_hands_learns_from_ten_points_of_each(tmp_path: Path) -> None:
    fingers = [("thumb", "cmc"), *((finger, "mcp") for finger in ("index", "middle", "ring", "pinky"))]
    points = [
        f"{side}_hand_{name}_{joint}" for side in ("left", "right") for name, base in fingers for joint in (base, "tip")
    ]
    few = {"steps": "2", "batch": "4", "width": "16", "inner": "16", "depth": "1", "features.coordinates": "2"}
    overrides = few | {"features.points": f"[{', '.join(points)}]"}
    bundle = train("spelling-hands", data=Path("synthetic"), output=tmp_path / "run", overrides=overrides)
    reader = load(bundle)
    assert (reader.name, reader.engine) == ("spelling", "hands")
    assert "beam" not in reader.bundle.manifest.thresholds  # too many errors to tune on
    assert reader.bundle.manifest.recipe["features"]["points"] == points


@pytest.mark.slow
def test_a_run_on_made_clips_reads(tmp_path: Path) -> None:
    bundle = train("spelling-ctc", data=Path("synthetic"), output=tmp_path / "run", overrides=TINY)
    metrics = read_metrics(tmp_path / "run")
    assert metrics["train"]["n"] == 8
    assert metrics["validation"]["n"] == 256
    assert metrics["validation"]["score"] < 0.5
    reader = load(bundle)
    assert reader.task == "spelling"
    assert reader.bundle.manifest.training[0].name == "synthetic"
