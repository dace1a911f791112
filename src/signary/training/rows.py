"""Batches to learn from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

POOL = 32


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
