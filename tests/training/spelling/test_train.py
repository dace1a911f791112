"""Recipes of fingerspelling: two rounds from a store to a bundle that reads; stopped, resumed, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lightning")

import pyarrow.parquet as pq
import torch
from torch.nn import functional

from signary.bundles.bundle import load_bundle
from signary.datasets.augment.mix import SpelledBatch
from signary.datasets.augment.strengths import SMALL_AUGMENT, SpellingStrengths
from signary.datasets.fake import make_fingerspelling
from signary.datasets.prepare import prepare
from signary.datasets.readers.reader import Options
from signary.datasets.split import SUPPLEMENTAL
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.stores.landmarks import choose_points
from signary.errors import ConfigError, InputError
from signary.evaluation.evaluate import evaluate
from signary.recognition.load import load
from signary.text.characters import CharacterVocabulary
from signary.training.networks import spelling_network, trainable_parameters
from signary.training.recipes.load import describe_recipes, load_recipe
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.spelling.batches import load_phrases, phrase_loader
from signary.training.spelling.losses import ctc_loss, ended_letters, speller_loss
from signary.training.spelling.read import read_phrases
from signary.training.spelling.rounds import fold_scores, phrase_scores
from signary.training.spelling.rows import PhraseRows
from signary.training.spelling.task import SpellingTask, by_length
from signary.training.spelling.train import fit_members, hold_out
from signary.training.train import read_metrics, train

RECIPE = """
name: tiny
network: {network}
features: {{points: [left_hand, right_hand], coordinates: 2}}
width: 16
depth: 1
heads: 2
kernel: 7
layers: 1
hidden: 32
epochs: 2
batch: 12
learning_rate: 0.003
measure_every: 2
precision: "32"
"""
NETWORKS = ("speller-small", "speller", "speller-ctc")
OVERFIT: dict[str, Any] = {"width": 48, "epochs": 220, "batch": 8, "learning_rate": 5e-3, "weight_decay": 0.0}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write clips of phrases by eight signers, some of them supplemental, and recipes."""
    folder = tmp_path_factory.mktemp("made")
    make_fingerspelling(folder / "raw", files=1, sequences=24, supplemental=1, frames_a_letter=2)
    prepare("fingerspelling", folder / "raw", folder / "store", choose_points("hands"), Options(fps=30.0))
    for network in NETWORKS:
        (folder / f"{network}.yaml").write_text(RECIPE.format(network=network))
    return folder


def recipe(made: Path, network: str = "speller", **more: Any) -> SpellingRecipe:
    loaded = load_recipe(made / f"{network}.yaml")
    assert isinstance(loaded, SpellingRecipe)
    return loaded.model_copy(update=more)


def spelled(texts: list[str], scores: list[float] | None = None) -> SpelledBatch:
    letters, counts = CharacterVocabulary().encode_many(texts)
    clips = torch.randn(len(texts), 60, 42, 2, generator=torch.Generator().manual_seed(0))
    known = torch.tensor(scores or [np.nan] * len(texts))
    lengths = torch.arange(60, 60 - len(texts), -1)
    return SpelledBatch(clips, lengths, torch.from_numpy(letters), torch.from_numpy(counts), known)


def test_recipes_have_the_published_sizes() -> None:
    told = {row["name"]: row for row in describe_recipes() if row["task"] == "spelling"}
    sizes = {"spelling-small": 2_515_040, "spelling": 9_736_305, "spelling-ctc": 1_388_764, "spelling-hands": 1_270_073}
    assert {name: row["parameters"] for name, row in told.items()} == sizes
    assert {name: trainable_parameters(load_recipe(name)) for name in told} == sizes
    assert {row["classes"] for row in told.values()} == {63}


def test_recipes_have_the_published_settings() -> None:
    small, final = load_recipe("spelling-small"), load_recipe("spelling")
    assert isinstance(small, SpellingRecipe)
    assert isinstance(final, SpellingRecipe)
    assert small.augment == SMALL_AUGMENT
    assert final.augment == SpellingStrengths()
    assert (small.epochs, small.weight_decay, small.data.shortest, small.warm_up) == (300, 0.05, 15, 30)
    assert (final.epochs, final.weight_decay, final.data.shortest, final.warm_up) == (400, 0.08, 1, 40)
    assert (final.members, final.batch, final.learning_rate, final.clip_norm) == (2, 512, 0.0045, 4)
    assert (final.losses.forward, final.losses.backward, final.losses.confidence) == (0.6, 0.4, 0.02)


def test_targets_end_behind_each_text() -> None:
    batch, characters = spelled(["cab", "a"]), CharacterVocabulary()
    c, a, b = characters.encode("cab").tolist()
    end, pad = characters.end, characters.pad
    assert ended_letters(batch, characters).tolist() == [[c, a, b, end], [a, end, pad, pad]]
    assert ended_letters(batch, characters, 6).tolist()[1] == [a, end, pad, pad, pad, pad]


def test_the_loss_weighs_both_decoders_and_the_confidence(made: Path) -> None:
    plan = recipe(made)
    torch.manual_seed(0)
    network = spelling_network(plan).eval()
    batch = spelled(["cab", "a"], [0.25, np.nan])
    encoded = network.encode_normal(batch.clips, batch.lengths)

    @torch.no_grad()
    def loss(scores: torch.Tensor = batch.scores, **losses: Any) -> float:
        mine = plan.model_copy(update={"losses": plan.losses.model_copy(update=losses)})
        return float(speller_loss(network, encoded, batch._replace(scores=scores), mine))

    unknown = torch.full((2,), torch.nan)
    forward = loss(unknown, forward=1.0, backward=0.0)
    backward = loss(unknown, forward=1.0, backward=1.0) - forward
    assert loss(unknown) == pytest.approx(0.6 * forward + 0.4 * backward, abs=1e-5)
    sure = functional.binary_cross_entropy_with_logits(network.trust(encoded[0])[0], torch.tensor(0.25))
    assert loss() == pytest.approx(0.98 * (0.6 * forward + 0.4 * backward) + 0.02 * float(sure.detach()), abs=1e-5)
    assert loss(unknown, padding=True) != pytest.approx(loss(unknown), abs=1e-3)


def test_padding_does_not_change_the_loss(made: Path) -> None:
    plan, batch = recipe(made, "speller-ctc"), spelled(["cab", "a"])
    torch.manual_seed(0)
    network = spelling_network(plan).eval()
    more = batch._replace(
        clips=functional.pad(batch.clips, (0, 0, 0, 0, 0, 9)), letters=functional.pad(batch.letters, (0, 3), value=59)
    )
    losses = []
    for each in (batch, more):
        memory, valid = network.encode_normal(each.clips, each.lengths)
        losses.append(float(ctc_loss(network.score(memory), valid, each).detach()))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_parts_of_a_batch_have_no_needless_padding() -> None:
    batch = spelled(["cab", "a", "phrase", "no"])
    parts = list(by_length(batch, 2))
    assert [part.lengths.tolist() for part in parts] == [[57, 58], [59, 60]]
    assert [part.clips.shape[1] for part in parts] == [58, 60]
    assert [part.letters.shape[1] for part in parts] == [6, 3]
    assert torch.equal(parts[1].clips[1, :60], batch.clips[0])


def test_epochs_have_one_clip_of_each_supplemental_phrase(made: Path) -> None:
    plan = recipe(made)
    phrases, skipped = load_phrases(plan, made / "store")
    assert skipped == []
    rows = PhraseRows(phrases, plan)
    extra = phrases.split == SUPPLEMENTAL
    epochs = []
    for epoch in (0, 1):
        rows.set_epoch(epoch)
        batches = list(rows)
        assert all(batch.shape[0] == 2 for batch in batches)
        drawn, partners = np.concatenate(batches, axis=1)
        assert len(drawn) == rows.count == int((~extra).sum()) + len(np.unique(phrases.clips.label[extra]))
        assert set(np.flatnonzero(~extra)) <= set(drawn.tolist())
        joined = partners >= 0
        assert 0 < joined.sum() < len(drawn)
        assert (phrases.clips.signer[drawn[joined]] == phrases.clips.signer[partners[joined]]).all()
        epochs.append(drawn.tolist())
    assert epochs[0] != epochs[1]
    batch, place, _ = next(iter(phrase_loader(phrases, choose_points("hands"), rows)))
    assert len(batch.clips) == int(place.max()) + 1


def test_no_signer_is_in_two_folds(made: Path) -> None:
    plan = recipe(made)
    phrases, _ = load_phrases(plan, made / "store")
    folds = np.stack([hold_out(plan, phrases, fold) for fold in range(4)])
    assert (folds.sum(0) == 1).all()
    for fold in folds:
        assert not set(phrases.clips.signer[fold]) & set(phrases.clips.signer[~fold])
    assert not hold_out(plan, phrases, -1).any()
    with pytest.raises(InputError, match="fold=4: of 4"):
        hold_out(plan, phrases, 4)


def test_scores_of_phrases_are_shares() -> None:
    assert phrase_scores(["abcd", "ab", "a"], ["abxd", "", "aaaa"]).tolist() == [0.75, 0.0, 0.0]


def test_what_cannot_be_learned_is_named_and_counted(made: Path, tmp_path: Path) -> None:
    points = np.random.default_rng(0).random((9, 543, 3)).astype(np.float32)
    draft = StoreDraft(tmp_path / "store", choose_points("hands"))
    draft.begin()
    clips = [
        ("good", points, "abc"),
        ("grand", points, "café"),
        ("long", points, 33 * "a"),
    ]
    clips += [("blind", np.full_like(points, np.nan), "abc"), ("space", points, "a b"), ("hyphen", points, "a-b")]
    draft.add("all", (Clip(f"{name}", clip, text, name, sha256=64 * name[0]) for name, clip, text in clips))
    draft.finish()
    plan = recipe(made, batch=4, members=1, epochs=1)
    phrases, skipped = load_phrases(plan, tmp_path / "store")
    assert phrases.name.tolist() == ["good", "blind", "space", "hyphen"]
    assert phrases.clips.label.tolist() == ["abc", "abc", "a b", "a-b"]
    assert skipped == [
        "1 clip with characters that are not known ('é'): grand",
        "1 clip with phrases of more than 32 characters: long",
    ]
    network = fit_members(plan, phrases)
    assert all(torch.isfinite(parameter).all() for parameter in network[0].parameters())
    assert len(read_phrases(network, phrases, plan)) == 4
    with pytest.raises(InputError, match="no clip to learn from"):
        load_phrases(plan.model_copy(update={"vocabulary": ["z"]}), tmp_path / "store")


def test_recipes_of_other_tasks_have_one_round(made: Path) -> None:
    with pytest.raises(ConfigError, match="signs-conv reads signs"):
        train("signs-conv", data=made / "store", output=made / "other", oof=[made])


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(
    made: Path, monkeypatch: pytest.MonkeyPatch, last_weights: Any
) -> None:
    loss, count = SpellingTask.loss, []

    def broken(self: SpellingTask, batch: SpelledBatch) -> torch.Tensor:
        count.append(1)
        return loss(self, batch) * (torch.nan if len(count) == 4 else 1)

    monkeypatch.setattr(SpellingTask, "loss", broken)
    with pytest.raises(InputError, match=r"loss=nan in epoch 1, batch \d, of clips \d+/\d+") as error:
        train(made / "speller.yaml", data=made / "store", output=made / "broken", overrides={"epochs": "3"})
    assert "--resume" in error.value.hint
    kept = last_weights(made / "broken", "member-0")
    assert all(bool(torch.isfinite(value).all()) for value in kept.values())


@pytest.mark.slow
def test_a_resumed_run_equals_an_uninterrupted_one(made: Path, stopping: Any, last_weights: Any) -> None:
    how: dict[str, Any] = {"data": made / "store", "overrides": {"epochs": "3"}}
    train(made / "speller-ctc.yaml", output=made / "whole", **how)
    with stopping(SpellingTask, 4):  # of two steps in each epoch
        train(made / "speller-ctc.yaml", output=made / "parts", **how)
    train(made / "speller-ctc.yaml", output=made / "parts", resume=True, data=made / "store")
    whole, parts = (last_weights(made / name, "member-0") for name in ("whole", "parts"))
    assert all(torch.equal(value, parts[name]) for name, value in whole.items())


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_each_network_learns_phrases_by_heart(made: Path, network: str) -> None:
    plan = recipe(made, network, **OVERFIT, augment=SpellingStrengths.only(), dropout=0.0, warm_up=10)
    plan = plan.model_copy(update={"data": plan.data.model_copy(update={"supplemental": False})})
    phrases, _ = load_phrases(plan, made / "store")
    phrases = phrases.select(np.flatnonzero(phrases.split != SUPPLEMENTAL)[:8])
    assert read_phrases(fit_members(plan, phrases), phrases, plan) == phrases.clips.label.tolist()


@pytest.mark.slow
def test_two_rounds_end_in_two_networks_that_read_together(made: Path) -> None:
    runs = [made / f"fold-{fold}" for fold in range(4)]
    for fold, run in enumerate(runs):
        train(made / "speller-small.yaml", data=made / "store", output=run, fold=fold, overrides={"epochs": "1"})
    plan = recipe(made)
    phrases, _ = load_phrases(plan, made / "store")
    extra = phrases.split == SUPPLEMENTAL
    rows = [pq.read_table(run / "predictions.parquet").to_pylist() for run in runs]
    assert sorted(row["key"] for part in rows for row in part) == sorted(phrases.clips.key[~extra].tolist())
    assert [row["score"] for row in rows[0]] == phrase_scores(
        [row["phrase"] for row in rows[0]], [row["read"] for row in rows[0]]
    ).tolist()
    assert read_metrics(runs[0])["validation"]["n"] == len(rows[0])
    scores = fold_scores(runs, phrases)
    assert set(scores[extra]) == {0.5}
    assert scores[~extra].min() >= 0
    assert scores[~extra].max() <= 1

    with pytest.raises(InputError, match="fold 2 of 4 is missing"):
        train(made / "speller.yaml", data=made / "store", output=made / "final", oof=[*runs[:2], runs[3]])
    train(made / "speller.yaml", data=made / "store", output=made / "final", oof=runs, overrides={"members": "2"})
    assert sorted(path.name for path in (made / "final" / "checkpoints").iterdir()) == ["member-0", "member-1"]
    bundle = load_bundle(made / "final")
    assert bundle.manifest.graphs == {"encoder": "encoder.onnx", "step": "step.onnx"}
    assert "".join(bundle.manifest.vocabulary) == CharacterVocabulary().characters
    assert bundle.trained_on(phrases.clips.key.tolist()) == set(phrases.clips.key.tolist())
    assert json.loads((made / "final" / "state.json").read_text())["fold"] == -1

    found = evaluate(load(made / "final", threads=1), made / "store").summary
    assert (found["n"], found["trained_on"]) == (len(phrases), len(phrases))
    assert found["metrics"]["score"] == pytest.approx(1 - found["metrics"]["cer"])
    assert {"kind", "signer"} < set(found["by"])
