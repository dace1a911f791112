"""A tiny training: recipe, data, run folder, bundle, recognizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning")

from signary.datasets.hands import join_samples
from signary.datasets.readers.hand_arrays import read_hand_arrays
from signary.datasets.split import group_folds, leave_source_out
from signary.errors import ConfigError, InputError, ModelNotFound
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.load import load
from signary.training.recipes.load import describe_recipes, load_recipe, recipe_names

RECIPE = """
name: tiny
task: letters
vocabulary: [A, B]
width: 16
members: 2
steps: 60
batch: 32
sources:
  - {name: made, path: made.npz, reader: hand-arrays, licence: none}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file of two different hands with noise."""
    folder = tmp_path_factory.mktemp("made")
    random = np.random.default_rng(0)
    shapes = random.random((2, 21, 3))
    label = random.integers(0, 2, 200)
    points = shapes[label] + random.normal(0, 0.01, (200, 21, 3))
    hand = np.full(200, "Left")
    np.savez(folder / "made.npz", image_px=points.astype(np.float32), label=np.array(["A", "B"])[label], hand=hand)
    (folder / "tiny.yaml").write_text(RECIPE)
    return folder


@pytest.mark.slow
def test_train_and_read(made: Path) -> None:
    from signary.training.train import train

    run = made / "run"
    bundle = train(made / "tiny.yaml", data=made, output=run)
    assert (run / "config.yaml").exists()
    assert (run / "checkpoints/final/last.ckpt").exists()
    reader = load(run)
    samples = read_hand_arrays(made / "made.npz")
    hits = 0
    for row in range(40):
        clip = LandmarkSequence(samples.points[row][None], [0.0], "HAND_21").as_holistic("right")
        hits += reader.classify(clip)[0][0] == samples.label[row]
    assert hits >= 38
    assert (bundle / "README.md").read_text().startswith("# tiny")
    with pytest.raises(InputError, match="exists already"):
        train(made / "tiny.yaml", data=made, output=run)
    assert train(made / "tiny.yaml", data=made, output=run, resume=True) == bundle


def test_splits_separate_groups(made: Path) -> None:
    groups = np.array([f"g{number // 3}" for number in range(60)])
    folds = group_folds(groups, 5)
    assert all(len(set(folds[groups == group])) == 1 for group in groups)
    assert np.bincount(folds).tolist() == [12] * 5
    one = read_hand_arrays(made / "made.npz", name="one")
    both = join_samples([one, read_hand_arrays(made / "made.npz", name="two")])
    for source, train_mask, test_mask in leave_source_out(both):
        assert not (train_mask & test_mask).any()
        assert set(both.source[test_mask]) == {source}
    with pytest.raises(InputError, match="folds=99"):
        group_folds(groups, 99)


def test_recipes_name_what_is_wrong() -> None:
    with pytest.raises(ModelNotFound, match="did you mean 'letters'"):
        load_recipe("leters")
    with pytest.raises(ConfigError, match=r"steps.*augment\.flop"):
        load_recipe("letters", {"steps": "-1", "augment.flop": "1"})
    assert load_recipe("letters", {"augment.flip": "0.5"}).augment.flip == 0.5


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_state_their_parameters(name: str) -> None:
    from signary.training.networks import trainable_parameters

    recipe = load_recipe(name)
    assert recipe.parameters == trainable_parameters(recipe)
    assert {"name", "task", "network", "parameters", "classes", "needs"} == set(describe_recipes()[0])


def test_not_an_npz(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_text("no")
    with pytest.raises(InputError, match="no readable npz"):
        read_hand_arrays(tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(InputError, match="needs label"):
        read_hand_arrays(tmp_path / "other.npz")
