"""Clips with the phrases that they spell, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from signary.datasets.augment.mix import SignerIndex, SpelledBatch
from signary.datasets.clips import Clips, open_clips
from signary.datasets.split import SUPPLEMENTAL
from signary.errors import InputError
from signary.training.recipes.spelling import LONGEST, SpellingRecipe
from signary.training.rows import DrawnRows

NAMED = 5  # of what was skipped for one reason

Rows = NDArray[np.int64]
Batch = tuple[SpelledBatch, Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Phrases:
    """N clips with what they spell.

    Parameters
    ----------
    clips : Clips
        A label is a phrase.
    name, split : str (N,)
        Columns ``id`` and ``split`` of the stores.
    letters : int64 (N, L)
        Numbers of the characters, and padding.
    score : float32 (N,)
        How well each can be read, 0 to 1; NaN = not known.
    """

    clips: Clips
    name: NDArray[np.str_]
    split: NDArray[np.str_]
    letters: NDArray[np.int64]
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.clips)

    def select(self, rows: Rows | NDArray[np.bool_]) -> Phrases:
        """Return some of them."""
        columns = (field.name for field in fields(self) if field.name != "clips")
        return replace(self, clips=self.clips.select(rows), **{name: getattr(self, name)[rows] for name in columns})


def load_phrases(recipe: SpellingRecipe, data: Path) -> tuple[Phrases, list[str]]:
    """Open the clips of a recipe that can be learned from or read.

    Returns
    -------
    phrases : Phrases
        Their scores are not known.
    skipped : list of str
        What was left out, and why.

    Raises
    ------
    InputError
        If nothing is left.
    """
    clips = open_clips(data)
    clips = replace(clips, label=clips.column("label"))  # as they are spelled, not as labels compare
    name, counts = clips.column("id"), np.char.str_len(clips.label)
    known = set(recipe.vocabulary)
    strange = np.array([not known.issuperset(phrase) for phrase in clips.label.tolist()], np.bool_)
    unknown = "".join(sorted(set("".join(clips.label[strange].tolist())) - known))
    reasons = {
        "without a phrase": counts == 0,
        f"with characters that are not known ({unknown!r})": strange,
        f"with phrases of more than {recipe.data.letters} characters": counts > recipe.data.letters,
    }
    skipped = [_told(name[wrong], reason) for reason, wrong in reasons.items() if wrong.any()]
    kept = np.flatnonzero(~np.any(list(reasons.values()), axis=0))
    if not len(kept):
        raise InputError(f"{data}: no clip to learn from", hint="; ".join(skipped) or "see signary data info")
    clips = clips.select(kept)
    letters, _ = recipe.characters.encode_many(clips.label.tolist())
    score = np.full(len(kept), np.nan, np.float32)
    return Phrases(clips, name[kept], clips.column("split"), letters, score), skipped


class PhraseRows(DrawnRows):
    """Batches of rows and of the rows that they are mixed with, int64 (2, B), -1 = with none; anew each epoch.

    An epoch has all clips, but of the supplemental ones one of each phrase. Rows of like lengths are together.

    Parameters
    ----------
    phrases : Phrases
        To learn from.
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


class PhraseBatches(Dataset[Batch]):
    """Padded clips with their phrases, asked for by rows (B,), or with rows to mix them with, (2, B).

    A batch is what was read, the partners at its end; int64 (B,), where each clip's partner is, itself if it has none;
    and the rows.

    Parameters
    ----------
    phrases : Phrases
    points : int64 (P,)
        Which of the 543.
    """

    def __init__(self, phrases: Phrases, points: NDArray[np.int64]) -> None:
        self.phrases, self.points = phrases, points
        self.frames = int(phrases.clips.length.max(initial=1))

    def __getitem__(self, asked: Rows) -> Batch:
        rows, partner = asked if asked.ndim == 2 else (asked, np.full_like(asked, -1))
        place, mixed = np.arange(len(rows)), np.flatnonzero(partner >= 0)
        place[mixed] = len(rows) + np.arange(len(mixed))
        read = np.concatenate([rows, partner[mixed]])
        clips, lengths = self.phrases.clips.padded(read, self.frames, self.points)
        letters = self.phrases.letters[read]
        counts = np.char.str_len(self.phrases.clips.label[read])
        parts = (clips, lengths, letters[:, : counts.max(initial=1)], counts, self.phrases.score[read])
        return SpelledBatch(*map(torch.from_numpy, parts)), torch.from_numpy(place), torch.from_numpy(rows)


def phrase_loader(phrases: Phrases, points: NDArray[np.int64], rows: Sampler[Rows]) -> DataLoader[Batch]:
    """Return a loader of padded batches."""
    chance = torch.Generator().manual_seed(0)
    return DataLoader(PhraseBatches(phrases, points), batch_size=None, sampler=rows, generator=chance)


def _told(names: NDArray[np.str_], reason: str) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(names)} clip{'s' * (len(names) > 1)} {reason}: {', '.join(names[:NAMED].tolist())}{more}"


def epoch_rows(
    phrases: NDArray[np.str_],
    splits: NDArray[np.str_],
    rng: np.random.Generator,
    *,
    supplemental: bool = True,
    longest: int = LONGEST,
) -> Rows:
    """Return the clips of one epoch: all but supplemental ones, and one by chance of each supplemental phrase.

    A few hundred sentences make up the supplemental part, each signed a hundred times: all of it would teach the
    sentences.

    Parameters
    ----------
    phrases, splits : str (N,)
        Columns ``label`` and ``split`` of a store, or some rows of them.
    rng : Generator
    supplemental : bool
        Take these phrases at all.
    longest : int
        Characters beyond which a supplemental phrase is left out.

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
