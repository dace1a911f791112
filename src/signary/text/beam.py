"""The likeliest texts of a clip, by a beam search over a network's probabilities for each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError
from signary.ranges import at_least
from signary.text.bonus import Bonus
from signary.text.characters import CHARACTERS
from signary.text.ctc import checked, greedy, log_likelihood
from signary.text.phrase_model import PhraseModel
from signary.text.prefixes import Prefixes, condensed, traced

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """Options of a beam search.

    Parameters
    ----------
    beam : int
        Beam width: how many texts are followed at a time, 1 or more.
    best : int
        Largest number of texts to return, 1 or more.
    weight : float
        Of the language model, 0 or more; the network has 1.
    insertion : float
        Added to the score for every character; above 0 favors longer texts.
    length_power : float
        Scores are divided by the number of characters to this power, 0 or more; 0 leaves them unchanged.
    reach : float
        Texts whose score is this far below the best one are pruned, above 0.

    Raises
    ------
    InputError
        If one is outside its range.
    """

    beam: int = 16
    best: int = 5
    weight: float = 0.3
    insertion: float = 0.0
    length_power: float = 0.0
    reach: float = 10.0

    def __post_init__(self) -> None:
        at_least(1, "texts", beam=self.beam, best=self.best)
        at_least(0, "0 switches it off", weight=self.weight, length_power=self.length_power)
        if not self.reach > 0:
            raise InputError(f"reach={self.reach}, must be above 0", hint="infinite to give up none")
        if not np.isfinite(self.insertion):
            raise InputError(f"insertion={self.insertion}, must be finite", hint="0 switches it off")


@dataclass(frozen=True, eq=False, slots=True)
class Candidate:
    """A text that may be spelled in a clip.

    Parameters
    ----------
    characters : int64 (L,)
        Classes.
    log_probability : float
        By the network alone, summed over all paths.
    score : float
        For ranking: with language model, insertion bonus and length.
    """

    characters: Integers
    log_probability: float
    score: float


def prefix_beam(
    log_probabilities: ArrayLike,
    blank: int,
    *,
    language: PhraseModel | None = None,
    characters: str = CHARACTERS,
    options: BeamOptions | None = None,
    ended: bool = True,
) -> list[Candidate]:
    """Find the likeliest texts, each by the sum over its paths; `greedy` follows a single path.

    Prefix beam search (Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
    Recurrent DNNs", 2014). Neighboring frames with a blank of 0.999 or more are merged. The texts found, and the greedy
    text, are rescored over all paths. The language model counts for every character, relative to a random one, and for
    the end of a text that is not empty. `align` finds when each character is spelled.

    Parameters
    ----------
    log_probabilities : float (T, V + 1)
        Natural logarithms; ``-inf`` = impossible.
    blank : int
        The class of no character.
    language : PhraseModel, optional
    characters : str
        With a language: those of the classes without the blank, in order.
    options : BeamOptions, optional
    ended : bool
        False for a text that goes on: the language model does not judge its end.

    Returns
    -------
    list of Candidate
        The best first; at least one.

    Raises
    ------
    ShapeError
        If the logarithms are not (T, V + 1), the blank is not a class, or there is not one character for each class.
    InputError
        If one is NaN or infinite, or in a frame nothing is possible.
    """
    table, options = checked(log_probabilities, blank), options or BeamOptions()
    worth = {"weight": options.weight, "insertion": options.insertion}
    bonus = Bonus(language, characters, table.shape[1], blank, ended=ended, **worth)
    prefixes, steps, brief = Prefixes.start(blank), [], condensed(table, blank)
    for row in brief:
        prefixes, step = prefixes.step(row, bonus, beam=options.beam, reach=options.reach)
        steps.append(step)
    texts, added = traced(steps, len(prefixes.key)), prefixes.bonus + bonus.gains(prefixes.contexts)[:, -1]
    nearly = _scores(texts, np.asarray(np.logaddexp(prefixes.on_blank, prefixes.on_last) + added), options)
    kept = np.argsort(-nearly, kind="stable")[: options.best]
    texts, added = [texts[k] for k in kept], added[kept]
    safe = greedy(table, blank).characters
    if not any(np.array_equal(text, safe) for text in texts):
        texts, added = [*texts, safe], np.append(added, bonus.of(safe))
    totals = log_likelihood(brief, texts, blank)
    scores = _scores(texts, totals + added, options)
    order = np.argsort(-scores, kind="stable")[: options.best].tolist()
    return [Candidate(texts[k], float(totals[k]), float(scores[k])) for k in order]


def rescore(ctc: ArrayLike, attention: ArrayLike, *, weight: float = 0.3) -> Floats:
    """Combine the scores that two networks, or two heads of one, give the same texts.

    Watanabe et al., "Hybrid CTC/Attention Architecture for End-to-End Speech Recognition", 2017.

    Parameters
    ----------
    ctc, attention : float (N,)
        Logarithms of probabilities of N texts, as of `log_likelihood` and a decoder's sums; ``-inf`` = impossible.
    weight : float
        Of CTC, 0 to 1.

    Returns
    -------
    float64 (N,)
        Scores; the text of the highest is the one to take.

    Raises
    ------
    ShapeError
        If their numbers differ.
    InputError
        If a score is NaN or the weight is not 0 to 1.

    Examples
    --------
    >>> rescore([-1.0, -2.0], [-4.0, -1.0], weight=0.5).tolist()
    [-2.5, -1.5]
    """
    one, other = np.asarray(ctc, np.float64), np.asarray(attention, np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise ShapeError(f"scores {one.shape} and {other.shape}, must both be (N,)", hint="one of each a text")
    if not 0 <= weight <= 1:
        raise InputError(f"weight={weight}, must be 0 to 1", hint="1 is CTC alone")
    if np.isnan(one).any() or np.isnan(other).any():
        raise InputError("scores: not a number", hint="-inf where a text is impossible")
    if weight in (0, 1):  # the other score may be -inf
        return one.copy() if weight else other.copy()
    return np.asarray(weight * one + (1 - weight) * other)


def _scores(texts: Sequence[Integers], totals: Floats, options: BeamOptions) -> Floats:
    return np.asarray(totals / np.maximum([len(text) for text in texts], 1) ** options.length_power)
