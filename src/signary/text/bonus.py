"""What a language model and an insertion bonus add to the scores of a beam search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signary.errors import ShapeError
from signary.text.ngrams import BOUNDARY
from signary.text.phrase_model import SYMBOLS, PhraseModel, after, encode

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Bonus:
    """The gain in score for each next character, by contexts as of `signary.text.phrase_model.after`.

    Parameters
    ----------
    language : PhraseModel, optional
    characters : str
        Those of the classes without the blank, in order; needed with a language.
    classes, blank : int
        V + 1, and the class of no character.
    weight, insertion : float
        As of `signary.text.beam.BeamOptions`.
    ended : bool
        False: the end of the text adds nothing.

    Raises
    ------
    ShapeError
        If there is not one character for each class.
    """

    def __init__(
        self,
        language: PhraseModel | None,
        characters: str,
        classes: int,
        blank: int,
        *,
        weight: float,
        insertion: float,
        ended: bool,
    ) -> None:
        if language is not None and len(characters) != classes - 1:
            raise ShapeError(f"{len(characters)} characters, must be {classes - 1}", hint="one a class but the blank")
        self.blank, self._weight, self._insertion, self._ended = blank, weight, insertion, ended
        self._language = language if weight else None
        self._codes = np.append(np.insert(encode(characters), blank, BOUNDARY), BOUNDARY)
        self._rows: dict[int, int] = {}
        self._gains = np.zeros((0, classes + 1))

    def gains(self, contexts: Integers) -> Floats:
        """Return what each class, and last the end of the text, adds after contexts (B,): (B, V + 2)."""
        numbers = contexts.tolist()
        if new := [number for number in dict.fromkeys(numbers) if number not in self._rows]:
            self._rows |= zip(new, range(len(self._rows), len(self._rows) + len(new)), strict=True)
            self._gains = np.concatenate([self._gains, self._computed(np.array(new))])
        return np.asarray(self._gains[[self._rows[number] for number in numbers]])

    def after(self, contexts: Integers, symbols: Integers) -> Integers:
        """Return the contexts after characters (B,)."""
        return after(contexts, self._codes[symbols]) if self._language else contexts

    def of(self, text: Integers) -> float:
        """Return the sum over a whole text."""
        contexts = np.zeros(len(text) + 1, np.int64)
        for place, symbol in enumerate(text):
            contexts[place + 1] = self.after(contexts[place], symbol)
        return float(self.gains(contexts)[np.arange(len(text) + 1), np.append(text, -1)].sum())

    def _computed(self, contexts: Integers) -> Floats:
        gains = np.zeros((len(contexts), self._gains.shape[1]))
        if self._language is not None:
            gains += self._weight * (self._language.following(contexts, self._codes) + np.log(SYMBOLS))
            # the language does not judge an empty text, nor the end of one that goes on
            gains[(contexts == 0) | (not self._ended), -1] = 0
        gains[:, :-1] += self._insertion
        return gains
