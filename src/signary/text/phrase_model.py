"""A language model of spelled phrases: names, words, numbers, addresses.

``phrases-en.npz`` beside this file is made by ``scripts/fit_phrases.py`` from made-up phrases.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.text.language import LETTERS, checked_weights
from signary.text.ngrams import BOUNDARY, Codes, NGrams

ENGLISH = Path(__file__).with_name("phrases-en.npz")
MARKS = " .,:-_/'+@"
WORD = 1 + len(LETTERS) + 1 + len(MARKS)  # in place of a finished word
OTHER = WORD + 1
DIGIT, SYMBOLS = 1 + len(LETTERS), OTHER + 1
ORDER = 8
# A context is one number: the symbols before the word, in base S, and the word's letters, in base 27, newest last.
EARLIER, LATEST = 5, ORDER - 1
WORDS, PLACES = (1 + len(LETTERS)) ** LATEST, SYMBOLS**EARLIER

_CODES = np.full(128, OTHER)
_CODES[[*map(ord, LETTERS)]] = 1 + np.arange(len(LETTERS))
_CODES[[*map(ord, "0123456789")]] = DIGIT
_CODES[[*map(ord, MARKS)]] = DIGIT + 1 + np.arange(len(MARKS))
_ALIKE = np.zeros(SYMBOLS, np.float32)
_ALIKE[DIGIT] = np.log(10)  # one digit is as likely as another


class PhraseModel(NGrams):
    """A smoothed n-gram model, see `NGrams`, of the characters of phrases.

    Its symbols are the letters, ten marks, any digit, and any other character. A finished word is one symbol, so that
    the model looks back farther.
    """

    symbols, longest_order, usual_order = SYMBOLS, ORDER, ORDER

    @classmethod
    def fit(
        cls,
        phrases: Sequence[str],
        weights: ArrayLike | None = None,
        *,
        order: int = ORDER,
        least: float = 0.0,
    ) -> PhraseModel:
        """Learn from phrases.

        Parameters
        ----------
        phrases : sequence of str
            In lower case.
        weights : (N,), optional
            Weight of each, above 0; equal by default.
        order : int
            Characters in an n-gram, 2 to 8.
        least : float
            N-grams with a smaller total weight are left out.

        Raises
        ------
        InputError
            If there are no phrases, a weight is not above 0, or the order is out of range.
        ShapeError
            If there is not one weight for each phrase.
        """
        cls.check_order(order)
        weight, lengths = checked_weights(phrases, weights), np.array([len(phrase) for phrase in phrases])
        codes = np.full((len(phrases), 1 + int(lengths.max())), BOUNDARY)
        codes[np.arange(codes.shape[1]) < lengths[:, None]] = encode("".join(phrases))
        contexts, found = np.zeros(len(phrases), np.int64), []
        for column in range(codes.shape[1]):
            there = column <= lengths
            found.append((_unpacked(contexts[there])[:, 1 - order :], codes[there, column], weight[there]))
            contexts = after(contexts, codes[:, column])
        return cls.count(*(np.concatenate(part) for part in zip(*found, strict=True)), least=least)

    def following(self, contexts: Codes, codes: Codes) -> NDArray[np.float32]:
        """Return the log-probabilities of V next characters.

        Parameters
        ----------
        contexts : int64 (B,)
            As of `after`.
        codes : int64 (V,)
            As of `encode`; 0 is the end of the phrase.

        Returns
        -------
        float32 (B, V)
            Natural logarithms of probabilities.
        """
        return np.asarray((self.next_log_probabilities(_unpacked(contexts)) - _ALIKE)[:, codes])

    def log_probability(self, text: str) -> float:
        """Return the natural logarithm of a phrase's probability, its end included.

        Examples
        --------
        >>> model = PhraseModel.fit(["12 main street", "main avenue"])
        >>> model.log_probability("45 main street") > model.log_probability("45 street main")
        True
        """
        codes, contexts = np.append(encode(text), BOUNDARY), np.zeros(1 + len(text), np.int64)
        for place in range(len(text)):
            contexts[place + 1] = after(contexts[place], codes[place])
        return float(np.diag(self.following(contexts, codes)).sum(dtype=np.float64))


def encode(text: str) -> Codes:
    """Return the codes int64 (L,) of a text's characters."""
    numbers = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    return np.where(numbers < len(_CODES), _CODES[np.minimum(numbers, len(_CODES) - 1)], OTHER)


def after(contexts: ArrayLike, codes: ArrayLike) -> Codes:
    """Return the contexts after one more character each, all int64 (B,); 0 is the start of a phrase."""
    earlier, word = np.divmod(np.asarray(contexts), WORDS)
    codes = np.asarray(codes)
    longer = (word * (1 + len(LETTERS)) + codes) % WORDS
    over = np.where(word > 0, earlier * SYMBOLS + WORD, earlier) * SYMBOLS + codes
    return np.where((codes > BOUNDARY) & (codes < DIGIT), earlier * WORDS + longer, over % PLACES * WORDS)


@cache
def load_phrase_model() -> PhraseModel:
    """Load the package's own model: phrases of American English words and names.

    Raises
    ------
    InputError
        If its file cannot be read.
    """
    return PhraseModel.load(ENGLISH)


def _unpacked(contexts: Codes) -> Codes:
    """Return the symbols of contexts (B,): (B, N - 1), newest last, padded with boundaries."""
    earlier, word = np.divmod(contexts[:, None], WORDS)
    back = np.arange(LATEST)
    letters = word // (1 + len(LETTERS)) ** back % (1 + len(LETTERS))
    marks = earlier // SYMBOLS ** np.arange(EARLIER) % SYMBOLS
    every = np.concatenate([letters, marks, np.zeros_like(letters)], 1)
    length = (letters > 0).sum(1, keepdims=True)
    places = np.where(back < length, back, LATEST - length + back)
    return np.asarray(np.take_along_axis(every, places, 1)[:, ::-1])
