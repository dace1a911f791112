"""Which rows each batch holds, and a loader of such batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

POOL = 32

Batch = TypeVar("Batch")


def row_loader(batches: Dataset[Batch], rows: Sampler[Any]) -> DataLoader[Batch]:
    """Return a loader of batches, each asked for by what the sampler yields."""
    # with its own generator: a loader draws from it, and in a resumed run at another time
    return DataLoader(batches, batch_size=None, sampler=rows, generator=torch.Generator().manual_seed(0))


def share_of(rows: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Draw a share of rows, 0 to 1, at least one; they stay in order."""
    if share == 1:
        return rows
    kept = np.random.default_rng(seed).permutation(len(rows))[: max(1, round(share * len(rows)))]
    return np.sort(rows[kept])


class ShuffledRows(Sampler[NDArray[np.int64]]):
    """Batches of rows, in a new order each epoch, which depends only on its number and the seed.

    Parameters
    ----------
    count, batch : int
    seed : int, optional
        None keeps the order.
    """

    def __init__(self, count: int, batch: int, seed: int | None = None) -> None:
        self.count, self.batch, self.seed, self.epoch = count, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Use the order of an epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.count // self.batch)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        # a generator, since Lightning asks for the iterator before it sets the epoch
        rows = np.arange(self.count)
        if self.seed is not None:
            rows = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        yield from np.array_split(rows, range(self.batch, self.count, self.batch))


class DrawnRows(ShuffledRows):
    """Batches of rows drawn anew each epoch, by weight or balanced by class, with similar lengths together.

    Parameters
    ----------
    batch : int
    seed : int
    lengths : int64 (N,), optional
        Batches hold clips of similar length: the rows of `POOL` batches at a time are sorted by it.
    weights : float64 (N,), optional
        How often each row is drawn; by default once.
    labels : int64 (N,), optional
    each : int
        With ``labels``: rows of every class in a batch, in place of ``batch``.
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
        """Sort rows by length within pools, rising and falling in turn."""
        if self.lengths is None:
            return rows
        pool = np.arange(len(rows)) // (POOL * self.batch)
        length = self.lengths[rows]
        order: NDArray[np.int64] = np.lexsort((np.where(pool % 2, -length, length), pool))
        return rows[order]
