"""Symbols with the same handshape, 2 and V, 6 and W, 9 and F, 0 and O, distinguished by their context."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import ShapeError

TWINS = {"2": "v", "6": "w", "9": "f", "0": "o"}
_FOLDING = str.maketrans(TWINS)
# Log-probabilities of each digit among ten, and of each of these letters in English.
DIGIT = -2.3
LETTER = {"v": -4.6, "w": -4.0, "f": -4.0, "o": -2.6}
# The same for words of twins alone.
WORDS = {"of": -3.5, "off": -7.0, "vow": -9.0, "wow": -9.0}
# Of a first symbol, and of the next one by the text between: rows letter, digit before; columns letter, digit after.
# Rounded from made-up names, words, addresses, phone numbers and web addresses; never below -6.
FIRST, AFTER_PLUS = (-0.4, -1.1), (-6.0, 0.0)
WEB = -20.0  # for three digits that may be "www."
NEXT = {
    "": ((0.0, -6.0), (-6.0, 0.0)),
    " ": ((0.0, -3.0), (0.0, -4.0)),
    "-": ((0.0, -5.0), (-5.0, 0.0)),
    "other": ((0.0, -5.0), (-3.0, 0.0)),
}

Floats = NDArray[np.float64]


def fold(text: str) -> str:
    """Return a text with digits replaced by the letters of the same handshape.

    Examples
    --------
    >>> fold("route 290")
    'route vfo'
    """
    return text.translate(_FOLDING)


def told_apart(text: str, *, odds: ArrayLike | None = None) -> str:
    """Choose letters or digits for symbols that share a handshape, whichever fits their neighbors best.

    The likeliest sequence is chosen (Viterbi), by how often letters and digits follow each other and how often each
    twin occurs. Other symbols are kept and serve as context; without context, a number is a guess.

    Parameters
    ----------
    text : str
        Lower-case.
    odds : float (L,), optional
        The reader's log-odds of digit against letter for each character, see `twin_odds`; 0 by default.

    Returns
    -------
    str
        As long as ``text``.

    Raises
    ------
    ShapeError
        If there is not one value for each character.

    Examples
    --------
    >>> told_apart("v0v-555-o1v6"), told_apart("b0b 2i6wam")
    ('202-555-0126', 'bob viwwam')
    """
    given = np.zeros(len(text)) if odds is None else np.asarray(odds, np.float64)
    if given.shape != (len(text),):
        raise ShapeError(f"odds {given.shape}, must be ({len(text)},)", hint="one a character")
    letters, digits = text.translate(_LETTERS), text.translate(_DIGITS)
    symbols = [place for place, symbol in enumerate(text) if symbol.isalnum()]
    if not symbols:
        return text
    score = _own(letters, given)[symbols]
    came = np.zeros((len(symbols), 2), np.int64)
    score[0] += AFTER_PLUS if text[: symbols[0]].endswith("+") else FIRST
    for row, (one, other) in enumerate(pairwise(symbols), 1):
        between = text[one + 1 : other]
        ways = score[row - 1][:, None] + NEXT[between if between in NEXT else "other"]
        came[row] = ways.argmax(0)
        score[row] += ways.max(0)
    kind, told = int(score[-1].argmax()), list(text)
    for place, whence in zip(reversed(symbols), came[::-1].tolist(), strict=True):
        told[place] = (digits if kind else letters)[place]
        kind = whence[kind]
    return "".join(told)


def twin_odds(text: str, rows: ArrayLike, characters: str) -> Floats:
    """Return the log-odds of each character's digit against its twin letter.

    Parameters
    ----------
    text : str
        L characters.
    rows : float (L, V)
        Probabilities of all classes, as of `Spelling.rows`; classes after the characters do not matter.
    characters : str
        Of the classes, in order.

    Returns
    -------
    float64 (L,)
        0 where the character has no twin.
    """
    table = np.log(np.maximum(np.asarray(rows, np.float64), 1e-9))
    odds = np.zeros(len(text))
    for place, symbol in enumerate(text.translate(_DIGITS)):
        if symbol in TWINS:
            odds[place] = table[place, characters.index(symbol)] - table[place, characters.index(TWINS[symbol])]
    return odds


_LETTERS = str.maketrans(TWINS)
_DIGITS = str.maketrans({letter: digit for digit, letter in TWINS.items()})


def _own(letters: str, odds: Floats) -> Floats:
    """Return the scores (L, 2) of each character as a letter and as a digit."""
    score = np.zeros((len(letters), 2))
    for place, symbol in enumerate(letters):
        if symbol in LETTER:
            score[place] = LETTER[symbol], DIGIT + odds[place]
        else:
            score[place, 0 if symbol.isdigit() else 1] = -np.inf
    for word in re.finditer(r"(?<![a-z0-9])[vwfo]+(?![a-z0-9])", letters):
        if letters.startswith("www.", word.start()):
            score[slice(*word.span()), 1] = WEB
        elif word.group() in WORDS:
            score[slice(*word.span()), 0] = WORDS[word.group()] / len(word.group())
    return score
