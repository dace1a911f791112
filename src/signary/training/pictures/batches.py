"""Pictures to train on and to test, and batches of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from signary.datasets.pictures import Pictures
from signary.datasets.readers.pictures import DIGIT_PICTURES, in_array_order, join_pictures, read_pictures
from signary.datasets.split import Parts, split_pictures
from signary.errors import InputError
from signary.text.vocabulary import Vocabulary
from signary.training.recipes.pictures import EstimatorRecipe, PictureRecipe
from signary.training.rows import ShuffledRows, row_loader, share_of

AnyRecipe = PictureRecipe | EstimatorRecipe


def load_pictures(recipe: AnyRecipe, data: Path, *, cache: Path | None = None) -> Pictures:
    """Read the sources of a recipe, and keep its classes.

    Parameters
    ----------
    recipe : PictureRecipe or EstimatorRecipe
    data : Path
        As in `signary.training.train.train`.
    cache : Path, optional
        For decoded pictures.

    Raises
    ------
    InputError
        If a source is missing, or a class has no picture.
    """
    side = recipe.data.side
    folders = [source.find(data, alone=len(recipe.sources) == 1) for source in recipe.sources]
    parts = [
        read_pictures(folder, side=side, name=source.name, cache=cache)
        for folder, source in zip(folders, recipe.sources, strict=True)
    ]
    pictures = _known(join_pictures(parts), recipe)
    chosen = _chosen_rows(pictures, recipe)
    return chosen if chosen is not None else pictures.of_labels(recipe.labels)


def split_parts(recipe: AnyRecipe, pictures: Pictures, *, fold: int = 0) -> Parts:
    """Split pictures as a recipe says, and keep its share of the training part.

    Raises
    ------
    InputError
        If the training part, or a class in it, is empty.
    """
    data = recipe.data
    parts = split_pictures(
        pictures, data.split, validation=data.validation, test=data.test, fold=fold, seed=recipe.seed
    )
    train = share_of(parts.train, data.share, recipe.seed)
    if lost := sorted(set(recipe.labels) - set(pictures.label[train].tolist())):
        raise InputError(f"{', '.join(lost)}: no picture to learn from", hint="add pictures, or hold out fewer")
    return replace(parts, train=train)


def _known(pictures: Pictures, recipe: AnyRecipe) -> Pictures:
    """Give labels their names in the vocabulary; leave out and report unknown ones."""
    vocabulary = Vocabulary(tuple(recipe.vocabulary), tuple(recipe.silent), recipe.aliases)
    names, place = np.unique(pictures.label, return_inverse=True)
    known = vocabulary.places(names)
    labels = np.array([recipe.vocabulary[index] if index >= 0 else "" for index in known])[place]
    strange = [
        f"{count} photos of {name!r}: not in the vocabulary"
        for name, index, count in zip(names, known, np.bincount(place), strict=True)
        if index < 0
    ]
    if not (labels != "").any():
        said = f"{', '.join(map(str, names))}: none of these labels is in the vocabulary"
        raise InputError(said, hint=f"known: {', '.join(recipe.vocabulary)}; name others with --vocabulary")
    return replace(pictures, label=labels, skipped=[*pictures.skipped, *strange]).select(labels != "")


def _chosen_rows(pictures: Pictures, recipe: AnyRecipe) -> Pictures | None:
    if not recipe.data.rows or recipe.data.classes == "all" or len(pictures) != DIGIT_PICTURES:
        return None
    ordered = in_array_order(pictures)
    rows = np.concatenate([np.arange(len(ordered))[slice(*span)] for span in recipe.data.rows])
    chosen = ordered.select(rows)
    return chosen if set(chosen.label.tolist()) == set(recipe.labels) else None


class PictureBatches(Dataset[tuple[Tensor, Tensor]]):
    """Pictures uint8 (B, S, S, 3) with labels int64 (B,), by a batch of rows.

    Parameters
    ----------
    pictures : Pictures
    labels : int64 (N,)
    """

    def __init__(self, pictures: Pictures, labels: NDArray[np.int64]) -> None:
        self.pictures, self.labels = pictures, labels

    def __getitem__(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.pictures.load(rows)), torch.from_numpy(self.labels[rows])


def picture_loader(
    pictures: Pictures, recipe: PictureRecipe, batch: int, *, seed: int | None = None
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return a loader over pictures, shuffled if there is a seed."""
    batches = PictureBatches(pictures, recipe.words.places(pictures.label))
    return row_loader(batches, ShuffledRows(len(pictures), batch, seed))
