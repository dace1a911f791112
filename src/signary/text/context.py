"""Letters in context: combine a reader's probabilities with a language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError
from signary.ranges import above_zero, at_least, within
from signary.text.language import LETTERS, SYMBOLS, CharacterModel
from signary.text.ngrams import BOUNDARY
from signary.text.recognition import Alternative, Token

FLOOR = 1e-4  # probability of a letter that the reader does not list
KEPT = -1  # code of a token that is not a letter
# Log-odds that a doubtful shape is a letter, not a transition: by its seconds (logarithm), its confidence, the pauses
# before and after it (seconds, up to 0.2 each), and whether it is first or last. From a logistic regression on words
# that the avatar spells at 2 to 3 letters a second. `REAL` is raised from 1.8 by the language model's cost of a letter;
# `AT_END` is lowered from -1.2, so that single letters stay single.
BY_TIME, BY_CONFIDENCE, BY_PAUSES, AT_END, REAL = 2.4, 2.2, 9.2, -2.0, 2.8
LONGEST_PAUSE_S, TINY_S = 0.2, 1e-3
# A word may end if the next letter starts later than the usual step by the first factor; it must from the second on.
MAY_PART, MUST_PART = 1.5, 4.0

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """Options of the context.

    Parameters
    ----------
    weight : float
        Of the language model; 0 = the reader alone.
    sure : float
        Readings with at least this probability (0 to 1) are never changed: people spell names and rare words.
    beam : int
        Beam width: how many texts are followed at a time, 1 or more.
    hold_s : float
        Shortest time that a letter is held. Shapes this short are letters only if they fit the context.
    min_confidence : float
        Lowest mean probability of a letter (0 to 1); the same applies.

    Raises
    ------
    InputError
        If one is outside its range.
    """

    weight: float = 0.5
    sure: float = 0.9
    beam: int = 32
    hold_s: float = 0.12
    min_confidence: float = 0.3

    def __post_init__(self) -> None:
        at_least(0, "0 is the reader alone", weight=self.weight)
        at_least(1, "32 texts are plenty", beam=self.beam)
        within(0, 1, "a probability", sure=self.sure, min_confidence=self.min_confidence)
        above_zero("seconds", hold_s=self.hold_s)


def read_words(
    letters: ArrayLike,
    model: CharacterModel,
    *,
    gaps: ArrayLike | None = None,
    options: ContextOptions | None = None,
) -> Codes:
    """Find the likeliest letters by a beam search.

    What the reader is sure of (`ContextOptions.sure`) is not changed and serves as context for the rest.

    Parameters
    ----------
    letters : float (L, 27)
        Logarithms of probabilities at each position: of no letter, then of a to z; ``-inf`` = impossible. Rows are
        normalized here.
    model : CharacterModel
    gaps : float (L,), optional
        Probability (0 to 1) that a word starts at each position; by default 0: all one word.
    options : ContextOptions, optional

    Returns
    -------
    int64 (L,)
        0 = no letter, 1 to 26 = a to z.

    Raises
    ------
    ShapeError
        If the arrays do not fit together.
    InputError
        If a probability is NaN or infinite, a row holds none above 0, or a gap is not 0 to 1.
    """
    options = options or ContextOptions()
    rows, chances = _checked(letters, gaps)
    sure = rows.max(1, initial=-np.inf) >= np.log(max(options.sure, 1e-300))
    rows[sure[:, None] & (np.arange(SYMBOLS) != rows.argmax(1)[:, None])] = -np.inf
    paths = _Paths(np.zeros(1), model.start[None], np.zeros((1, 0), np.int64))
    for row, gap in zip(rows, chances.tolist(), strict=True):
        paths = _stepped(_parted(paths, gap, model, options), row, model, options)
    ended = paths.scores + options.weight * _ends(paths, model)
    return np.asarray(paths.read[int(ended.argmax())])


def tokens_in_context(
    tokens: Sequence[Token],
    model: CharacterModel,
    *,
    frame_s: float,
    doubtful: Sequence[Token] = (),
    options: ContextOptions | None = None,
    alternatives: int = 4,
) -> list[Token]:
    """Correct spelled tokens by their context.

    A token of one letter a to z may become another letter, unless its confidence is `ContextOptions.sure` or more. Any
    other token is kept and separates words. A changed token keeps its times, has the new letter's confidence, and has
    the old letter among its alternatives.

    Parameters
    ----------
    tokens : sequence of Token
        In order of time, with all alternatives.
    model : CharacterModel
    frame_s : float
        Seconds between frames.
    doubtful : sequence of Token
        Possible letters, or transitions, in order of time; those between ``tokens`` are added where they fit.
    options : ContextOptions, optional
    alternatives : int
        Largest number of alternatives.

    Returns
    -------
    list of Token
    """
    options = options or ContextOptions()
    every = sorted([*tokens, *_between(tokens, doubtful)], key=lambda token: token.start_s)
    firm = {id(token) for token in tokens}
    real = [1.0 if id(token) in firm else chance for token, chance in zip(every, _real(every, frame_s), strict=True)]
    codes = np.full(len(every), KEPT)
    spelled = np.array([_is_letter(token.text) for token in every], np.bool_)
    rows = [_row(*pair, options.sure) for pair in zip(every, real, strict=True) if _is_letter(pair[0].text)]
    letters = np.array(rows).reshape(-1, SYMBOLS)
    how = replace(options, sure=1.0)  # the rows already hold what is sure
    codes[spelled] = read_words(letters, model, gaps=_gaps(every, spelled)[spelled], options=how)
    pairs = zip(every, codes.tolist(), strict=True)
    return [_changed(token, code, alternatives) for token, code in pairs if code != BOUNDARY]


@dataclass(frozen=True, eq=False, slots=True)
class _Paths:
    """B texts that may still grow: scores (B,), contexts (B, N - 1) and codes (B, positions read)."""

    scores: Floats
    contexts: Codes
    read: Codes


def _checked(letters: ArrayLike, gaps: ArrayLike | None) -> tuple[Floats, Floats]:
    rows = np.array(letters, np.float64)
    if rows.ndim != 2 or rows.shape[1] != SYMBOLS:
        raise ShapeError(f"letters {rows.shape}, must be (L, {SYMBOLS})", hint="no letter, then a to z")
    if np.isnan(rows).any() or (rows == np.inf).any():
        raise InputError("letters not a number or endless", hint="give logarithms of probabilities")
    if not np.isfinite(rows).any(1).all():
        raise InputError("letters: a place at which nothing is possible", hint="leave it out")
    chances = np.zeros(len(rows)) if gaps is None else np.asarray(gaps, np.float64)
    if chances.shape != rows.shape[:1]:
        raise ShapeError(f"gaps {chances.shape}, must be ({len(rows)},)", hint="one a place")
    if not ((chances >= 0) & (chances <= 1)).all():
        raise InputError("gaps outside 0 to 1", hint="the chance that a word starts there")
    return rows - np.logaddexp.reduce(rows, axis=1, keepdims=True), chances


def _ends(paths: _Paths, model: CharacterModel) -> Floats:
    """Return the log-probability (B,) that each text's last word ends here; 0 if no word has begun."""
    ends = model.next_log_probabilities(paths.contexts)[:, BOUNDARY]
    return np.where(paths.contexts[:, -1] == BOUNDARY, 0.0, ends)


def _parted(paths: _Paths, gap: float, model: CharacterModel, options: ContextOptions) -> _Paths:
    """Add texts in which a new word starts here."""
    if gap == 0:
        return paths
    apart = paths.scores + options.weight * _ends(paths, model) + np.log(gap)
    parted = _Paths(apart, np.broadcast_to(model.start, paths.contexts.shape), paths.read)
    if gap == 1:
        return parted
    both = (parted, _Paths(paths.scores + np.log1p(-gap), paths.contexts, paths.read))
    return _Paths(*(np.concatenate([getattr(part, name) for part in both]) for name in _Paths.__slots__))


def _stepped(paths: _Paths, row: Floats, model: CharacterModel, options: ContextOptions) -> _Paths:
    """Follow the likeliest texts one position on."""
    language = model.next_log_probabilities(paths.contexts).astype(np.float64)
    language[:, BOUNDARY] = 0  # nothing was spelled, so nothing follows
    scores = (paths.scores[:, None] + row + options.weight * language).ravel()
    best = np.argsort(-scores, kind="stable")[: options.beam]
    best = best[np.isfinite(scores[best])]
    source, symbol = np.divmod(best, SYMBOLS)
    before = paths.contexts[source]
    after = np.concatenate([before[:, 1:], symbol[:, None]], 1)
    contexts = np.where(symbol[:, None] == BOUNDARY, before, after)
    return _Paths(scores[best], contexts, np.concatenate([paths.read[source], symbol[:, None]], 1))


def _is_letter(text: str) -> bool:
    return len(text) == 1 and text.lower() in LETTERS


def _between(tokens: Sequence[Token], others: Sequence[Token]) -> list[Token]:
    """Return the letters among ``others`` that overlap none of the tokens, which are in order."""
    others = [other for other in others if _is_letter(other.text)]
    starts, ends = np.array([(token.start_s, token.end_s) for token in tokens]).reshape(-1, 2).T
    following = np.searchsorted(ends, [other.start_s for other in others], side="right")
    free_until = np.append(starts, np.inf)[following]
    return [other for other, limit in zip(others, free_until.tolist(), strict=True) if other.end_s <= limit]


def _real(tokens: Sequence[Token], frame_s: float) -> list[float]:
    """Return the probability that each token, if it is doubtful, is a letter."""
    if not tokens:
        return []
    starts, ends, sure = np.array([(token.start_s, token.end_s, token.confidence) for token in tokens]).T
    pauses = np.clip(starts[1:] - ends[:-1] + frame_s, 0, LONGEST_PAUSE_S)
    pauses = np.append(pauses, 0) + np.append(0, pauses)
    odds = REAL + BY_TIME * np.log(np.maximum(ends - starts, TINY_S)) + BY_CONFIDENCE * sure + BY_PAUSES * pauses
    odds[[0, -1]] += AT_END
    chances: list[float] = (1 / (1 + np.exp(-odds))).tolist()
    return chances


def _row(token: Token, real: float, sure: float) -> Floats:
    """Return the log-probabilities (27,) of the letters that a token may be."""
    certain = real == 1 and token.confidence >= sure
    chances = np.full(SYMBOLS, 0.0 if certain else FLOOR)
    for reading in (*(() if certain else token.alternatives), Alternative(token.text, token.confidence)):
        if _is_letter(reading.text):
            chances[1 + LETTERS.index(reading.text.lower())] = max(reading.confidence, FLOOR)
    chances[1:] *= real / chances[1:].sum()
    chances[BOUNDARY] = 1 - real
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(chances))


def _gaps(tokens: Sequence[Token], spelled: NDArray[np.bool_]) -> Floats:
    """Return the probability that a word starts at each token: after a token that is not a letter, or a long pause."""
    steps = np.diff([token.start_s for token in tokens])
    usual = np.median(steps) if len(steps) else 0.0
    late = np.where(steps > MUST_PART * usual, 1.0, np.where(steps > MAY_PART * usual, 0.5, 0.0))
    return np.asarray(np.concatenate([[1.0], np.where(spelled[:-1], late, 1.0)])[: len(tokens)])


def _changed(token: Token, code: int, alternatives: int) -> Token:
    """Return a token read as ``code``."""
    letter = token.text.lower() if code == KEPT else LETTERS[code - 1]
    if letter == token.text.lower():
        return replace(token, alternatives=token.alternatives[:alternatives])
    unnamed = Alternative(letter.upper() if token.text.isupper() else letter, 0.0)
    new = next((other for other in token.alternatives if other.text.lower() == letter), unnamed)
    others = [Alternative(token.text, token.confidence), *(other for other in token.alternatives if other is not new)]
    others.sort(key=lambda other: -other.confidence)
    return replace(token, text=new.text, confidence=new.confidence, alternatives=tuple(others[:alternatives]))
