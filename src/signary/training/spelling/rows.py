"""Which phrases each batch of an epoch holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from signary.datasets.augment.mix import SignerIndex
from signary.datasets.split import SUPPLEMENTAL
from signary.training.recipes.spelling import LONGEST, SpellingRecipe
from signary.training.rows import DrawnRows
from signary.training.spelling.batches import Phrases, Rows


class PhraseRows(DrawnRows):
    """Batches of rows and their partners to mix them with, int64 (2, B), -1 = none; drawn anew each epoch.

    An epoch is one of `epoch_rows`. Clips of similar length are in one batch.

    Parameters
    ----------
    phrases : Phrases
    recipe : SpellingRecipe
    """

    def __init__(self, phrases: Phrases, recipe: SpellingRecipe) -> None:
        self.phrases, self.recipe = phrases, recipe
        lengths = phrases.clips.length if recipe.data.buckets else None
        super().__init__(len(self._epoch(np.random.default_rng(0))), recipe.batch, recipe.seed, lengths=lengths)
        self.signers = SignerIndex(phrases.clips.signer)

    def __iter__(self) -> Iterator[Rows]:
        random = np.random.default_rng((self.recipe.seed, self.epoch))
        drawn = self._sorted(random.permutation(self._epoch(random)))
        batches = np.array_split(drawn, range(self.batch, self.count, self.batch))
        for place in random.permutation(len(batches)):
            rows = batches[place]
            yield np.stack([rows, self.signers.draw(rows, random, self.recipe.augment.mix)])

    def _epoch(self, random: np.random.Generator) -> Rows:
        data = self.recipe.data
        label, split = self.phrases.clips.label, self.phrases.split
        return epoch_rows(label, split, random, supplemental=data.supplemental, longest=data.letters)


def epoch_rows(
    phrases: NDArray[np.str_],
    splits: NDArray[np.str_],
    rng: np.random.Generator,
    *,
    supplemental: bool = True,
    longest: int = LONGEST,
) -> Rows:
    """Return the clips of one epoch: all that are not supplemental, and a random one of each supplemental phrase.

    The supplemental part has a few hundred sentences, each signed a hundred times. A network trained on all of it would
    memorize them.

    Parameters
    ----------
    phrases, splits : str (N,)
        Columns ``label`` and ``split`` of a store, or some of their rows.
    rng : Generator
    supplemental : bool
        Include them.
    longest : int
        Characters of the longest supplemental phrase.

    Returns
    -------
    int64 (E,)
        Rows of ``phrases``, rising.

    Source: C. Henkel and D. Hanley, https://www.kaggle.com/competitions/asl-fingerspelling/discussion/434485.
    """
    extra = splits == SUPPLEMENTAL
    rows = np.flatnonzero(~extra)
    if not supplemental:
        return rows
    offered = rng.permutation(np.flatnonzero(extra & (np.char.str_len(phrases) <= longest)))
    _, first = np.unique(phrases[offered], return_index=True)
    return np.sort(np.concatenate([rows, offered[first]]))
