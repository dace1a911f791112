"""Greedy CTC decoding while frames come in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.text.ctc import checked, greedy
from signary.text.spelling import Spelling, joined

Integers = NDArray[np.int64]


class PartialCTC:
    """Read the best path while frames come in, in chunks of any length.

    Parameters
    ----------
    blank : int
        The class of no character.

    Attributes
    ----------
    frames : int
        Read so far.
    """

    def __init__(self, blank: int) -> None:
        self.frames = 0
        self._blank = self._newest = blank
        self._settled: list[Spelling] = []
        self._open: Spelling | None = None

    def feed(self, log_probabilities: ArrayLike) -> Integers:
        """Read the next frames.

        Parameters
        ----------
        log_probabilities : float (T, V + 1)

        Returns
        -------
        int64 (L,)
            The characters that have become stable.

        Raises
        ------
        ShapeError, InputError
            As `greedy`.
        """
        table = checked(log_probabilities, self._blank)
        if not len(table):
            return np.empty(0, np.int64)
        piece, best = greedy(table, self._blank).moved(self.frames), table.argmax(1)
        if self._open is not None:
            piece = (_continued if best[0] == self._newest else joined)(self._open, piece)
        self.frames, self._newest = self.frames + len(table), int(best[-1])
        settled = len(piece.characters) - (self._newest != self._blank)
        self._settled.append(piece.part(slice(settled)))
        self._open = piece.part(slice(settled, None)) if settled < len(piece.characters) else None
        return self._settled[-1].characters

    @property
    def stable(self) -> Integers:
        """Characters that no later frame changes, int64 (L,): all but one that may still go on."""
        return np.concatenate([np.empty(0, np.int64), *(part.characters for part in self._settled)])

    @property
    def spelling(self) -> Spelling | None:
        """Everything read so far, equal to `greedy` on the same frames; None before the first."""
        parts = [*self._settled, *([] if self._open is None else [self._open])]
        return joined(*parts) if parts else None


def _continued(one: Spelling, piece: Spelling) -> Spelling:
    """Join a character with a piece that begins with the same character."""
    same = piece.part(slice(1))
    better = same if same.confidence[0] > one.confidence[0] else one
    return joined(replace(one, last=same.last, rows=better.rows), piece.part(slice(1, None)))
