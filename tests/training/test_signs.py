"""Sign recipes: from a store to a bundle that reads new people; stopped and resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lightning")

import torch
from made_clips import made_clip, made_signs

from signary.bundles.bundle import load_bundle
from signary.datasets.clips import open_clips
from signary.datasets.stores.draft import StoreDraft
from signary.datasets.stores.landmarks import choose_points
from signary.errors import ConfigError, InputError
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.load import load
from signary.training.clips import hold_out, load_clips
from signary.training.networks import trainable_parameters
from signary.training.recipes.load import load_recipe
from signary.training.recipes.signs import SignRecipe
from signary.training.rows import DrawnRows
from signary.training.signs.batches import balanced_weights
from signary.training.signs.train import SignTask, doubted, fit_committee, predict_signs, trusted_words
from signary.training.train import read_metrics, train

RECIPE = """
name: tiny
network: sign-conv
points: [upper_body, left_hand, right_hand]
center: [pose_left_shoulder, pose_right_shoulder]
width: 24
depth: 1
dropout: 0.1
data: {folds: 0, max_frames: 32}
epochs: 12
batch: 12
optimizer: adamw
learning_rate: 0.01
average: 0.9
clip_norm: 1.0
precision: "32"
augment: {resample: 0.5, affine: 0.5, turn_deg: 5, frames_lost: 0.2}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write three signs by four signers, and a recipe."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "stores").mkdir()
    made_signs(folder / "stores" / "made")
    (folder / "tiny.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def run(made: Path) -> Path:
    """Train without interruption, with the second signer held out."""
    more = {"curve": "[0.5]", "members": "2", "trusted": "1", "thresholds.window_s": "1.5"}
    train(made / "tiny.yaml", data=made / "stores", output=made / "run", overrides=more, fold=1)
    return made / "run"


def recipe(made: Path, **more: str) -> SignRecipe:
    loaded = load_recipe(made / "tiny.yaml", more)
    assert isinstance(loaded, SignRecipe)
    return loaded


@pytest.mark.slow
def test_a_run_reads_a_signer_it_never_saw(run: Path) -> None:
    metrics = read_metrics(run)
    assert metrics["train"]["n"] == 36
    assert metrics["validation"]["n"] == 12
    assert metrics["validation"]["accuracy"] > 0.9
    assert metrics["held_out"] == "made/s1"
    assert list(metrics["by"]) == ["made/s1"]
    assert [(row["clips"], row["n"]) for row in metrics["learning_curve"]] == [(18, 12)]
    reader = load(run)
    assert reader.vocabulary == ("across", "still", "up")
    for label in reader.vocabulary:
        clip = made_clip(label, 3, 77, frames=18)
        (said, sure), *_ = reader.classify(LandmarkSequence(clip.points, np.arange(18) / 25))
        assert said == label
        assert sure > 0.4


@pytest.mark.slow
def test_a_bundle_says_what_it_learned_from(run: Path, made: Path) -> None:
    bundle = load_bundle(run)
    clips = open_clips(made / "stores")
    assert bundle.trained_on(clips.key[clips.signer != "made/s1"]) == set(clips.key[clips.signer != "made/s1"])
    assert not bundle.trained_on(clips.key[clips.signer == "made/s1"])
    assert [(source.name, source.licence, source.files) for source in bundle.manifest.training] == [
        ("made", "none", 36)
    ]
    assert bundle.manifest.trusted == ["across", "still", "up"]
    assert bundle.manifest.thresholds == {"window_s": 1.5}


@pytest.mark.slow
def test_a_resumed_run_equals_an_uninterrupted_one(made: Path, stopping: Any, last_weights: Any) -> None:
    how: dict[str, Any] = {"data": made / "stores" / "made", "overrides": {"epochs": "4"}}
    train(made / "tiny.yaml", output=made / "whole", **how)
    with stopping(SignTask, 8):  # of three steps in each epoch
        train(made / "tiny.yaml", output=made / "parts", **how)
    train(made / "tiny.yaml", output=made / "parts", resume=True, **how)
    whole, parts = (last_weights(made / name, "fold-0") for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["sign-transformer-published", "sign-transformer"])
def test_every_network_learns(made: Path, network: str) -> None:
    more = {
        "network": network,
        "width": "32",
        "inner": "16",
        "heads": "4",
        "points": "[hands]",
        "learning_rate": "0.003",
    }
    chosen, clips, _ = load_clips(recipe(made, **more), made / "stores")
    known = fit_committee(chosen, clips)
    places = np.searchsorted(chosen.vocabulary, clips.label)
    assert (predict_signs(known, clips, chosen).argmax(1) == places).mean() > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("network", ["sign-transformer-published", "sign-transformer", "sign-conv"])
def test_odd_clips_do_not_stop_an_epoch(made: Path, tmp_path: Path, network: str) -> None:
    clips = [made_clip(label, signer, 0) for label in ("up", "across") for signer in (0, 1)]
    odd = {"bare": 12, "one-frame": 1, "endless": 5000, "unseen": 9}
    for number, (name, frames) in enumerate(odd.items()):
        clip = made_clip("up", number % 2, number + 1, frames=frames)
        clip.points[:, 468 if name == "bare" else 543 :] = np.nan
        clip.points[:, : 543 if name == "unseen" else 0] = np.nan
        clips.append(clip)
    draft = StoreDraft(tmp_path / "store", choose_points())
    draft.begin()
    draft.add("0", clips)
    assert draft.finish() == []
    sizes = {"width": "32", "inner": "16", "heads": "4"}
    more = {"network": network, "points": "[]", "center": "[]", "epochs": "2", "batch": "4", **sizes}
    chosen, stored, _ = load_clips(recipe(made, **more), tmp_path / "store")
    said = predict_signs(fit_committee(chosen, stored), stored, chosen)
    assert said.shape == (8, 2)
    assert np.isfinite(said).all()


def test_recipes_have_the_published_parameters() -> None:
    for name, count in (
        ("signs-transformer-seed", 5_315_965),
        ("signs-conv", 1_830_040),
        ("signs-conv-small", 163_017),
        ("signs-transformer", 4_327_294),
    ):
        assert trainable_parameters(load_recipe(name)) == load_recipe(name).parameters == count


def test_batches_hold_clips_of_about_one_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 4096)
    rows = DrawnRows(4096, 64, 0, lengths=lengths)
    batches = list(rows)
    assert sorted(np.concatenate(batches).tolist()) == list(range(4096))
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    assert padded < 1.05 * lengths.sum()
    assert len(batches[0]) == 64
    rows.set_epoch(1)
    assert not np.array_equal(batches[0], next(iter(rows)))
    rows.set_epoch(0)
    assert np.array_equal(batches[0], next(iter(rows)))


def test_balanced_batches_hold_as_many_of_every_class() -> None:
    labels = np.repeat([0, 1, 2], [2, 50, 500])
    batches = list(DrawnRows(552, 999, 0, labels=labels, each=4))
    assert len(batches) == 46
    assert all(np.bincount(labels[batch]).tolist() == [4, 4, 4] for batch in batches)
    assert len(set(np.concatenate(batches)[labels[np.concatenate(batches)] == 1].tolist())) > 45


def test_weights_even_out_signers_and_words(made: Path) -> None:
    clips = open_clips(made / "stores")
    rows = np.flatnonzero((clips.signer != "made/s0") | (clips.label == "up"))[1:]  # three of its four clips of up
    some = clips.select(rows)
    weighed = balanced_weights(some, 1, 0)
    assert weighed[some.label == "up"].sum() == pytest.approx(4)
    assert weighed[some.label == "still"].sum() == pytest.approx(3)
    assert weighed[(some.label == "up") & (some.signer == "made/s0")].sum() == pytest.approx(1)
    weighed = balanced_weights(some, 1, 1)
    for label in ("across", "up", "still"):
        assert weighed[some.label == label].sum() == pytest.approx(1)
    assert (balanced_weights(some, 0, 0) == 1).all()


def test_words_that_are_not_trusted_are_said_less_readily(made: Path) -> None:
    chosen, clips, _ = load_clips(recipe(made, doubt="3", trusted="1", steps="1"), made / "stores")
    assert trusted_words(chosen, clips) == ["across", "still", "up"]
    network = fit_committee(chosen, clips)
    before = predict_signs(network, clips, chosen)
    after = predict_signs(doubted(network, chosen, ["up"]), clips, chosen)
    np.testing.assert_allclose(before - after, np.tile([3, 3, 0], (len(clips), 1)), atol=1e-4)


@pytest.mark.parametrize(
    ("more", "fold", "said"),
    [
        ({}, 4, "fold=4"),
        ({"data.folds": "9"}, 0, "folds=9"),
        ({"data.split": "clip", "data.folds": "4"}, 4, "fold=4: of 4 by clip"),
        ({"data.classes": "[up, down]"}, 0, "down: no clip"),
        ({"vocabulary": "[yes, no]"}, 0, "no clip of yes, no"),
        ({"data.split": "source"}, 0, "all clips are of one source"),
    ],
)
def test_what_cannot_be_learned_is_said_before_it_starts(
    made: Path, more: dict[str, str], fold: int, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        chosen, clips, _ = load_clips(recipe(made, **more), made / "stores")
        hold_out(chosen, clips, fold)


def test_labels_outside_the_vocabulary_are_counted(made: Path) -> None:
    chosen, clips, skipped = load_clips(recipe(made, vocabulary="[up, across]"), made / "stores")
    assert len(clips) == 32
    assert skipped == ["16 clips of 'still': not in the vocabulary"]
    assert chosen.labels == ["up", "across"]


def test_wrong_fields_are_all_named(made: Path) -> None:
    with pytest.raises(ConfigError, match=r"augment.flip.*learningrate.*did you mean learning_rate") as caught:
        recipe(made, learningrate="1", **{"augment.flip": "3"})
    assert caught.value.hint


@pytest.mark.slow
def test_a_damaged_store_is_named(made: Path, tmp_path: Path) -> None:
    made_signs(tmp_path / "store", signers=2, each=1)
    about = json.loads((tmp_path / "store/store.json").read_text())
    (tmp_path / "store/store.json").write_text(json.dumps(about | {"frames": 7}))
    with pytest.raises(InputError, match="damaged store"):
        train(made / "tiny.yaml", data=tmp_path / "store", output=tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize(("each", "held_out"), [(4, "clips of the only signer"), (1, "nothing")])
def test_one_persons_clips_are_learned_with_a_warning(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], each: int, held_out: str
) -> None:
    made_signs(tmp_path / "store", signers=1, each=each)
    more = {"epochs": "2", "data.folds": "4"}
    train(made / "tiny.yaml", data=tmp_path / "store", output=tmp_path / "run", overrides=more)
    assert read_metrics(tmp_path / "run")["held_out"] == held_out
    assert "all clips are of one signer" in capsys.readouterr().err
    assert load(tmp_path / "run").vocabulary == ("across", "still", "up")
