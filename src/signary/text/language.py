"""What letters follow which: a model of words, letter by letter.

``language-en.npz`` beside this file is made by ``scripts/fit_language.py`` from lists of words and names.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ModelNotFound, ShapeError
from signary.output import whole_file

FOLDER = Path(__file__).parent
BOUNDARY = 0  # of a word; a to z are 1 to 26
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SYMBOLS = 1 + len(LETTERS)
# What each n-gram lends to those not seen; by bits a letter of words left out of training, as is the order.
DISCOUNT = 0.85
ORDER, LONGEST_ORDER = 6, 12
OCTAVE = 4  # steps to twice the count

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CharacterModel:
    """A smoothed character n-gram over a to z and the boundaries of words.

    Interpolated Kneser-Ney (Kneser and Ney, "Improved backing-off for M-gram language modeling", 1995): every n-gram
    gives a fixed part of its count to what the next shorter context says, and shorter contexts count after how many
    letters they occurred, not how often. Words are independent of each other.

    Parameters
    ----------
    order : int
        Letters in an n-gram, N, 2 to 12.
    ngrams : int64 (G,)
        Rising; each a number of N digits to base 27, 0 = boundary. The start of a word is filled up with boundaries.
    steps : uint8 (G,)
        How often each occurred: 2 ** (steps / 4) times.

    Raises
    ------
    InputError
        If the order is not 2 to 12 or there are no n-grams of whole words.
    ShapeError
        If the arrays do not fit together.
    """

    order: int
    ngrams: Codes
    steps: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if not 2 <= self.order <= LONGEST_ORDER:
            raise InputError(f"order={self.order}, must be 2 to {LONGEST_ORDER}", hint=f"{ORDER} is usual")
        if self.ngrams.ndim != 1 or self.ngrams.shape != self.steps.shape:
            shapes = f"ngrams {self.ngrams.shape}, steps {self.steps.shape}"
            raise ShapeError(f"{shapes}, must both be (G,)", hint="one count an n-gram")
        inside = len(self.ngrams) and self.ngrams[0] >= 0 and self.ngrams[-1] < SYMBOLS**self.order
        if not inside or (np.diff(self.ngrams) <= 0).any() or not _parts(self.ngrams, 0, 1).min() == BOUNDARY:
            raise InputError(f"{len(self.ngrams)} n-grams, not those of whole words", hint="use CharacterModel.fit")

    @classmethod
    def fit(cls, words: Sequence[str], weights: ArrayLike | None = None, *, order: int = ORDER) -> CharacterModel:
        """Learn from a list of words.

        Parameters
        ----------
        words : sequence of str
            Of a to z, in either case.
        weights : (N,), optional
            How often each word counts, above 0; only their ratios matter. Evenly by default.
        order : int
            Letters in an n-gram, 2 to 12.

        Raises
        ------
        InputError
            If there are no words, a word holds other characters, or a weight is not above 0.
        ShapeError
            If there is not one weight a word.
        """
        if not 2 <= order <= LONGEST_ORDER:
            raise InputError(f"order={order}, must be 2 to {LONGEST_ORDER}", hint=f"{ORDER} is usual")
        weight = _checked_weights(words, weights)
        windows = [np.lib.stride_tricks.sliding_window_view(_padded(word, order), order) for word in words]
        grams = np.concatenate(windows) @ _places(order)
        ngrams, inverse = np.unique(grams, return_inverse=True)
        counts = np.bincount(inverse, np.repeat(weight / weight.min(), [len(rows) for rows in windows]))
        steps = np.minimum(np.rint(OCTAVE * np.log2(counts)), 255).astype(np.uint8)
        return cls(order, ngrams, steps)

    @classmethod
    def load(cls, path: str | Path) -> CharacterModel:
        """Read a model that `save` wrote.

        Raises
        ------
        InputError
            If the file cannot be read or is not one.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                deltas, order = arrays["deltas"].astype(np.int64), int(arrays["order"])
                return cls(order, np.cumsum(deltas @ 256 ** np.arange(deltas.shape[1])), arrays["steps"])
        except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile, zlib.error) as error:
            raise InputError(f"{path}: no language model", hint="write one with scripts/fit_language.py") from error

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as npz, small: n-grams as bytes of their distances.

        Raises
        ------
        InputError
            If the file exists and ``force`` is not given.
        """
        distances = np.diff(self.ngrams, prepend=0).astype("<i8")
        with whole_file(Path(path), force=force) as draft:
            planes = np.asfortranarray(distances.view(np.uint8).reshape(-1, 8))  # alike bytes side by side pack better
            np.savez_compressed(draft, order=self.order, deltas=planes, steps=self.steps)

    @property
    def start(self) -> Codes:
        """The context before a word, int64 (N - 1,): boundaries."""
        return np.full(self.order - 1, BOUNDARY, np.int64)

    def next_log_probabilities(self, contexts: ArrayLike) -> Floats:
        """Return what comes next.

        Parameters
        ----------
        contexts : int (..., C)
            What came before, newest last: 0 = boundary, 1 to 26 = a to z. What lies before a word, and farther back
            than the model looks, does not matter; a context shorter than N - 1 is one in the middle of a word.

        Returns
        -------
        float32 (..., 27)
            Natural logarithms of probabilities, which sum to 1: of the end of the word, then of a to z.

        Raises
        ------
        ShapeError
            If the contexts are not whole numbers or have no axis.
        InputError
            If one is not 0 to 26.
        """
        before = np.asarray(contexts)
        if before.ndim < 1 or not np.issubdtype(before.dtype, np.integer):
            raise ShapeError(f"contexts {before.dtype} {before.shape}, must be int (..., C)", hint="codes of letters")
        if not ((before >= 0) & (before < SYMBOLS)).all():
            raise InputError(f"contexts outside 0 to {SYMBOLS - 1}", hint="0 is a boundary, 1 to 26 are a to z")
        keys, rows = self._tables
        before = before.astype(np.int64)
        row, key = np.zeros(before.shape[:-1], np.int64), np.zeros(before.shape[:-1], np.int64)
        first = 1
        for back in range(min(self.order - 1, before.shape[-1])):
            known = keys[back + 1]
            if not len(known):
                break
            key = key + before[..., -1 - back] * SYMBOLS**back
            place = np.minimum(np.searchsorted(known, key), len(known) - 1)
            row = np.where(known[place] == key, first + place, row)
            first += len(known)
        return np.asarray(rows[row])

    def log_probability(self, text: str) -> float:
        """Return how likely a text is: the natural logarithm of its probability, ends of words included.

        Parameters
        ----------
        text : str
            Words of a to z, in either case, parted by spaces.

        Raises
        ------
        InputError
            If it holds anything else, or no word.

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

    @cached_property
    def _tables(self) -> tuple[list[Codes], Floats]:
        """Return the known contexts of 0, 1, ... letters, rising, and the logarithms after each, float32 (R, 27).

        Contexts reach back to the boundary before a word at most, so each is known at one length only.
        """
        counts = 2.0 ** (self.steps / OCTAVE)
        depth = (_parts(self.ngrams, 1, self.order) != BOUNDARY).sum(0)  # letters of the word before the last symbol
        keys: list[Codes] = []
        rows = [np.full((1, SYMBOLS), 1 / SYMBOLS)]
        for length in range(self.order):
            known = depth >= length - 1
            grams = _counted(self.ngrams[known], counts[known], depth[known], length, self.order)
            contexts, table = _table(*grams)
            shorter = rows[-1][np.searchsorted(keys[-1], contexts % SYMBOLS ** (length - 1)) if keys else contexts]
            kept = np.minimum(table, DISCOUNT)
            share = kept.sum(1, keepdims=True)
            rows.append((table - kept + share * shorter) / table.sum(1, keepdims=True))
            keys.append(contexts)
        return keys, np.log(np.concatenate(rows[1:])).astype(np.float32)


def load_language(name: str = "en") -> CharacterModel:
    """Load a model that comes with the package.

    Parameters
    ----------
    name : str
        ``en``: words of American English, and first and family names.

    Raises
    ------
    ModelNotFound
        If there is none of that name; the known ones are listed.
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
        If it is empty or holds anything but a to z, in either case.
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


def _places(order: int) -> Codes:
    return np.asarray(SYMBOLS ** np.arange(order - 1, -1, -1, dtype=np.int64))


def _parts(ngrams: Codes, first: int, stop: int) -> Codes:
    """Return the symbols (stop - first, G) of n-grams, the last symbol first."""
    return np.asarray(ngrams // SYMBOLS ** np.arange(first, stop, dtype=np.int64)[:, None] % SYMBOLS)


def _checked_weights(words: Sequence[str], weights: ArrayLike | None) -> NDArray[Any]:
    weight = np.ones(len(words)) if weights is None else np.asarray(weights, np.float64)
    if not len(words):
        raise InputError("0 words to learn from", hint="give at least one")
    if weight.shape != (len(words),):
        raise ShapeError(f"weights {weight.shape}, must be ({len(words)},)", hint="one weight a word")
    if not ((weight > 0) & (weight < np.inf)).all():
        raise InputError("weights not above 0", hint="leave out words that do not count")
    return weight


def _counted(
    ngrams: Codes, counts: NDArray[np.float64], depth: Codes, length: int, order: int
) -> tuple[Codes, NDArray[np.float64]]:
    """Count what follows contexts of one length: how often where they reach as far back as can be, else after what."""
    span = SYMBOLS ** (length + 1)
    grams, inverse = np.unique(ngrams % span, return_inverse=True)
    total = np.bincount(inverse, counts).astype(np.float64)
    if length == order - 1:
        return grams, total
    longer = np.unique(ngrams[depth >= length] % (span * SYMBOLS)) % span
    inner, after = np.unique(longer, return_counts=True)
    total[np.searchsorted(grams, inner)] = after
    return grams, total


def _table(grams: Codes, counts: NDArray[np.float64]) -> tuple[Codes, NDArray[np.float64]]:
    contexts, row = np.unique(grams // SYMBOLS, return_inverse=True)
    table = np.zeros((len(contexts), SYMBOLS))
    table[row, grams % SYMBOLS] = counts
    return contexts, table
