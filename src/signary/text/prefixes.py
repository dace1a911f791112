"""The texts that a beam search follows from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signary.text.bonus import Bonus

SILENT = np.log(0.999)  # from this probability on a frame certainly holds no character
STAYS = -1  # in place of a character: the text does not grow
# Texts are compared by 64-bit hashes, mixed with odd numbers. 2,500 texts of a clip collide once in 10^12 clips.
EMPTY, SPREAD, MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Keys = NDArray[np.uint64]
Step = tuple[Integers, Integers]  # which text each comes from, and the character by which it grew, or `STAYS`


@dataclass(frozen=True, eq=False, slots=True)
class Prefixes:
    """B texts that may still grow.

    Parameters
    ----------
    on_blank, on_last : float64 (B,)
        Logarithms of the paths that end in a blank, and in the last character.
    key, parent : uint64 (B,)
        Hashes of the texts, and of the texts without their last character.
    last : int64 (B,)
        Last characters; the blank for an empty text.
    bonus : float64 (B,)
        What the `Bonus` added so far.
    contexts : int64 (B,)
        Its contexts.
    """

    on_blank: Floats
    on_last: Floats
    key: Keys
    parent: Keys
    last: Integers
    bonus: Floats
    contexts: Integers

    @classmethod
    def start(cls, blank: int) -> Prefixes:
        """Return the empty text."""
        key, zero = np.array([EMPTY]), np.zeros(1, np.int64)
        return cls(zero + 0.0, zero - np.inf, key, key ^ key, zero + blank, zero + 0.0, zero)

    def step(self, row: Floats, bonus: Bonus, *, beam: int, reach: float) -> tuple[Prefixes, Step]:
        """Follow the texts one frame on.

        Parameters
        ----------
        row : float64 (V + 1,)
            Logarithms of the frame's probabilities.
        bonus : Bonus
        beam : int
            Texts that are kept.
        reach : float
            How far below the best one a kept text may lie.
        """
        count = len(self.key)
        spoken = row.copy()
        spoken[bonus.blank] = -np.inf
        total = np.logaddexp(self.on_blank, self.on_last)
        on_blank, on_last = total + row[bonus.blank], self.on_last + spoken[self.last]
        grown = total[:, None] + spoken
        grown[np.arange(count), self.last] = self.on_blank + spoken[self.last]  # doubles need a blank between them
        child, parent = np.nonzero(self.parent[:, None] == self.key)  # texts that grow into one of the others
        on_last[child] = np.logaddexp(on_last[child], grown[parent, self.last[child]])
        grown[parent, self.last[child]] = -np.inf
        stays = np.logaddexp(on_blank, on_last) + self.bonus
        added = self.bonus[:, None] + bonus.gains(self.contexts)[:, :-1]
        source, symbol = _best(stays, grown + added, beam, reach)
        same = symbol == STAYS
        key = self.key[source]
        followed = Prefixes(
            on_blank=np.where(same, on_blank[source], -np.inf),
            on_last=np.where(same, on_last[source], grown[source, symbol]),
            key=np.where(same, key, _keys(key, symbol)),
            parent=np.where(same, self.parent[source], key),
            last=np.where(same, self.last[source], symbol),
            bonus=np.where(same, self.bonus[source], added[source, symbol]),
            contexts=np.where(same, self.contexts[source], bonus.after(self.contexts[source], symbol)),
        )
        return followed, (source, symbol)


def condensed(table: Floats, blank: int) -> Floats:
    """Merge neighboring frames that are `SILENT` into the first of them."""
    silent = table[:, blank] > SILENT
    begins = np.flatnonzero(~silent | np.append(True, ~silent[:-1]))
    joined = table[begins]
    joined[:, blank] = np.add.reduceat(table[:, blank], begins)
    return joined


def traced(steps: Sequence[Step], count: int) -> list[Integers]:
    """Return the ``count`` texts that the steps lead to, int64 (L,) each."""
    at, grown = np.arange(count), []
    for source, symbol in reversed(steps):
        grown.append(symbol[at])
        at = source[at]
    rows = np.array(grown[::-1], np.int64).reshape(-1, count).T
    return [row[row != STAYS] for row in rows]


def _best(stays: Floats, grown: Floats, width: int, reach: float) -> Step:
    """Return the text (B,) that each of the best ones comes from, and the character by which it grows, or `STAYS`."""
    ranks = np.concatenate([stays, grown.ravel()])
    floor = stays.min() if len(stays) == width else -np.inf  # enough texts stay: none below them is among the best
    best = np.flatnonzero((ranks >= max(floor, ranks.max() - reach)) & (ranks > -np.inf))
    if len(best) > width:
        best = best[np.argpartition(-ranks[best], width)[:width]]
    source, symbol = np.divmod(best - len(stays), grown.shape[1])
    same = best < len(stays)
    return np.where(same, best, source), np.where(same, STAYS, symbol)


def _keys(key: Keys, symbol: Integers) -> Keys:
    """Return the hashes of texts after one more character."""
    mixed = (key ^ (symbol.astype(np.uint64) + np.uint64(1)) * SPREAD) * MIX
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
