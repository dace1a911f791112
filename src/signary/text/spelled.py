"""From a network's probabilities for each frame to the likeliest phrase, with times and confidence."""

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
        Probabilities (0 to 1) of the network's classes, in order, in each character's likeliest frame.
    confidence : float
        Probability (0 to 1) that the whole text is right; NaN if it is not known.
    """

    text: str
    first: Integers
    last: Integers
    rows: Floats
    confidence: float

    def at(self, frames: Integers) -> SpelledText:
        """Return the phrase with the frames of a longer clip; ``frames`` are those in which it was read."""
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
    """Find the likeliest text over all paths, and when each of its characters is shown.

    Letters and digits with the same handshape are distinguished by their context.

    Parameters
    ----------
    log_probabilities : float (T, V + 1)
        Natural logarithms, as of `signary.text.ctc.greedy`; the last class is the blank.
    characters : str
        Of the V classes, in order.
    language : PhraseModel, optional
    options : BeamOptions, optional
    trust : Trust, optional
    ended : bool
        False for a phrase that is not over.

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
    candidates = prefix_beam(table, blank, language=language, characters=characters, options=options, ended=ended)
    spelling = align(table, candidates[0].characters, blank)
    sure = float((trust or Trust()).confidence(evidence(candidates, spelling)))
    return _phrase(spelling, characters, len(table), sure)


def _phrase(spelling: Spelling, characters: str, frames: int, confidence: float) -> SpelledText:
    said = "".join(characters[number] for number in spelling.characters.tolist())
    known = {*TWINS, *TWINS.values()} <= set(characters)
    text = told_apart(said, odds=twin_odds(said, spelling.rows, characters)) if known else said
    rows = spelling.rows.copy()
    for row, one, other in zip(rows, said, text, strict=True):
        if one != other:  # the handshape is as sure, whichever symbol it is
            pair = [characters.index(one), characters.index(other)]
            row[pair] = row[pair[::-1]]
    wide = spelling.widened(frames)
    return SpelledText(text, wide.first, wide.last, rows, confidence)
