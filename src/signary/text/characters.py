"""The symbols of fingerspelled text: 59 characters, and four marks that a decoder needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError

CHARACTERS = " !#$%&'()*+,-./0123456789:;=?@[_abcdefghijklmnopqrstuvwxyz~"

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class CharacterVocabulary:
    """Characters and marks by number: characters from 0, then ``pad``, ``start``, ``end`` and ``mask``.

    Parameters
    ----------
    characters : str
        In the order of their numbers; by default the 59 of Google's fingerspelling data, in its order
        (``character_to_prediction_index.json`` of https://www.kaggle.com/competitions/asl-fingerspelling), which
        makes 63 symbols.

    Attributes
    ----------
    pad : int
        Fills what follows a text.
    start, end : int
        Stand before its first and after its last character.
    mask : int
        Replaces a character that is hidden from a decoder in training.

    Raises
    ------
    InputError
        If a character occurs twice, or there are none.

    Examples
    --------
    >>> vocabulary = CharacterVocabulary()
    >>> len(vocabulary), vocabulary.encode("a-z").tolist(), vocabulary.decode([60, 32, 12, 57, 61, 59])
    (63, [32, 12, 57], 'a-z')
    """

    characters: str = CHARACTERS

    def __post_init__(self) -> None:
        if len(set(self.characters)) != len(self.characters) or not self.characters:
            raise InputError(f"characters={self.characters!r}, must differ", hint="each once, and at least one")

    def __len__(self) -> int:
        return len(self.characters) + 4

    @property
    def pad(self) -> int:
        return len(self.characters)

    @property
    def start(self) -> int:
        return self.pad + 1

    @property
    def end(self) -> int:
        return self.pad + 2

    @property
    def mask(self) -> int:
        return self.pad + 3

    def encode(self, phrase: str) -> Integers:
        """Return the numbers of a phrase's characters, int64 (L,), without marks.

        Raises
        ------
        InputError
            If one is unknown; it is named.
        """
        numbers, _ = self.encode_many([phrase])
        return numbers.reshape(-1)

    def encode_many(self, phrases: Sequence[str]) -> tuple[Integers, Integers]:
        """Return the numbers of many phrases' characters.

        Returns
        -------
        int64 (N, L)
            L is that of the longest; shorter ones are padded with ``pad``.
        lengths : int64 (N,)

        Raises
        ------
        InputError
            If a phrase has unknown characters; they and the first such phrase are named.
        """
        lengths = np.fromiter(map(len, phrases), np.int64, len(phrases))
        points = np.frombuffer("".join(phrases).encode("utf-32-le", "surrogatepass"), np.uint32)
        numbers = self._numbers[np.minimum(points, len(self._numbers) - 1)]
        if (numbers < 0).any():
            self._refuse(phrases)
        padded = np.full((len(phrases), int(lengths.max(initial=0))), self.pad, np.int64)
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = numbers
        return padded, lengths

    def decode(self, numbers: ArrayLike) -> str:
        """Return the text of numbers (L,) up to the first ``end``, without the other marks.

        Raises
        ------
        InputError
            If a number is not 0 to ``len(self) - 1``.
        """
        found = np.asarray(numbers, np.int64).reshape(-1)
        if strange := found[(found < 0) | (found >= len(self))].tolist():
            raise InputError(f"{strange[0]}: no such symbol", hint=f"0 to {len(self) - 1}")
        said = found[np.cumsum(found == self.end) == 0]
        return "".join(self.characters[number] for number in said[said < self.pad].tolist())

    @cached_property
    def _numbers(self) -> Integers:
        # by code point, -1 = unknown; the last entry is for all larger ones
        table: Integers = np.full(max(map(ord, self.characters)) + 2, -1, np.int64)
        table[[ord(character) for character in self.characters]] = np.arange(len(self.characters))
        return table

    def _refuse(self, phrases: Sequence[str]) -> None:
        unknown = "".join(sorted(set().union(*phrases) - set(self.characters)))
        first = next(phrase for phrase in phrases if set(phrase) & set(unknown))
        raise InputError(f"{first!r}: unknown characters {unknown!r}", hint=f"known: {self.characters!r}")
