"""Beam search over a decoder that gives one letter after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signary.bundles.manifest import AFTER, MEMORY, PAST
from signary.graph import Graph
from signary.text.characters import CharacterVocabulary
from signary.text.ctc import align

LEAST_SHARE = 1e-6

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False, slots=True)
class LetterReading:
    """The text that was found.

    Parameters
    ----------
    numbers : int64 (L,)
        Characters, without the end token.
    rows : float64 (L, V)
        Probabilities (0 to 1) at each character.
    looks : float64 (L, S)
        Attention (0 to 1) of each character to the S encoded frames.
    log_probability : float
        Of the text with its end token.
    """

    numbers: NDArray[np.int64]
    rows: Floats
    looks: Floats
    log_probability: float

    def frames(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and last frame, both included, of each character in a clip of ``count`` frames.

        Characters are in order, each as near as possible to the frames that it attends to. If there are more
        characters than encoded frames, all get equal shares of the clip.
        """
        characters, encoded = self.looks.shape
        if not 0 < characters <= encoded:
            edges = np.linspace(0, count - 1, characters + 1).round().astype(np.int64)
            return edges[:-1], edges[1:]
        nowhere = np.full((encoded, 1), 1 / encoded)  # attention no higher than by chance
        table = np.log(np.maximum(np.hstack([self.looks.T, nowhere]), LEAST_SHARE))
        shown = align(table, np.arange(characters), characters).widened(encoded)
        scale = count / encoded
        return (shown.first * scale).astype(np.int64), np.ceil((shown.last + 1) * scale).astype(np.int64) - 1


def read_letters(
    step: Graph, memory: Arrays, marks: CharacterVocabulary, *, letters: int, beam: int = 4, length_power: float = 0.6
) -> LetterReading:
    """Search for the likeliest text until no open text can become better than one that has ended.

    Log probabilities fall with each character, so they are divided by a power of the number of characters
    (Wu et al., "Google's Neural Machine Translation System", 2016).

    Parameters
    ----------
    step : Graph
        The graph of one step; see `signary.export.spelling.SpellerStep`.
    memory : dict of str to float32 (M, N, 1, H, S, E)
        Outputs of the encoder's graph for a clip.
    marks : CharacterVocabulary
    letters : int
        Most letters of a text.
    beam : int
        Open texts at a time; 1 is greedy search.
    length_power : float
        0 or more; 0 does not normalize.
    """
    texts, rows = np.full((1, 1), marks.start), np.zeros((1, 0, len(marks)))
    looks = np.zeros((1, 0, memory[MEMORY[0]].shape[-2]))
    scores, numbers = np.zeros(1), np.arange(len(marks))
    ends = numbers == marks.end
    allowed = (numbers < marks.pad) | ends
    past = {name: memory[source][..., :0, :] for name, source in zip(PAST, MEMORY, strict=True)}
    ended: list[tuple[float, LetterReading]] = []
    for length in range(1, letters + 2):
        clip = {name: np.repeat(memory[name], len(texts), 2) for name in MEMORY}
        said = step.run(token=texts[:, -1], **past, **clip)
        logs = _log_softmax(said["logits"].astype(np.float64))
        rows = np.concatenate([rows, np.exp(logs)[:, None]], 1)
        looks = np.concatenate([looks, said["looked"][:, None]], 1)
        totals = scores[:, None] + np.where(allowed if length <= letters else ends, logs, -np.inf)
        best = np.argsort(-totals, axis=None, kind="stable")[: min(beam, int(np.isfinite(totals).sum()))]
        parent, symbol = np.unravel_index(best, totals.shape)
        scores, over = totals[parent, symbol], symbol == marks.end
        for text in np.flatnonzero(over).tolist():
            kept = parent[text]
            found = LetterReading(texts[kept, 1:], rows[kept, :-1], looks[kept, :-1], float(scores[text]))
            ended.append((found.log_probability / length**length_power, found))
        parent, symbol, scores = parent[~over], symbol[~over], scores[~over]
        best_ended = max((score for score, _ in ended), default=-np.inf)
        if not len(scores) or best_ended >= scores[0] / (letters + 1) ** length_power:
            break
        texts, rows, looks = np.column_stack([texts[parent], symbol]), rows[parent], looks[parent]
        past = {name: said[after][:, :, parent] for name, after in zip(PAST, AFTER, strict=True)}
    return max(ended, key=lambda one: one[0])[1]


def _log_softmax(logits: Floats) -> Floats:
    away = logits - logits.max(-1, keepdims=True)
    return np.asarray(away - np.log(np.exp(away).sum(-1, keepdims=True)))
