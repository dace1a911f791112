"""Batches to learn from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler

from signary.datasets.pictures import Pictures
from signary.datasets.samples import HandSamples
from signary.training.schema import HandRecipe


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
        self.labels = torch.from_numpy(label_indices(samples, recipe))
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


def label_indices(samples: HandSamples, recipe: HandRecipe) -> NDArray[np.int64]:
    """Return the place of each label in the vocabulary, int64 (N,)."""
    place = {label: index for index, label in enumerate(recipe.vocabulary)}
    return np.array([place[label] for label in samples.label], np.int64)


def draw_weights(samples: HandSamples, recipe: HandRecipe) -> NDArray[np.float64]:
    """Weigh samples so that large sources and labels count for less than their size, float64 (N,).

    The hands of one label in one source share the square root of their number, times the source's weight; labels are
    then evened out by the power 0.7 of what they hold, times their factor in ``recipe.rare``.
    """
    labels = label_indices(samples, recipe)
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


class PictureBatches(Dataset[tuple[Tensor, Tensor]]):
    """Pictures uint8 (B, S, S, 3) with the places of their labels int64 (B,), asked for by a batch of rows.

    Parameters
    ----------
    pictures : Pictures
    labels : list of str
        Vocabulary.
    """

    def __init__(self, pictures: Pictures, labels: list[str]) -> None:
        self.pictures = pictures
        place = {label: index for index, label in enumerate(labels)}
        self.labels = np.array([place[label] for label in pictures.label], np.int64)

    def __getitem__(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.pictures.load(rows)), torch.from_numpy(self.labels[rows])


class ShuffledRows(Sampler[NDArray[np.int64]]):
    """Batches of rows, in another order each epoch that its number and the seed alone decide.

    Parameters
    ----------
    count, batch : int
    seed : int, optional
        None keeps the rows as they are.
    """

    def __init__(self, count: int, batch: int, seed: int | None = None) -> None:
        self.count, self.batch, self.seed, self.epoch = count, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Take the order of an epoch; Lightning says which."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.count // self.batch)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        # a generator, since Lightning asks for the first epoch's iterator before it says which epoch that is
        rows = np.arange(self.count)
        if self.seed is not None:
            rows = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        yield from np.array_split(rows, range(self.batch, self.count, self.batch))


def picture_loader(
    pictures: Pictures, labels: list[str], batch: int, *, seed: int | None = None
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return a loader over pictures, shuffled if there is a seed."""
    rows = ShuffledRows(len(pictures), batch, seed)
    # a chance of its own: the loader draws from it at a time that differs in a resumed run
    chance = torch.Generator().manual_seed(0)
    return DataLoader(PictureBatches(pictures, labels), batch_size=None, sampler=rows, generator=chance)
