"""Hand recipes: landmarks of hands to a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from signary.datasets.augment.hands import HandAugment
from signary.datasets.hands import HandSamples, join_samples
from signary.datasets.readers.hand_arrays import read_hand_arrays
from signary.datasets.readers.photos import find_photos, read_photo_folder
from signary.datasets.split import group_folds
from signary.digest import sha256_file
from signary.errors import ConfigError, InputError
from signary.export.onnx import export_landmark_graph
from signary.models.handshape import HandshapeReader
from signary.training.learn import fit_task
from signary.training.networks import hand_network
from signary.training.pack import Learned, pack_bundle
from signary.training.recipes.hands import HandRecipe
from signary.training.recipes.recipe import Source
from signary.training.run import Run
from signary.training.scores import calibrated


def train_hands(recipe: HandRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a hand recipe.

    One pass learns from all but a held-out share of the groups and fits the temperature there; a second learns from
    everything and is what the bundle holds.

    Parameters
    ----------
    recipe : HandRecipe
    data : Path
        See `load_samples`.
    run : Run
    fold : int
        Which share of the groups is held out to validate, from 0.

    Returns
    -------
    Path
        The bundle.
    """
    folds = max(2, round(1 / recipe.validation))
    if not 0 <= fold < folds:
        raise ConfigError(f"fold={fold}, must be 0 to {folds - 1}", hint="1 / validation says how many there are")
    samples = load_samples(recipe, data, cache=run.cache)
    found = samples.found
    recipe = _within_epochs(recipe, int(found.sum()))
    held_out = group_folds(samples.group, folds, seed=recipe.seed) == fold
    run.start(recipe, fold=fold, learned=samples.photo[~held_out])
    trial = fit_hands(recipe, samples.select(found & ~held_out), run=run, stage="validation")
    temperature, metrics = _validate(trial, recipe, samples.select(held_out))
    network = fit_hands(recipe, samples.select(found), run=run)
    run.write_metrics(train={"n": int(found.sum())}, validation=metrics)
    learned = Learned(
        temperature=temperature,
        fitted_on="held-out groups of the recipe's sources",
        validation=metrics,
        split=f"{recipe.validation:.0%} of the groups held out, before the last run learns from them too",
        files=samples.files,
        sources=recipe.sources,
    )
    return pack_bundle(run.bundle, network, recipe, learned, export_landmark_graph)


def _within_epochs(recipe: HandRecipe, hands: int) -> HandRecipe:
    if recipe.epochs is None:
        return recipe
    return recipe.model_copy(update={"steps": min(recipe.steps, max(1, ceil(recipe.epochs * hands / recipe.batch)))})


def load_samples(recipe: HandRecipe, data: Path, *, cache: Path | None = None) -> HandSamples:
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
    recipe: HandRecipe, samples: HandSamples, *, run: Run | None = None, stage: str = "final"
) -> HandshapeReader:
    """Train the handshape network of a recipe on found hands.

    Parameters
    ----------
    recipe : HandRecipe
    samples : HandSamples
    run : Run, optional
        For checkpoints and logs; nothing is kept without it.
    stage : str
        Name of the checkpoints and logs in the run.

    Returns
    -------
    HandshapeReader
        In evaluation mode.
    """
    lightning.seed_everything(recipe.seed, verbose=False)
    task = HandshapeTask(recipe)
    fit_task(task, drawn_loader(samples, recipe), run=run, stage=stage, steps=recipe.steps)
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


def _load_source(source: Source, recipe: HandRecipe, data: Path, cache: Path | None, *, alone: bool) -> HandSamples:
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


def _known_labels(samples: HandSamples, recipe: HandRecipe) -> dict[str, str]:
    labels = np.unique(samples.label)
    places = recipe.words.places(labels)
    return {str(label): recipe.vocabulary[place] for label, place in zip(labels, places, strict=True) if place >= 0}


def _validate(network: HandshapeReader, recipe: HandRecipe, samples: HandSamples) -> tuple[float, dict[str, Any]]:
    logits, photos = predict(network, samples)
    return calibrated(logits, recipe.words.places(photos.label), photos.found)


class DrawnBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches drawn at random by weight.

    Parameters
    ----------
    samples : HandSamples
        Found hands with labels of the vocabulary.
    recipe : HandRecipe
    """

    def __init__(self, samples: HandSamples, recipe: HandRecipe) -> None:
        self.hands = torch.from_numpy(samples.right_hands())
        self.labels = torch.from_numpy(recipe.words.places(samples.label))
        self.ladder = np.cumsum(draw_weights(samples, recipe))
        self.batch, self.seed, self.epoch = recipe.batch, recipe.seed, 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        random = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        while True:
            rows = np.searchsorted(self.ladder, random.random(self.batch) * self.ladder[-1])
            yield self.hands[rows], self.labels[rows]


def drawn_loader(samples: HandSamples, recipe: HandRecipe) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return an endless loader of whole batches."""
    return DataLoader(DrawnBatches(samples, recipe), batch_size=None)


def draw_weights(samples: HandSamples, recipe: HandRecipe) -> NDArray[np.float64]:
    """Weigh samples so that large sources and labels count for less than their size, float64 (N,).

    The hands of one label in one source share the square root of their number, times the source's weight; labels are
    then evened out by the power 0.7 of what they hold, times their factor in ``recipe.rare``.
    """
    labels = recipe.words.places(samples.label)
    factor = {source.name: source.weight for source in recipe.sources}
    _, cell, size = np.unique(
        np.stack([np.unique(samples.source, return_inverse=True)[1], labels]),
        axis=1,
        return_inverse=True,
        return_counts=True,
    )
    weight = size[cell.ravel()] ** -0.5 * np.array([factor.get(source, 1.0) for source in samples.source])
    held = np.bincount(labels, weights=weight, minlength=len(recipe.vocabulary))
    rare = np.array([recipe.rare.get(label, 1.0) for label in recipe.vocabulary])
    return np.asarray(weight * held[labels] ** -0.7 * rare[labels])


class HandshapeTask(lightning.LightningModule):
    """Learn handshapes: cross-entropy of every member on augmented hands.

    Parameters
    ----------
    recipe : HandRecipe
    """

    def __init__(self, recipe: HandRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = hand_network(recipe)
        self.augment = HandAugment(recipe.augment)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the mean loss of the members for hands (B, 21, 3) and labels (B,)."""
        hands, labels = batch
        logits = self.network.member_logits(self.augment(hands))
        loss = functional.cross_entropy(
            logits.flatten(0, 1), labels.repeat(len(logits)), label_smoothing=self.recipe.label_smoothing
        )
        self.log("loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return AdamW with one cycle of the learning rate."""
        recipe = self.recipe
        optimizer = torch.optim.AdamW(self.parameters(), weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.2
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
