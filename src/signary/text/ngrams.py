"""Smoothed n-gram models, learned by counting."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError
from signary.output import whole_file

BOUNDARY = 0  # before the first symbol and after the last
DISCOUNT = 0.85  # what each n-gram gives to unseen ones; chosen by bits a letter on held-out words
OCTAVE = 4  # steps for twice the count

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NGrams:
    """A smoothed n-gram model over S symbols; symbol 0 is the boundary of a text.

    Interpolated Kneser-Ney (Kneser and Ney, "Improved backing-off for M-gram language modeling", 1995): every n-gram
    gives a fixed part of its count to the next shorter context. Shorter contexts count after how many different symbols
    they occurred, not how often.

    Parameters
    ----------
    order : int
        Symbols in an n-gram, N, 2 to ``longest_order``.
    ngrams : int64 (G,)
        Ascending; each is a number of N digits in base S. Before the start there are boundaries.
    steps : uint8 (G,)
        How often each occurred: 2 ** (steps / 4) times.

    Attributes
    ----------
    symbols, longest_order : int
        S and the largest N of this kind of model.

    Raises
    ------
    InputError
        If the order is out of range or there are no n-grams that start a text.
    ShapeError
        If the arrays do not fit together.
    """

    symbols: ClassVar[int]
    longest_order: ClassVar[int]
    usual_order: ClassVar[int]

    order: int
    ngrams: Codes
    steps: NDArray[np.uint8]

    def __post_init__(self) -> None:
        self.check_order(self.order)
        if self.ngrams.ndim != 1 or self.ngrams.shape != self.steps.shape:
            shapes = f"ngrams {self.ngrams.shape}, steps {self.steps.shape}"
            raise ShapeError(f"{shapes}, must both be (G,)", hint="one count an n-gram")
        inside = len(self.ngrams) and self.ngrams[0] >= 0 and self.ngrams[-1] < self.symbols**self.order
        if not inside or (np.diff(self.ngrams) <= 0).any() or not self._parts(0, 1).min() == BOUNDARY:
            raise InputError(f"{len(self.ngrams)} n-grams, not those of whole texts", hint="use the model's fit")

    @classmethod
    def check_order(cls, order: int) -> None:
        """Check that this kind of model can have an order.

        Raises
        ------
        InputError
        """
        if not 2 <= order <= cls.longest_order:
            raise InputError(f"order={order}, must be 2 to {cls.longest_order}", hint=f"{cls.usual_order} is usual")

    @classmethod
    def count(cls, contexts: Codes, following: Codes, weights: ArrayLike, *, least: float = 0.0) -> Self:
        """Learn from contexts and the symbols that follow.

        Parameters
        ----------
        contexts : int64 (M, N - 1)
            The symbols before, newest last.
        following : int64 (M,)
        weights : float (M,)
            Weight of each, above 0.
        least : float
            N-grams with a smaller total weight are left out.
        """
        order = contexts.shape[1] + 1
        grams = contexts @ cls._places(order)[:-1] + following
        ngrams, inverse = np.unique(grams, return_inverse=True)
        counts = np.bincount(inverse, np.asarray(weights, np.float64))
        ngrams, counts = ngrams[counts >= least], counts[counts >= least]
        steps = np.clip(np.rint(OCTAVE * np.log2(counts)), 0, 255).astype(np.uint8)
        return cls(order, ngrams, steps)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote.

        Raises
        ------
        InputError
            If the file cannot be read or is not a model.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                deltas, order = arrays["deltas"].astype(np.int64), int(arrays["order"])
                return cls(order, np.cumsum(deltas @ 256 ** np.arange(deltas.shape[1])), arrays["steps"])
        except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile, zlib.error) as error:
            raise InputError(f"{path}: no language model", hint="write one with a script of scripts/") from error

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as a small npz: n-grams as bytes of their differences.

        Raises
        ------
        InputError
            If the file exists and ``force`` is not given.
        """
        distances = np.diff(self.ngrams, prepend=0).astype("<i8")
        with whole_file(Path(path), force=force) as draft:
            planes = np.asfortranarray(distances.view(np.uint8).reshape(-1, 8))  # similar bytes compress better
            np.savez_compressed(draft, order=self.order, deltas=planes, steps=self.steps)

    def next_log_probabilities(self, contexts: ArrayLike) -> Floats:
        """Return the probabilities of the next symbol.

        Parameters
        ----------
        contexts : int (..., C)
            The symbols before, newest last. Symbols before a boundary, or farther back than the model looks, do not
            matter; a context shorter than N - 1 is one in the middle of a text.

        Returns
        -------
        float32 (..., S)
            Natural logarithms of probabilities that sum to 1: of the boundary, then of the other symbols.

        Raises
        ------
        ShapeError
            If the contexts are not whole numbers or have no axis.
        InputError
            If one is not 0 to S - 1.
        """
        before = np.asarray(contexts)
        if before.ndim < 1 or not np.issubdtype(before.dtype, np.integer):
            raise ShapeError(f"contexts {before.dtype} {before.shape}, must be int (..., C)", hint="codes of symbols")
        if not ((before >= 0) & (before < self.symbols)).all():
            raise InputError(f"contexts outside 0 to {self.symbols - 1}", hint="0 is a boundary")
        rows = before.reshape(math.prod(before.shape[:-1]), before.shape[-1]).astype(np.int64)
        chances = self._table.chances_after(self._keys(rows[:, ::-1][:, : self.order - 1]), self.symbols)
        return np.log(chances).astype(np.float32).reshape(*before.shape[:-1], self.symbols)

    @cached_property
    def _table(self) -> _Table:
        """The symbols that follow known contexts of 0, 1, ... symbols.

        Contexts end at a boundary, so each is known at one length only.
        """
        counts = 2.0 ** (self.steps / OCTAVE)
        depth = (self._parts(1, self.order) != BOUNDARY).sum(0)  # symbols since the start, before the last
        longest = depth >= self.order - 2
        grams, totals, levels = self.ngrams[longest], counts[longest], []
        for length in range(self.order - 1, -1, -1):
            if length < self.order - 1:  # count different symbols before them; for those at the start, occurrences
                inner, after = np.unique(grams % self.symbols ** (length + 1), return_counts=True)
                whole = depth == length - 1
                grams, totals = np.append(inner, self.ngrams[whole]), np.append(after, counts[whole])
                rising = grams.argsort()
                grams, totals = grams[rising], totals[rising]
            levels.append((length * self._span + grams // self.symbols, grams % self.symbols, totals))
        return _Table.of(*(np.concatenate(part) for part in zip(*levels[::-1], strict=True)))

    @property
    def _span(self) -> int:
        """Distance between the keys of contexts of one length and those of the next."""
        return int(self.symbols ** (self.order - 1))

    def _keys(self, before: Codes) -> Codes:
        """Return the keys (1 + C, B) of contexts (B, C), newest symbol first: of their first 0, 1, ... C symbols."""
        places = self.symbols ** np.arange(before.shape[1], dtype=np.int64)
        keys = np.zeros((1 + before.shape[1], len(before)), np.int64)
        np.cumsum((before * places).T, 0, out=keys[1:])
        return keys + self._span * np.arange(len(keys))[:, None]

    @classmethod
    def _places(cls, order: int) -> Codes:
        return np.asarray(cls.symbols ** np.arange(order - 1, -1, -1, dtype=np.int64))

    def _parts(self, first: int, stop: int) -> Codes:
        """Return the symbols (stop - first, G) of n-grams, the last symbol first."""
        return np.asarray(self.ngrams // self.symbols ** np.arange(first, stop, dtype=np.int64)[:, None] % self.symbols)


@dataclass(frozen=True, eq=False, slots=True)
class _Table:
    """The symbols that follow R contexts, G in all.

    Parameters
    ----------
    keys : int64 (R,)
        Of the contexts, ascending.
    first, count : int64 (R + 1,)
        Where the symbols after each context begin, and their number; the last entry, 0, is for unknown contexts.
    shares : float64 (R + 1,)
        The share left to shorter contexts.
    symbols : uint8 (G,)
    chances : float32 (G,)
        Probabilities without the part of shorter contexts.
    """

    keys: Codes
    first: Codes
    count: Codes
    shares: NDArray[np.float64]
    symbols: NDArray[np.uint8]
    chances: Floats

    @classmethod
    def of(cls, keys: Codes, symbols: Codes, counts: NDArray[np.float64]) -> _Table:
        """Return the table for counts (G,) of symbols after contexts with keys (G,), ascending."""
        unique, first, count = np.unique(keys, return_index=True, return_counts=True)
        totals, lent = np.add.reduceat(counts, first), np.minimum(counts, DISCOUNT)
        chances = ((counts - lent) / np.repeat(totals, count)).astype(np.float32)
        shares = np.append(np.add.reduceat(lent, first) / totals, 1.0)
        return cls(unique, np.append(first, 0), np.append(count, 0), shares, symbols.astype(np.uint8), chances)

    def chances_after(self, keys: Codes, width: int) -> NDArray[np.float64]:
        """Return the probabilities (B, S) of the symbol after contexts with keys (L, B), the shortest first."""
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        place = np.where(self.keys[place] == keys, place, len(self.keys))
        left = np.cumprod(self.shares[place[::-1]], 0)[::-1]  # the share left to each context and shorter ones
        count = self.count[place].ravel()
        begins = np.cumsum(count) - count
        each = np.arange(count.sum()) + np.repeat(self.first[place].ravel() - begins, count)
        row = np.broadcast_to(width * np.arange(keys.shape[1]), keys.shape).ravel()
        weight = np.concatenate([left[1:], np.ones_like(left[:1])]).ravel()
        chances = np.bincount(
            np.repeat(row, count) + self.symbols[each],
            np.repeat(weight, count) * self.chances[each],
            minlength=width * keys.shape[1],
        )
        return np.asarray(chances.reshape(-1, width) + left[0, :, None] / width)
