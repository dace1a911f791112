"""Characters with the frames in which they are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Spelling:
    """L characters with times.

    Parameters
    ----------
    characters : int64 (L,)
        Classes.
    first, last : int64 (L,)
        Frames, both included, in order; no frame belongs to two characters.
    rows : float64 (L, V + 1)
        Probabilities (0 to 1) of all classes in each character's likeliest frame.
    """

    characters: Integers
    first: Integers
    last: Integers
    rows: Floats

    @property
    def confidence(self) -> Floats:
        """Probability (0 to 1) of each character in its likeliest frame, float64 (L,)."""
        return np.asarray(self.rows[np.arange(len(self.rows)), self.characters])

    def widened(self, frames: int, *, most: int = 8) -> Spelling:
        """Extend characters halfway to their neighbors: networks name a shape in only one or two of its frames.

        Parameters
        ----------
        frames : int
            Of the clip, T.
        most : int
            Largest number of frames that a character gains on either side, 0 or more.

        Returns
        -------
        Spelling
        """
        gaps = self.first[1:] - self.last[:-1] - 1
        before = np.append(self.first[:1], gaps // 2)
        after = np.append(gaps - gaps // 2, frames - 1 - self.last[-1:])
        first, last = self.first - np.minimum(before, most), self.last + np.minimum(after, most)
        return replace(self, first=first, last=last)

    def part(self, rows: slice) -> Spelling:
        """Return some of the characters."""
        return Spelling(*(getattr(self, name)[rows] for name in Spelling.__slots__))

    def moved(self, frames: int) -> Spelling:
        """Return the characters so many frames later."""
        return replace(self, first=self.first + frames, last=self.last + frames)


def joined(*parts: Spelling) -> Spelling:
    """Return the characters of one or more spellings, one after the other."""
    fields: list[NDArray[Any]] = [
        np.concatenate([getattr(part, name) for part in parts]) for name in Spelling.__slots__
    ]
    return Spelling(*fields)
