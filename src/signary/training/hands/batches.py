"""Hands to train on, and batches drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from signary.datasets.hands import HandSamples, join_samples
from signary.datasets.readers.hand_arrays import read_hand_arrays
from signary.datasets.readers.photos import find_photos, read_photo_folder
from signary.digest import sha256_file
from signary.training.recipes.hands import HandRecipe
from signary.training.recipes.recipe import Source


def load_samples(recipe: HandRecipe, data: Path, *, cache: Path | None = None) -> HandSamples:
    """Read the sources of a recipe, and keep the labels of its vocabulary.

    Parameters
    ----------
    recipe : HandRecipe
    data : Path
        As in `signary.training.train.train`.
    cache : Path, optional
        For landmarks of photos.

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


def _load_source(source: Source, recipe: HandRecipe, data: Path, cache: Path | None, *, alone: bool) -> HandSamples:
    path = source.find(data, alone=alone)
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


class DrawnBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches of hands float32 (B, 21, 3) and labels int64 (B,), drawn by weight.

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

    Together the hands of one label in one source weigh the square root of their number, times the source's weight.
    This is divided by the 0.7th power of the label's sum, and multiplied by its factor in ``recipe.rare``.
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
