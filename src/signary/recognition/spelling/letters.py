"""Letter by letter: the likeliest texts that a decoder's graph says, several at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signary.graph import Graph
from signary.text.characters import CharacterVocabulary
from signary.text.ctc import align

MEMORY = ("memory_keys", "memory_values")
PAST = ("keys", "values")
LEAST_SHARE = 1e-6

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False, slots=True)
class LetterReading:
    """The text that was found.

    Parameters
    ----------
    numbers : int64 (L,)
        Characters, without the mark of the end.
    rows : float64 (L, V)
        Probabilities (0 to 1) at each.
    looks : float64 (L, S)
        Shares (0 to 1) of the S encoded frames that each was read from.
    log_probability : float
        Of the text and its end.
    """

    numbers: NDArray[np.int64]
    rows: Floats
    looks: Floats
    log_probability: float

    def frames(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and last frame, both included, of each character in a clip of ``count`` frames.

        They follow one another so that each is, as far as may be, where it was read from; characters that are more
        than the encoded frames share these out.
        """
        characters, encoded = self.looks.shape
        if not 0 < characters <= encoded:
            edges = np.linspace(0, count - 1, characters + 1).round().astype(np.int64)
            return edges[:-1], edges[1:]
        nowhere = np.full((encoded, 1), 1 / encoded)  # looked at no more than by chance
        table = np.log(np.maximum(np.hstack([self.looks.T, nowhere]), LEAST_SHARE))
        shown = align(table, np.arange(characters), characters).widened(encoded)
        scale = count / encoded
        return (shown.first * scale).astype(np.int64), np.ceil((shown.last + 1) * scale).astype(np.int64) - 1


def read_letters(
    step: Graph,
    memory: Arrays,
    marks: CharacterVocabulary,
    *,
    letters: int,
    beam: int = 4,
    length_power: float = 0.6,
) -> LetterReading:
    """Follow the likeliest texts until none that goes on can be better than one that has ended.

    Scores are divided by the number of characters to a power, for each more makes a text less likely
    (Wu et al., "Google's Neural Machine Translation System", 2016).

    Parameters
    ----------
    step : Graph
        The graph of one step; see `signary.export.spelling.SpellerStep`.
    memory : dict of str to float32 (M, N, 1, H, S, E)
        What the encoder's graph says of a clip.
    marks : CharacterVocabulary
    letters : int
        Most of a text.
    beam : int
        Texts that are followed at a time; 1 takes the likeliest letter each time.
    length_power : float
        0 or more; 0 leaves scores as they are.
    """
    texts, rows = np.full((1, 1), marks.start), np.zeros((1, 0, len(marks)))
    looks = np.zeros((1, 0, memory[MEMORY[0]].shape[-2]))
    scores, past = np.zeros(1), {name: memory[f"memory_{name}"][..., :0, :] for name in PAST}
    ended: list[tuple[float, LetterReading]] = []
    for length in range(1, letters + 2):
        clip = {name: np.repeat(memory[name], len(texts), 2) for name in MEMORY}
        said = step.run(token=texts[:, -1], **past, **clip)
        logs = _log_softmax(said["logits"].astype(np.float64))
        rows = np.concatenate([rows, np.exp(logs)[:, None]], 1)
        looks = np.concatenate([looks, said["looked"][:, None]], 1)
        totals = scores[:, None] + np.where(_allowed(marks) if length <= letters else _is_end(marks), logs, -np.inf)
        best = np.argsort(-totals, axis=None, kind="stable")[: min(beam, int(np.isfinite(totals).sum()))]
        parent, symbol = np.unravel_index(best, totals.shape)
        scores, over = totals[parent, symbol], symbol == marks.end
        for text in np.flatnonzero(over).tolist():
            kept = parent[text]
            found = LetterReading(texts[kept, 1:], rows[kept, :-1], looks[kept, :-1], float(scores[text]))
            ended.append((found.log_probability / length**length_power, found))
        parent, symbol, scores = parent[~over], symbol[~over], scores[~over]
        if (
            not len(scores)
            or max((score for score, _ in ended), default=-np.inf) >= scores[0] / (letters + 1) ** length_power
        ):
            break
        texts, rows, looks = np.column_stack([texts[parent], symbol]), rows[parent], looks[parent]
        past = {name: said[f"{name}_after"][:, :, parent] for name in PAST}
    return max(ended, key=lambda one: one[0])[1]


def _is_end(marks: CharacterVocabulary) -> NDArray[np.bool_]:
    return np.asarray(np.arange(len(marks)) == marks.end)


def _allowed(marks: CharacterVocabulary) -> NDArray[np.bool_]:
    """Say what may follow: characters and the end."""
    numbers = np.arange(len(marks))
    return np.asarray((numbers < marks.pad) | (numbers == marks.end))


def _log_softmax(logits: Floats) -> Floats:
    away = logits - logits.max(-1, keepdims=True)
    return np.asarray(away - np.log(np.exp(away).sum(-1, keepdims=True)))
