"""Batches of clips of signs, and how they are drawn."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from signary.datasets.clips import Clips
from signary.models.point_network import SignNetwork
from signary.training.recipes.signs import SignRecipe
from signary.training.rows import DrawnRows, ShuffledRows, row_loader

READ_BATCH = 128

Batch = tuple[Tensor, Tensor, Tensor]


class ClipBatches(Dataset[Batch]):
    """Clips float32 (B, T, P, 3) with lengths and labels int64 (B,), by a batch of rows.

    Parameters
    ----------
    clips : Clips
    labels : int64 (N,)
    points : int64 (P,)
        Which of the 543.
    frames : int
        Longer clips are cut.
    """

    def __init__(self, clips: Clips, labels: NDArray[np.int64], points: NDArray[np.int64], frames: int) -> None:
        self.clips, self.labels, self.points, self.frames = clips, labels, points, frames

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        values, lengths = self.clips.padded(rows, self.frames, self.points)
        return torch.from_numpy(values), torch.from_numpy(lengths), torch.from_numpy(self.labels[rows])


def drawn_clips(recipe: SignRecipe, clips: Clips, network: nn.Module) -> DataLoader[Batch]:
    """Return a loader of batches drawn as the recipe says, of the points that a network reads."""
    data, labels = recipe.data, recipe.words.places(clips.label)
    lengths = clips.length if data.buckets else None
    weights = balanced_weights(clips, data.even_signers, data.even_words) if data.even_signers else None
    how: dict[str, Any] = {"lengths": lengths, "weights": weights, "labels": labels, "each": data.each}
    return _loader(recipe, clips, network, DrawnRows(len(clips), recipe.batch, recipe.seed, **how))


def ordered_clips(recipe: SignRecipe, clips: Clips, network: nn.Module) -> DataLoader[Batch]:
    """Return a loader of batches of clips in order, of the points that a network reads."""
    return _loader(recipe, clips, network, ShuffledRows(len(clips), READ_BATCH))


def _loader(
    recipe: SignRecipe, clips: Clips, network: nn.Module, rows: Sampler[NDArray[np.int64]]
) -> DataLoader[Batch]:
    points = cast(SignNetwork, network).select.index.numpy()
    frames = 4 * recipe.data.max_frames  # augmentation chooses which frames of a longer clip are seen
    return row_loader(ClipBatches(clips, recipe.words.places(clips.label), points, frames), rows)


def balanced_weights(clips: Clips, signers: float, words: float) -> NDArray[np.float64]:
    """Weigh clips, float64 (N,), so that signers and words with many clips count for less.

    Parameters
    ----------
    clips : Clips
    signers : float
        0: all clips count alike; 1: all signers of a word do, whatever the number of their clips.
    words : float
        0: a word counts by its signers; 1: all words count alike.
    """
    cell = np.char.add(np.char.add(np.char.add(np.char.add(clips.label, "\0"), clips.source), "\0"), clips.signer)
    _, place, count = np.unique(cell, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = count[place] ** -float(signers)
    _, place = np.unique(clips.label, return_inverse=True)
    return weights * np.bincount(place, weights=weights)[place] ** -words
