"""From a recipe and data to a run folder with a bundle in it."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
import yaml
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from numpy.typing import NDArray

from signary.datasets.readers.hand_arrays import read_hand_arrays
from signary.datasets.readers.photos import find_photos, read_photo_folder
from signary.datasets.samples import HandSamples, join_samples
from signary.datasets.split import group_folds
from signary.errors import ConfigError, InputError
from signary.export.bundle import sha256_file
from signary.models.handshape import HandshapeReader
from signary.output import check_free
from signary.text.calibrate import expected_calibration_error, fit_temperature, reliability, softmax
from signary.text.vocabulary import Vocabulary
from signary.training.pack import pack_bundle
from signary.training.recipe import Recipe, Source, load_recipe
from signary.training.tasks import HandshapeTask, drawn_loader, label_indices

CHECKPOINT_STEPS = 100


def train(
    recipe: str | Path,
    *,
    data: Path,
    output: Path,
    overrides: Mapping[str, Any] | None = None,
    fold: int = 0,
    resume: bool = False,
    force: bool = False,
) -> Path:
    """Train a recipe.

    One run learns from all but a held-out share of the groups and fits the temperature there; a second learns from
    everything and is what the bundle holds.

    Parameters
    ----------
    recipe : str or Path
    data : Path
        Folder in which the recipe's sources lie, or the folder of its only source.
    output : Path
        Run folder: ``config.yaml``, ``metrics.json``, ``checkpoints/``, ``logs/``, ``bundle/``.
    overrides : mapping, optional
        Dotted fields of the recipe.
    fold : int
        Which share of the groups is held out to validate, from 0.
    resume : bool
        Go on with a run that was stopped.
    force : bool
        Start over in a folder that exists.

    Returns
    -------
    Path
        The bundle.

    Raises
    ------
    ModelNotFound, ConfigError, InputError
    """
    plan = load_recipe(recipe, overrides)
    folds = max(2, round(1 / plan.validation))
    if not 0 <= fold < folds:
        raise ConfigError(f"fold={fold}, must be 0 to {folds - 1}", hint="1 / validation says how many there are")
    output.parent.mkdir(parents=True, exist_ok=True)
    check_free(output, force=force or resume)
    samples = load_samples(plan, data, cache=output.parent / "cache")
    output.mkdir(parents=True, exist_ok=True)
    (output / "config.yaml").write_text(yaml.safe_dump(plan.model_dump(), sort_keys=False), encoding="utf-8")
    held_out = group_folds(samples.group, folds, seed=plan.seed) == fold
    found = samples.found
    trial = fit_hands(plan, samples.select(found & ~held_out), run=output, stage="validation", resume=resume)
    metrics, temperature = _validate(trial, plan, samples.select(held_out))
    network = fit_hands(plan, samples.select(found), run=output, stage="final", resume=resume)
    record = {"train": {"n": int(found.sum())}, "validation": metrics, "test": {}}
    (output / "metrics.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return pack_bundle(output / "bundle", network, plan, samples, temperature=temperature, validation=metrics)


def load_samples(recipe: Recipe, data: Path, *, cache: Path | None = None) -> HandSamples:
    """Read the sources of a recipe and keep what its vocabulary names.

    Parameters
    ----------
    recipe : Recipe
    data : Path
        Folder in which the sources lie; a recipe with one source takes that source's own folder too.
    cache : Path, optional
        Where landmarks of photos are kept.

    Raises
    ------
    InputError
        If a source that is not optional is missing.
    """
    alone = sum(not source.optional for source in recipe.sources) == 1
    sources = [source for source in recipe.sources if not source.optional or (data / source.path).exists()]
    return join_samples(
        [_load_source(source, recipe, data, cache, alone=alone and not source.optional) for source in sources]
    )


def fit_hands(
    recipe: Recipe, samples: HandSamples, *, run: Path | None = None, stage: str = "final", resume: bool = False
) -> HandshapeReader:
    """Train the handshape network of a recipe on found hands.

    Parameters
    ----------
    recipe : Recipe
    samples : HandSamples
    run : Path, optional
        Run folder for checkpoints and logs; nothing is kept without it.
    stage : str
        Name of the checkpoint folder below ``run``.
    resume : bool
        Go on from the stage's last checkpoint, if it has one.

    Returns
    -------
    HandshapeReader
        In evaluation mode.
    """
    lightning.seed_everything(recipe.seed, verbose=False)
    task = HandshapeTask(recipe)
    last = run / "checkpoints" / stage / "last.ckpt" if run else None
    start = str(last) if resume and last is not None and last.exists() else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = _trainer(recipe, run, stage)
        trainer.fit(task, drawn_loader(samples, recipe), ckpt_path=start)
    return task.network.eval()


def predict(network: HandshapeReader, samples: HandSamples) -> tuple[NDArray[np.float32], HandSamples]:
    """Read photos as `signary.recognition.recognizer.Recognizer` does: the mean over the looks at each.

    Parameters
    ----------
    network : HandshapeReader
    samples : HandSamples

    Returns
    -------
    log_probabilities : float32 (N, V)
        One row a photo; zeros where no hand was found.
    photos : HandSamples
        One sample a photo, in the same order.
    """
    _, first, photo = np.unique(samples.photo, return_index=True, return_inverse=True)
    with torch.no_grad():
        said = network.either_way(torch.from_numpy(np.nan_to_num(samples.right_hands()))).exp().numpy()
    said = said * samples.found[:, None]
    mean = np.zeros((len(first), said.shape[1]), np.float32)
    np.add.at(mean, photo, said)
    looks = np.bincount(photo, weights=samples.found)
    log = np.log(np.maximum(mean / np.maximum(looks, 1)[:, None], 1e-9))
    return np.where(looks[:, None] > 0, log, 0).astype(np.float32), samples.select(first)


def _load_source(source: Source, recipe: Recipe, data: Path, cache: Path | None, *, alone: bool) -> HandSamples:
    path = data / source.path
    if not path.exists() and alone and data.is_dir():
        path = data
    if not path.exists():
        raise InputError(f"{path}: no such file or folder", hint=f"--data names the folder that holds {source.path}")
    if source.reader == "hand-arrays":
        samples = read_hand_arrays(path, name=source.name)
    else:
        samples = read_photo_folder(path, name=source.name, cache=cache)
    if source.pictures and (data / source.pictures).is_dir():
        pictures = [sha256_file(photo) for photo in find_photos(data / source.pictures)]
        samples = replace(samples, files={source.name: [*samples.files[source.name], *pictures]})
    people = source.people or source.name
    groups = np.array([f"{people}/{group.split('/', 1)[1]}" for group in samples.group])
    return replace(samples, group=groups).relabel(source.labels or _known_labels(samples, recipe))


def _known_labels(samples: HandSamples, recipe: Recipe) -> dict[str, str]:
    vocabulary = Vocabulary(tuple(recipe.vocabulary), tuple(recipe.silent), recipe.aliases)
    places = {str(label): vocabulary.index(str(label)) for label in np.unique(samples.label)}
    return {label: recipe.vocabulary[place] for label, place in places.items() if place is not None}


def _validate(network: HandshapeReader, recipe: Recipe, samples: HandSamples) -> tuple[dict[str, Any], float]:
    logits, photos = predict(network, samples)
    labels, found = label_indices(photos, recipe), photos.found
    temperature = fit_temperature(logits[found], labels[found])
    probabilities = softmax(logits, temperature)
    right = (logits.argmax(1) == labels) & found
    sure = probabilities[found].max(1)
    error = expected_calibration_error(sure, right[found])
    rows = reliability(sure, right[found]).rows()
    metrics = {"n": len(photos), "accuracy": float(right.mean()), "ece": float(error), "reliability": rows}
    return metrics, temperature


def _trainer(recipe: Recipe, run: Path | None, stage: str) -> lightning.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    callbacks: list[Any] = []
    loggers: list[Any] = []
    if run is not None:
        folder = run / "checkpoints" / stage
        callbacks = [
            ModelCheckpoint(folder, save_last=True, save_top_k=0, every_n_train_steps=CHECKPOINT_STEPS),
            TQDMProgressBar(refresh_rate=20),
        ]
        loggers = [CSVLogger(run / "logs", name="csv", version=stage), TensorBoardLogger(run / "logs", stage)]
    return lightning.Trainer(
        accelerator="auto",
        max_steps=recipe.steps,
        max_epochs=-1,
        callbacks=callbacks,
        logger=loggers,
        enable_checkpointing=run is not None,
        enable_progress_bar=run is not None,
        enable_model_summary=False,
        log_every_n_steps=20,
    )
