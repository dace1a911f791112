"""Picture recipes: from photos to a bundle that reads them; stopped and resumed; with a full disk."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("lightning")

import lightning
import torch

from signary.errors import ConfigError, InputError
from signary.recognition.load import load
from signary.training.estimators import estimator_reader, flat_rows, make_estimator
from signary.training.pictures.batches import load_pictures, split_parts
from signary.training.pictures.train import PictureTask, predict_pictures
from signary.training.recipes.load import load_recipe
from signary.training.task import cosine_factor, moved
from signary.training.train import read_metrics, train

RECIPE = """
name: tiny
task: letters
network: compact
vocabulary: [A, B, Nothing]
silent: [Nothing]
sources:
  - {name: made, path: photos, reader: pictures, licence: none}
data: {side: 16, split: blocks, validation: 0.25, test: 0.25}
widths: [8, 12]
depths: [0, 1]
dropout: 0.1
epochs: 4
batch: 8
optimizer: adamw
learning_rate: 0.01
precision: "32"
average: 0.8
augment: {flip: 0.5, light: 0.1}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write bright photos of A, dark ones of B, and striped ones of Nothing."""
    folder = tmp_path_factory.mktemp("made")
    random = np.random.default_rng(0)
    for label, low, high in (("A", 150, 250), ("B", 0, 100), ("Nothing", 0, 255)):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(24):
            image = random.integers(low, high, (20, 20, 3), dtype=np.uint8)
            image[::2] = 255 - image[::2] if label == "Nothing" else image[::2]
            Image.fromarray(image).save(folder / "photos" / label / f"{number}.png")
    (folder / "tiny.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def run(made: Path) -> Path:
    """Train without interruption."""
    train(made / "tiny.yaml", data=made, output=made / "run", overrides={"label_smoothing": "0.01"})
    return made / "run"


@pytest.mark.slow
def test_a_run_reads_photos(made: Path, run: Path) -> None:
    metrics = read_metrics(run)
    assert metrics["test"]["n"] == 18
    assert metrics["test"]["accuracy"] > 0.9
    assert (run / "checkpoints/final/best.ckpt").exists()
    assert list((run / "logs").rglob("metrics.csv"))
    reader = load(run)
    assert reader.recognize(made / "photos/A/3.png").text == "A"
    assert reader.recognize(made / "photos/Nothing/3.png").text == ""
    ranking = reader.rank(made / "photos/B/3.png", mirrored=True)
    assert ranking[0][0] == "B"
    assert sum(share for _, share in ranking) == pytest.approx(1, abs=1e-5)
    (best, share), *_ = reader.rank(np.full((12, 40, 30, 3), 220, np.uint8), fps=10)
    assert (best, 0.5 < share <= 1) == ("A", True)
    clip = reader.recognize(np.full((12, 40, 30, 3), 220, np.uint8), fps=10)
    assert (clip.text, clip.frames, round(clip.fps)) == ("A", 12, 10)
    assert reader.bundle.manifest.parameters == sum(w.numel() for w in _network(run).parameters())


def _network(run: Path) -> torch.nn.Module:
    from signary.training.networks import picture_network

    recipe = load_recipe(run / "config.yaml")
    return picture_network(recipe, 3)


@pytest.mark.slow
def test_what_a_picture_model_does_not_read(made: Path, run: Path, tmp_path: Path) -> None:
    reader = load(run)
    for use in (
        lambda: reader.landmarks(made / "photos/A/3.png"),
        lambda: reader.recognize(tmp_path / "hand.parquet"),
        lambda: reader.stream(0),
        lambda: reader.recognize(made / "photos/A/3.png", hand="left"),
    ):
        with pytest.raises(ConfigError, match="tiny reads"):
            use()


@pytest.mark.slow
def test_a_resumed_run_equals_an_uninterrupted_one(
    made: Path, run: Path, tmp_path: Path, stopping: Any, last_weights: Any
) -> None:
    part = tmp_path / "part"
    with stopping(PictureTask, 12):  # of five steps in each epoch
        train(made / "tiny.yaml", data=made, output=part, overrides={"label_smoothing": "0.01"})
    with pytest.raises(ConfigError, match="a run of tiny, not of digits-cnn"):
        train("digits-cnn", data=made, output=part, resume=True)
    bundle = train(made / "tiny.yaml", data=made, output=part, resume=True)
    assert bundle.is_dir()
    before, after = last_weights(run, "final"), last_weights(part, "final")
    assert before.keys() == after.keys()
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=1e-6, rtol=1e-5)
    assert read_metrics(part) == read_metrics(run)
    logs = [(folder / "logs/csv/final/metrics.csv").read_text().splitlines() for folder in (run, part)]
    assert [row.split(",")[:2] for row in logs[0]] == [row.split(",")[:2] for row in logs[1]]


@pytest.mark.slow
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("failed writing")])
def test_a_full_disk_leaves_the_old_checkpoint(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    save, calls = lightning.Trainer.save_checkpoint, []

    def full(self: lightning.Trainer, path: Path, *rest: Any) -> None:
        calls.append(path)
        if len(calls) > 2:
            Path(path).write_bytes(b"half")
            raise error
        save(self, path, *rest)

    monkeypatch.setattr(lightning.Trainer, "save_checkpoint", full)
    with pytest.raises(InputError, match="the one before it is kept"):
        train(made / "tiny.yaml", data=made, output=tmp_path / "run")
    folder = tmp_path / "run/checkpoints/final"
    assert sorted(path.name for path in folder.iterdir()) == ["best.ckpt", "last.ckpt"]
    for path in folder.iterdir():
        assert torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.slow
def test_force_starts_over(made: Path, tmp_path: Path, last_weights: Any) -> None:
    train(made / "tiny.yaml", data=made, output=tmp_path / "run")
    before = last_weights(tmp_path / "run", "final")
    train(
        made / "tiny.yaml", data=made, output=tmp_path / "run", force=True, overrides={"widths": "[6, 6]", "steps": 2}
    )
    after = last_weights(tmp_path / "run", "final")
    assert after["network.network.stages.0.0.weight"].shape[0] == 6
    assert before["network.network.stages.0.0.weight"].shape[0] == 8
    logged = (tmp_path / "run/logs/csv/final/metrics.csv").read_text().splitlines()
    assert len(logged) == 3  # the head, validation and training of one short epoch


@pytest.mark.slow
def test_a_finished_run_stays_as_it_is(made: Path, tmp_path: Path, last_weights: Any) -> None:
    how = {"schedule": "cosine", "patience": "1", "learning_rate": "1e-9", "average": "0", "epochs": "6"}
    train(made / "tiny.yaml", data=made, output=tmp_path / "run", overrides=how)
    log = tmp_path / "run/logs/csv/final/metrics.csv"
    before, rows = last_weights(tmp_path / "run", "final"), log.read_text()
    train(made / "tiny.yaml", data=made, output=tmp_path / "run", resume=True)
    for name, value in last_weights(tmp_path / "run", "final").items():
        torch.testing.assert_close(value, before[name])
    assert log.read_text() == rows


@pytest.mark.slow
def test_more_epochs_after_a_cosine(made: Path, tmp_path: Path) -> None:
    train(made / "tiny.yaml", data=made, output=tmp_path / "run", overrides={"schedule": "cosine", "epochs": "1"})
    train(made / "tiny.yaml", data=made, output=tmp_path / "run", resume=True, overrides={"epochs": "2"})
    rows = (tmp_path / "run/logs/csv/final/metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "0", "0", "1", "1"]


@pytest.mark.slow
def test_a_run_is_not_resumed_with_other_data(made: Path, run: Path) -> None:
    with pytest.raises(InputError, match="started with fold=0 and other data or another split"):
        train(made / "tiny.yaml", data=made, output=run, resume=True, fold=1)
    with pytest.raises(InputError, match="other data or another split"):
        train(made / "tiny.yaml", data=made, output=run, resume=True, overrides={"data.split": "random"})


def test_the_average_follows_fast_at_first() -> None:
    average, start = torch.tensor(0.0), torch.tensor(1.0)
    for count in range(1, 60):
        average = moved(average, start, count, decay=0.999)
    assert average > 0.99
    assert moved(torch.tensor(0.0), start, 10**6, decay=0.999) == pytest.approx(0.001)


def test_the_rate_rises_and_falls() -> None:
    for steps in (1, 5, 20, 2000):
        factors = [cosine_factor(step, steps) for step in range(steps + 1)]
        assert 0 < factors[0] <= 1
        assert factors[-1] == pytest.approx(0, abs=1e-12)
        assert max(factors) > 0.9
    assert cosine_factor(99, 2000) > cosine_factor(9, 2000)


def test_only_runs_are_resumed(made: Path, tmp_path: Path) -> None:
    own = tmp_path / "photos" / "logs" / "diary.txt"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    for how in ({"resume": True}, {"force": True}):
        with pytest.raises(InputError, match="no run"):
            train(made / "tiny.yaml", data=made, output=tmp_path / "photos", **how)
    assert own.read_text() == "mine"


@pytest.mark.slow
def test_cross_validation_is_reported(made: Path, tmp_path: Path) -> None:
    how = {"cross_validation": "3", "epochs": "1", "data.classes": "A,B", "data.validation": "0"}
    train(made / "tiny.yaml", data=made, output=tmp_path / "run", overrides=how)
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert len(metrics["cross_validation"]["folds"]) == 3
    assert metrics["cross_validation"]["mean"] == pytest.approx(np.mean(metrics["cross_validation"]["folds"]))
    assert load(tmp_path / "run").vocabulary == ("A", "B")


@pytest.mark.parametrize("network", ["logreg-numpy", "logreg-sklearn", "mlp-numpy"])
@pytest.mark.parametrize("classes", ["A,B", "all"])
def test_estimators_say_the_same_as_their_bundles(made: Path, tmp_path: Path, network: str, classes: str) -> None:
    recipe = tmp_path / "estimator.yaml"
    lines = [line for line in RECIPE.splitlines() if line.split(":")[0] in ("name", "task", "vocabulary", "data")]
    source = "sources: [{name: made, path: photos, reader: pictures, licence: none}]"
    recipe.write_text("\n".join([*lines, source, f"network: {network}", "steps: 60"]))
    how = {"data.classes": classes, "data.grey": "true"}
    train(recipe, data=made, output=tmp_path / "run", overrides=how)
    plan = load_recipe(recipe, how)
    pictures = load_pictures(plan, made)
    parts = split_parts(plan, pictures)
    learn, test = pictures.select(parts.train), pictures.select(parts.test)
    places = [plan.labels.index(label) for label in learn.label]
    estimator = make_estimator(plan).fit(flat_rows(learn, grey=True), places)
    logits = predict_pictures(estimator_reader(estimator, plan), test)
    said = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    np.testing.assert_allclose(said, estimator.predict_proba(flat_rows(test, grey=True)), atol=1e-4)
    reader, photo = load(tmp_path / "run"), made / "photos/A/3.png"
    assert reader.rank(photo)[0][0] == "A"


def test_unknown_labels_are_reported(made: Path) -> None:
    recipe = load_recipe(made / "tiny.yaml", {"vocabulary": "[A, B]", "silent": "[]"})
    pictures = load_pictures(recipe, made)
    assert set(pictures.label) == {"A", "B"}
    assert list(pictures.skipped) == ["24 photos of 'Nothing': not in the vocabulary"]


def test_wrong_picture_recipes() -> None:
    with pytest.raises(ConfigError, match=r"data\.classes: 12 not in the vocabulary"):
        load_recipe("digits-cnn", {"data.classes": "1,12"})
    with pytest.raises(ConfigError, match="dexnet takes color pictures"):
        load_recipe("letters-cnn", {"data.side": "64"})
    with pytest.raises(ConfigError, match="leaves none to learn"):
        load_recipe("digits-cnn", {"data.test": "0.5", "data.validation": "0.5"})
    with pytest.raises(ConfigError, match="names one twice"):
        load_recipe("digits-cnn", {"data.classes": "1,1"})
    with pytest.raises(ConfigError, match=r"network='compakt': no such network"):
        load_recipe("digits-cnn", {"network": "compakt"})
    with pytest.raises(ConfigError, match="rows takes one width"):
        load_recipe("digits-rnn", {"hidden": "[]"})
    with pytest.raises(ConfigError, match="cross_validation=1"):
        load_recipe("digits-mlp", {"cross_validation": "1"})
    with pytest.raises(ConfigError, match=r"learning_rat: no such field, did you mean learning_rate\?"):
        load_recipe("digits-cnn", {"learning_rat": "1"})
    with pytest.raises(ConfigError, match=r"data\.sidde: no such field, did you mean side\?") as caught:
        load_recipe("digits-cnn", {"data.sidde": "1", "augment.flop": "1"})
    assert "augment.flop: no such field, did you mean flip?" in caught.value.message
