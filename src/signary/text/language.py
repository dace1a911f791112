"""A language model of words, letter by letter.

``language-en.npz`` beside this file is made by ``scripts/fit_language.py`` from lists of words and names.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ModelNotFound, ShapeError
from signary.text.ngrams import BOUNDARY, Codes, NGrams

FOLDER = Path(__file__).parent
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SYMBOLS = 1 + len(LETTERS)
ORDER, LONGEST_ORDER = 6, 12  # chosen by bits a letter on held-out words


class CharacterModel(NGrams):
    """A smoothed n-gram model, see `NGrams`, of words of a to z (codes 1 to 26) between boundaries.

    Words are independent of each other.
    """

    symbols, longest_order, usual_order = SYMBOLS, LONGEST_ORDER, ORDER

    @classmethod
    def fit(cls, words: Sequence[str], weights: ArrayLike | None = None, *, order: int = ORDER) -> CharacterModel:
        """Learn from a list of words.

        Parameters
        ----------
        words : sequence of str
            Of a to z, in upper or lower case.
        weights : (N,), optional
            Weight of each word, above 0; only their ratios matter. Equal by default.
        order : int
            Letters in an n-gram, 2 to 12.

        Raises
        ------
        InputError
            If there are no words, a word holds other characters, or a weight is not above 0.
        ShapeError
            If there is not one weight for each word.
        """
        cls.check_order(order)
        weight = checked_weights(words, weights)
        windows = [np.lib.stride_tricks.sliding_window_view(_padded(word, order), order) for word in words]
        grams = np.concatenate(windows)
        return cls.count(grams[:, :-1], grams[:, -1], np.repeat(weight / weight.min(), [len(rows) for rows in windows]))

    @property
    def start(self) -> Codes:
        """The context before a word, int64 (N - 1,): boundaries."""
        return np.full(self.order - 1, BOUNDARY, np.int64)

    def log_probability(self, text: str) -> float:
        """Return the natural logarithm of a text's probability, ends of words included.

        Parameters
        ----------
        text : str
            Words of a to z, in upper or lower case, separated by spaces.

        Raises
        ------
        InputError
            If it has other characters, or no word.

        Examples
        --------
        >>> model = CharacterModel.fit(["queen", "quick", "question"])
        >>> model.log_probability("quick") > model.log_probability("qiuck")
        True
        """
        words = text.split()
        if not words:
            raise InputError(f"{text!r}: no words", hint="give letters a to z")
        padded = [_padded(word, self.order) for word in words]
        windows = np.concatenate([np.lib.stride_tricks.sliding_window_view(word, self.order) for word in padded])
        said = self.next_log_probabilities(windows[:, :-1])
        return float(np.take_along_axis(said, windows[:, -1:], axis=1).astype(np.float64).sum())


def load_language(name: str = "en") -> CharacterModel:
    """Load a model that comes with the package.

    Parameters
    ----------
    name : str
        ``en``: words of American English, and first and family names.

    Raises
    ------
    ModelNotFound
        If there is no model of that name; the known ones are listed.
    """
    known = {path.stem.removeprefix("language-"): path for path in FOLDER.glob("language-*.npz")}
    if name not in known:
        raise ModelNotFound.named(name, known, kind="language")
    return _loaded(known[name])


def encode(word: str) -> Codes:
    """Return the codes int64 (L,) of a word: 1 to 26.

    Raises
    ------
    InputError
        If it is empty or has characters other than a to z, in upper or lower case.
    """
    low = word.lower()
    if not low or not (low.isascii() and low.isalpha()):
        raise InputError(f"{word!r}: not a word of a to z", hint="leave digits, accents and punctuation out")
    return np.frombuffer(low.encode(), np.uint8).astype(np.int64) - (ord("a") - 1)


@cache
def _loaded(path: Path) -> CharacterModel:
    return CharacterModel.load(path)


def _padded(word: str, order: int) -> Codes:
    return np.concatenate([np.zeros(order - 1, np.int64), encode(word), [BOUNDARY]])


def checked_weights(words: Sequence[str], weights: ArrayLike | None) -> NDArray[Any]:
    """Return the weights of texts, (N,), checked; see `CharacterModel.fit`."""
    weight = np.ones(len(words)) if weights is None else np.asarray(weights, np.float64)
    if not len(words):
        raise InputError("0 words to learn from", hint="give at least one")
    if weight.shape != (len(words),):
        raise ShapeError(f"weights {weight.shape}, must be ({len(words)},)", hint="one weight a text")
    if not ((weight > 0) & (weight < np.inf)).all():
        raise InputError("weights not above 0", hint="leave out words that do not count")
    return weight
