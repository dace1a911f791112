"""Clips with the phrases that they spell, and batches of both."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from signary.datasets.augment.mix import SpelledBatch
from signary.datasets.clips import Clips, open_clips
from signary.errors import InputError
from signary.models.point_network import SpellingNetwork
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.rows import ShuffledRows, row_loader

NAMED = 5  # clips skipped for one reason
READ_BATCH = 32

Rows = NDArray[np.int64]
Batch = tuple[SpelledBatch, Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Phrases:
    """N clips with the phrases that they spell.

    Parameters
    ----------
    clips : Clips
        Labels are phrases.
    name, split : str (N,)
        Columns ``id`` and ``split`` of the stores.
    letters : int64 (N, L)
        Numbers of the characters, with padding.
    score : float32 (N,)
        How well each can be read, 0 to 1; NaN = unknown.
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
    """Open the clips of a recipe with phrases that it can spell; as `signary.training.clips.load_clips`."""
    clips = open_clips(data)
    clips = replace(clips, label=clips.column("label"))  # as spelled, without the normalization of labels
    name, counts = clips.column("id"), np.char.str_len(clips.label)
    known = set(recipe.vocabulary)
    strange = np.array([not known.issuperset(phrase) for phrase in clips.label.tolist()], np.bool_)
    unknown = "".join(sorted(set("".join(clips.label[strange].tolist())) - known))
    reasons = {
        "without a phrase": counts == 0,
        f"with characters that are not known ({unknown!r})": strange,
        f"with phrases of more than {recipe.data.letters} characters": counts > recipe.data.letters,
    }
    skipped = [_told(name[wrong].tolist(), reason) for reason, wrong in reasons.items() if wrong.any()]
    kept = np.flatnonzero(~np.any(list(reasons.values()), axis=0))
    if not len(kept):
        raise InputError(f"{data}: no clip to learn from", hint="; ".join(skipped) or "see signary data info")
    clips = clips.select(kept)
    letters, _ = recipe.characters.encode_many(clips.label.tolist())
    score = np.full(len(kept), np.nan, np.float32)
    return Phrases(clips, name[kept], clips.column("split"), letters, score), skipped


def _told(names: list[str], reason: str) -> str:
    return f"{len(names)} clip{'s' * (len(names) > 1)} {reason}: {listed(names, NAMED)}"


def listed(names: list[str], most: int) -> str:
    """Return the first names, and the number of the others."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


class PhraseBatches(Dataset[Batch]):
    """Padded clips with their phrases, by rows (B,), or by rows and their partners to mix them with, (2, B).

    A batch has the clips with the partners at the end; the place of each clip's partner, int64 (B,), its own if it has
    none; and the rows.

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
    return row_loader(PhraseBatches(phrases, points), rows)


def ordered_phrases(phrases: Phrases, network: SpellingNetwork) -> DataLoader[Batch]:
    """Return a loader of all phrases in order, of the points that a network reads."""
    return phrase_loader(phrases, network.select.index.numpy(), ShuffledRows(len(phrases), READ_BATCH))
