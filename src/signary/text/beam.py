"""The likeliest texts of a clip, by a beam search over what a network says of every frame, and scored anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError
from signary.ranges import at_least
from signary.text.characters import CHARACTERS
from signary.text.ctc import checked, greedy, log_likelihood
from signary.text.ngrams import BOUNDARY
from signary.text.phrase_model import SYMBOLS, PhraseModel, after, encode

SILENT = np.log(0.999)  # from here on a frame holds no character for sure
STAYS = -1  # in place of a character: the text does not grow
# Texts are told from each other by 64 bits, mixed by odd numbers; 2,500 texts of a clip collide once in 10^12 clips.
EMPTY, SPREAD, MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """How far a beam search looks.

    Parameters
    ----------
    beam : int
        Texts that are followed at a time, 1 or more.
    best : int
        Texts that are returned at most, 1 or more.
    weight : float
        Of the language beside the network, 0 or more.
    insertion : float
        Added to the logarithm for every character; above 0 for longer texts.
    length_power : float
        Scores are divided by the number of characters to this power, 0 or more; 0 leaves them as they are.
    reach : float
        Texts whose logarithm lies this far below the best one's are given up on the way, above 0.

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
    """One text that a clip may say.

    Parameters
    ----------
    characters : int64 (L,)
        Classes.
    log_probability : float
        By the network alone, over all paths.
    score : float
        What it is ranked by: with the language, insertions and length.
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
    """Find the likeliest texts: of each the paths are summed up, where `greedy` follows one path.

    Prefix beam search (Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
    Recurrent DNNs", 2014). Neighboring frames that hold no character for sure, by 999 in 1,000, count as one. What is
    found, and the greedy text, is scored anew over all paths. The language counts for every character, beside one drawn
    at random, and for the end of what is not empty. When each character is spelled, `align` tells.

    Parameters
    ----------
    log_probabilities : float (T, V + 1)
        Natural logarithms; ``-inf`` = impossible.
    blank : int
        The class of no character.
    language : PhraseModel, optional
    characters : str
        With a language: those of the classes but the blank, in order.
    options : BeamOptions, optional
    ended : bool
        False for a text that goes on: the language says nothing of its end.

    Returns
    -------
    list of Candidate
        The best first; one at least.

    Raises
    ------
    ShapeError
        If the logarithms are not (T, V + 1), the blank is no class, or there is not one character a class.
    InputError
        If one is NaN or infinite, or in a frame nothing is possible.
    """
    table, options = checked(log_probabilities, blank), options or BeamOptions()
    rule = _Rule(language, characters, table.shape[1], blank, options, ended)
    key, zero = np.array([EMPTY]), np.zeros(1, np.int64)
    beams, steps = _Beams(zero + 0.0, zero - np.inf, key, key ^ key, zero + blank, zero + 0.0, zero), []
    brief = _condensed(table, blank)
    for row in brief:
        beams, step = _stepped(beams, row, rule, options)
        steps.append(step)
    texts, bonus = _traced(steps, len(beams.key)), beams.bonus + rule.gains(beams.contexts)[:, -1]
    nearly = _scores(texts, np.asarray(np.logaddexp(beams.on_blank, beams.on_last) + bonus), options)
    kept = np.argsort(-nearly, kind="stable")[: options.best]
    texts, bonus = [texts[k] for k in kept], bonus[kept]
    safe = greedy(table, blank).characters
    if not any(np.array_equal(text, safe) for text in texts):
        texts, bonus = [*texts, safe], np.append(bonus, rule.bonus(safe))
    totals = log_likelihood(brief, texts, blank)
    scores = _scores(texts, totals + bonus, options)
    order = np.argsort(-scores, kind="stable")[: options.best].tolist()
    return [Candidate(texts[k], float(totals[k]), float(scores[k])) for k in order]


def rescore(ctc: ArrayLike, attention: ArrayLike, *, weight: float = 0.3) -> Floats:
    """Weigh what two networks, or two heads of one, say of the same texts.

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
        If there are not as many of both.
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
    if weight in (0, 1):  # what does not count may be -inf
        return one.copy() if weight else other.copy()
    return np.asarray(weight * one + (1 - weight) * other)


@dataclass(frozen=True, eq=False, slots=True)
class _Beams:
    """B texts in the making.

    Scores (B,) of the paths that end in a blank and in the last character; keys (B,) of the texts and of them without
    their last character; last characters (B,), the blank of none; what the rule adds (B,); its contexts (B,).
    """

    on_blank: Floats
    on_last: Floats
    key: Keys
    parent: Keys
    last: Integers
    bonus: Floats
    contexts: Integers


class _Rule:
    """What characters are worth after each other, by contexts as of `signary.text.phrase_model.after`."""

    def __init__(
        self,
        language: PhraseModel | None,
        characters: str,
        classes: int,
        blank: int,
        options: BeamOptions,
        ended: bool,
    ) -> None:
        if language is not None and len(characters) != classes - 1:
            raise ShapeError(f"{len(characters)} characters, must be {classes - 1}", hint="one a class but the blank")
        self.blank, self._options, self._ended = blank, options, ended
        self._language = language if options.weight else None
        self._codes = np.append(np.insert(encode(characters), blank, BOUNDARY), BOUNDARY)
        self._known: dict[int, int] = {}
        self._worth = np.zeros((0, classes + 1))

    def gains(self, contexts: Integers) -> Floats:
        """Return what each class, and last the end of the text, adds after contexts (B,): (B, V + 2)."""
        numbers = contexts.tolist()
        if new := [number for number in dict.fromkeys(numbers) if number not in self._known]:
            self._known |= zip(new, range(len(self._known), len(self._known) + len(new)), strict=True)
            self._worth = np.concatenate([self._worth, self._learned(np.array(new))])
        return np.asarray(self._worth[[self._known[number] for number in numbers]])

    def after(self, contexts: Integers, symbols: Integers) -> Integers:
        """Return the contexts after characters (B,)."""
        return after(contexts, self._codes[symbols]) if self._language else contexts

    def bonus(self, text: Integers) -> float:
        """Return what is added to a whole text."""
        contexts = np.zeros(len(text) + 1, np.int64)
        for place, symbol in enumerate(text):
            contexts[place + 1] = self.after(contexts[place], symbol)
        return float(self.gains(contexts)[np.arange(len(text) + 1), np.append(text, -1)].sum())

    def _learned(self, contexts: Integers) -> Floats:
        worth = np.zeros((len(contexts), self._worth.shape[1]))
        if self._language is not None:
            worth += self._options.weight * (self._language.following(contexts, self._codes) + np.log(SYMBOLS))
            # that nothing was spelled is not for the language to say, and the end not before it is there
            worth[(contexts == 0) | (not self._ended), -1] = 0
        worth[:, :-1] += self._options.insertion
        return worth


def _scores(texts: Sequence[Integers], totals: Floats, options: BeamOptions) -> Floats:
    return np.asarray(totals / np.maximum([len(text) for text in texts], 1) ** options.length_power)


def _condensed(table: Floats, blank: int) -> Floats:
    """Join neighboring frames that are `SILENT` into the first of them."""
    silent = table[:, blank] > SILENT
    begins = np.flatnonzero(~silent | np.append(True, ~silent[:-1]))
    joined = table[begins]
    joined[:, blank] = np.add.reduceat(table[:, blank], begins)
    return joined


def _stepped(beams: _Beams, row: Floats, rule: _Rule, options: BeamOptions) -> tuple[_Beams, tuple[Integers, Integers]]:
    """Follow texts one frame on; also return which text each comes from and by which character it grew."""
    count = len(beams.key)
    spoken = row.copy()
    spoken[rule.blank] = -np.inf
    total = np.logaddexp(beams.on_blank, beams.on_last)
    on_blank, on_last = total + row[rule.blank], beams.on_last + spoken[beams.last]
    grown = total[:, None] + spoken
    grown[np.arange(count), beams.last] = beams.on_blank + spoken[beams.last]  # doubles need a blank between them
    child, parent = np.nonzero(beams.parent[:, None] == beams.key)  # texts that grow into one of the others
    on_last[child] = np.logaddexp(on_last[child], grown[parent, beams.last[child]])
    grown[parent, beams.last[child]] = -np.inf
    stays = np.logaddexp(on_blank, on_last) + beams.bonus
    bonus = beams.bonus[:, None] + rule.gains(beams.contexts)[:, :-1]
    source, symbol = _best(stays, grown + bonus, options.beam, options.reach)
    same = symbol == STAYS
    key = beams.key[source]
    followed = _Beams(
        on_blank=np.where(same, on_blank[source], -np.inf),
        on_last=np.where(same, on_last[source], grown[source, symbol]),
        key=np.where(same, key, _keys(key, symbol)),
        parent=np.where(same, beams.parent[source], key),
        last=np.where(same, beams.last[source], symbol),
        bonus=np.where(same, beams.bonus[source], bonus[source, symbol]),
        contexts=np.where(same, beams.contexts[source], rule.after(beams.contexts[source], symbol)),
    )
    return followed, (source, symbol)


def _best(stays: Floats, grown: Floats, width: int, reach: float) -> tuple[Integers, Integers]:
    """Return the texts (B,) that the best ones come from, and by which characters they grow or that they stay."""
    ranks = np.concatenate([stays, grown.ravel()])
    floor = stays.min() if len(stays) == width else -np.inf  # so many stay that none below is among the best
    best = np.flatnonzero((ranks >= max(floor, ranks.max() - reach)) & (ranks > -np.inf))
    if len(best) > width:
        best = best[np.argpartition(-ranks[best], width)[:width]]
    source, symbol = np.divmod(best - len(stays), grown.shape[1])
    same = best < len(stays)
    return np.where(same, best, source), np.where(same, STAYS, symbol)


def _keys(key: Keys, symbol: Integers) -> Keys:
    """Return the keys of texts that grow by characters."""
    mixed = (key ^ (symbol.astype(np.uint64) + np.uint64(1)) * SPREAD) * MIX
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _traced(steps: Sequence[tuple[Integers, Integers]], count: int) -> list[Integers]:
    """Return the texts that the steps lead to."""
    at, grown = np.arange(count), []
    for source, symbol in reversed(steps):
        grown.append(symbol[at])
        at = source[at]
    rows = np.array(grown[::-1], np.int64).reshape(-1, count).T
    return [row[row != STAYS] for row in rows]
