"""Batches to learn from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler

from signary.datasets.clips import Clips
from signary.datasets.hands import HandSamples
from signary.datasets.pictures import Pictures
from signary.training.schema import HandRecipe

POOL = 32


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


class ClipBatches(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Clips float32 (B, T, P, 3) with lengths and the places of their labels int64 (B,), by a batch of rows.

    Parameters
    ----------
    clips : Clips
    labels : int64 (N,)
    points : int64 (P,)
        Which of the 543.
    frames : int
        Longer clips lose their end.
    """

    def __init__(self, clips: Clips, labels: NDArray[np.int64], points: NDArray[np.int64], frames: int) -> None:
        self.clips, self.labels, self.points, self.frames = clips, labels, points, frames

    def __getitem__(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        values, lengths = self.clips.padded(rows, self.frames, self.points)
        return torch.from_numpy(values), torch.from_numpy(lengths), torch.from_numpy(self.labels[rows])


class DrawnRows(ShuffledRows):
    """Batches of rows drawn anew each epoch: by weights, or some of each class; rows of like lengths together.

    Parameters
    ----------
    batch : int
    seed : int
    lengths : int64 (N,), optional
        Batches hold clips of about one length: as many rows as are in `POOL` batches are sorted by it at a time.
    weights : float64 (N,), optional
        How often each is drawn; otherwise each is once.
    labels : int64 (N,), optional
        With ``each``: a batch holds so many clips of every class, whatever ``batch`` says.
    each : int
    """

    def __init__(
        self,
        count: int,
        batch: int,
        seed: int,
        *,
        lengths: NDArray[np.int64] | None = None,
        weights: NDArray[np.float64] | None = None,
        labels: NDArray[np.int64] | None = None,
        each: int = 0,
    ) -> None:
        classes = np.unique(labels) if each and labels is not None else np.empty(0, np.int64)
        super().__init__(count, each * len(classes) or batch, seed)
        self.lengths, self.each = lengths, each
        self.weights = None if weights is None else weights / weights.sum()
        self.rows_of = [np.flatnonzero(labels == place) for place in classes]

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        random = np.random.default_rng((self.seed or 0, self.epoch))
        if self.rows_of:
            for _ in range(len(self)):
                yield np.concatenate([random.choice(rows, self.each, len(rows) < self.each) for rows in self.rows_of])
            return
        drawn = random.permutation(self.count)
        if self.weights is not None:
            drawn = random.choice(self.count, self.count, p=self.weights)
        batches = np.array_split(self._sorted(drawn), range(self.batch, self.count, self.batch))
        yield from (batches[place] for place in random.permutation(len(batches)))

    def _sorted(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sort rows by length within pools; each pool's order is the other way round than that before it."""
        if self.lengths is None:
            return rows
        pool = np.arange(len(rows)) // (POOL * self.batch)
        length = self.lengths[rows]
        order: NDArray[np.int64] = np.lexsort((np.where(pool % 2, -length, length), pool))
        return rows[order]


def clip_loader(
    clips: Clips, labels: NDArray[np.int64], points: NDArray[np.int64], rows: Sampler[NDArray[np.int64]], frames: int
) -> DataLoader[tuple[Tensor, Tensor, Tensor]]:
    """Return a loader of padded batches of clips."""
    chance = torch.Generator().manual_seed(0)
    return DataLoader(ClipBatches(clips, labels, points, frames), batch_size=None, sampler=rows, generator=chance)


def balanced_weights(clips: Clips, signers: float, words: float) -> NDArray[np.float64]:
    """Weigh clips, float64 (N,), so that who recorded much and what was recorded often count for less.

    Parameters
    ----------
    clips : Clips
    signers : float
        0: all clips count alike; 1: all signers of a word do, however many clips they recorded of it.
    words : float
        0: words count by who signed them; 1: all words alike.
    """
    cell = np.char.add(np.char.add(np.char.add(np.char.add(clips.label, "\0"), clips.source), "\0"), clips.signer)
    _, place, count = np.unique(cell, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = count[place] ** -float(signers)
    _, place = np.unique(clips.label, return_inverse=True)
    return weights * np.bincount(place, weights=weights)[place] ** -words
