"""What a network says of every frame of a phrase, as its likeliest text, with times and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.text.beam import BeamOptions, prefix_beam
from signary.text.ctc import align, checked
from signary.text.phrase_model import PhraseModel
from signary.text.spelling import Spelling
from signary.text.trust import Trust, evidence
from signary.text.twins import TWINS, told_apart, twin_odds

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class SpelledText:
    """A phrase of L characters.

    Parameters
    ----------
    text : str
    first, last : int64 (L,)
        Frames of each, both included.
    rows : float (L, V)
        Probabilities (0 to 1) of all classes where each is likeliest, in the order of the network's.
    confidence : float
        Probability (0 to 1) that all of the text is right; NaN where nothing says so.
    """

    text: str
    first: Integers
    last: Integers
    rows: Floats
    confidence: float

    def at(self, frames: Integers) -> SpelledText:
        """Return the phrase in the frames of a longer clip, of which it was read in the given ones."""
        return replace(self, first=frames[self.first], last=frames[self.last])


def spelled_text(
    log_probabilities: ArrayLike,
    characters: str,
    *,
    language: PhraseModel | None = None,
    options: BeamOptions | None = None,
    trust: Trust | None = None,
    ended: bool = True,
) -> SpelledText:
    """Read a phrase: the likeliest text over all paths, and when each of its characters is shown.

    Shapes that are one for a letter and a digit are told apart by what stands around them.

    Parameters
    ----------
    log_probabilities : float (T, V + 1)
        Natural logarithms, as of `signary.text.ctc.greedy`; the last class is no character.
    characters : str
        Of the V classes, in order.
    language : PhraseModel, optional
    options : BeamOptions, optional
    trust : Trust, optional
    ended : bool
        False for a phrase that goes on.

    Returns
    -------
    SpelledText

    Raises
    ------
    ShapeError, InputError
        As of `signary.text.beam.prefix_beam`.
    """
    blank = len(characters)
    table = checked(log_probabilities, blank)
    readings = prefix_beam(table, blank, language=language, characters=characters, options=options, ended=ended)
    spelling = align(table, readings[0].characters, blank)
    sure = float((trust or Trust()).confidence(evidence(readings, spelling)))
    return _phrase(spelling, characters, len(table), sure)


def _phrase(spelling: Spelling, characters: str, frames: int, confidence: float) -> SpelledText:
    said = "".join(characters[number] for number in spelling.characters.tolist())
    known = {*TWINS, *TWINS.values()} <= set(characters)
    text = told_apart(said, odds=twin_odds(said, spelling.rows, characters)) if known else said
    rows = spelling.rows.copy()
    for row, one, other in zip(rows, said, text, strict=True):
        if one != other:  # the shape was seen as surely, whichever symbol it is
            pair = [characters.index(one), characters.index(other)]
            row[pair] = row[pair[::-1]]
    wide = spelling.widened(frames)
    return SpelledText(text, wide.first, wide.last, rows, confidence)
