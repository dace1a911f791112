"""Clips of stores of video features, and batches of them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from signary.datasets.clips import Clips
from signary.datasets.stores.features import FeatureStore
from signary.errors import InputError
from signary.training.clips import load_clips
from signary.training.recipes.videos import VideoRecipe
from signary.training.rows import ShuffledRows, row_loader

Batch = tuple[Tensor, Tensor]


def load_videos(recipe: VideoRecipe, data: Path) -> tuple[VideoRecipe, Clips, list[str]]:
    """Open the clips of a recipe; as `signary.training.clips.load_clips`.

    Raises
    ------
    InputError
        If nothing is left, or the stores differ in image network, number of frames, or how pictures were made square.
    """
    recipe, clips, skipped = load_clips(recipe, data, kind=FeatureStore)
    stores = stores_of(clips)
    made = {(store.about["backbone"]["sha256"], store.frames, store.about["fit"]) for store in stores}
    if len(made) > 1:
        said = f"{data}: stores of {len(made)} networks, numbers of frames or ways to become square"
        raise InputError(said, hint="prepare them alike")
    about = stores[0].about
    told = {"features": about["backbone"]["name"], "backbone": about["backbone"]["sha256"], "fit": about["fit"]}
    return recipe.model_copy(update=told), clips, skipped


def stores_of(clips: Clips) -> list[FeatureStore]:
    """Return the stores of clips."""
    return cast(list[FeatureStore], clips.stores)


def load_features(clips: Clips, rows: NDArray[np.int64], draw: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Read features float32 (B, T, D) of some of the clips; parameters as of `FeatureStore.load`."""
    stores = stores_of(clips)
    batch = np.empty((len(rows), stores[0].frames, stores[0].width), np.float32)
    for number, store in enumerate(stores):
        mine = clips.store[rows] == number
        batch[mine] = store.load(clips.row[rows[mine]], None if draw is None else draw[mine])
    return batch


class FeatureBatches(Dataset[Batch]):
    """Features float32 (B, T, D) with labels int64 (B,), by a batch of rows.

    Parameters
    ----------
    clips : Clips
    labels : int64 (N,)
    drawn : bool
        Choose at random among the even sample of each clip and the random ones.
    """

    def __init__(self, clips: Clips, labels: NDArray[np.int64], *, drawn: bool) -> None:
        self.clips, self.labels = clips, labels
        self.draws = min(store.draws.shape[1] for store in stores_of(clips)) if drawn else 0

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        draw = torch.randint(0, self.draws + 1, (len(rows),)).numpy() if self.draws else None
        return torch.from_numpy(load_features(self.clips, rows, draw)), torch.from_numpy(self.labels[rows])


def feature_loader(recipe: VideoRecipe, clips: Clips, *, drawn: bool) -> DataLoader[Batch]:
    """Return a loader of batches, shuffled and drawn for training, or in order."""
    batches = FeatureBatches(clips, recipe.words.places(clips.label), drawn=drawn)
    return row_loader(batches, ShuffledRows(len(clips), recipe.batch, recipe.seed if drawn else None))
