"""Picture recipes: photos, as they are, to a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from signary.datasets.augment.pictures import PictureAugment
from signary.datasets.pictures import Pictures
from signary.datasets.readers.pictures import DIGIT_PICTURES, in_array_order, join_pictures, read_pictures
from signary.datasets.split import Parts, split_pictures
from signary.errors import InputError
from signary.export.onnx import export_picture_graph
from signary.models.picture import PictureReader
from signary.text.calibrate import fit_temperature, softmax
from signary.text.vocabulary import Vocabulary
from signary.training.learn import learn
from signary.training.networks import picture_reader
from signary.training.pack import Learned, pack_bundle
from signary.training.recipes.pictures import EstimatorRecipe, PictureRecipe
from signary.training.recipes.recipe import Source
from signary.training.rows import ShuffledRows
from signary.training.run import Run
from signary.training.scores import scores_of
from signary.training.task import NetworkTask

READ_BATCH = 128


def train_pictures(recipe: PictureRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a picture recipe: learn from one part, stop and calibrate by another, test once on a third.

    Parameters
    ----------
    recipe : PictureRecipe
    data : Path
        See `load_pictures`.
    run : Run
    fold : int
        Which part is tested, from 0.

    Returns
    -------
    Path
        The bundle.
    """
    pictures, parts = start_pictures(recipe, data, run, fold=fold)
    folds = cross_validate(recipe, pictures.select(parts.train), run) if recipe.cross_validation else []
    network = fit_pictures(recipe, pictures.select(parts.train), pictures.select(parts.validation), run=run)
    return finish(recipe, run, network, pictures, parts, folds=folds)


def start_pictures(
    recipe: PictureRecipe | EstimatorRecipe, data: Path, run: Run, *, fold: int
) -> tuple[Pictures, Parts]:
    """Read and split the pictures of a recipe, and start its run; parameters as `train_pictures`."""
    pictures = load_pictures(recipe, data, cache=run.cache)
    parts = split_parts(recipe, pictures, fold=fold)
    run.start(recipe, fold=fold, learned=pictures.sha256[parts.train])
    return pictures, parts


def load_pictures(recipe: PictureRecipe | EstimatorRecipe, data: Path, *, cache: Path | None = None) -> Pictures:
    """Read the sources of a recipe and keep the classes it tells apart.

    Parameters
    ----------
    recipe : PictureRecipe or EstimatorRecipe
    data : Path
        Folder in which the sources lie, or the folder of the only source.
    cache : Path, optional
        Where decoded pictures are kept.

    Raises
    ------
    InputError
        If a source is missing, or a class has no picture.
    """
    side = recipe.data.side
    folders = [_folder_of(source, data, alone=len(recipe.sources) == 1) for source in recipe.sources]
    parts = [
        read_pictures(folder, side=side, name=source.name, cache=cache)
        for folder, source in zip(folders, recipe.sources, strict=True)
    ]
    pictures = _known(join_pictures(parts), recipe)
    chosen = _chosen_rows(pictures, recipe)
    return chosen if chosen is not None else pictures.of_labels(recipe.labels)


def split_parts(recipe: PictureRecipe | EstimatorRecipe, pictures: Pictures, *, fold: int = 0) -> Parts:
    """Split pictures as a recipe says; of those to learn from, keep its share.

    Raises
    ------
    InputError
        If nothing is left to learn from or a class has no picture there.
    """
    data = recipe.data
    parts = split_pictures(
        pictures, data.split, validation=data.validation, test=data.test, fold=fold, seed=recipe.seed
    )
    train = parts.train
    if data.share < 1:
        kept = np.random.default_rng(recipe.seed).permutation(len(train))[: max(1, round(data.share * len(train)))]
        train = np.sort(train[kept])
    if lost := sorted(set(recipe.labels) - set(pictures.label[train].tolist())):
        raise InputError(f"{', '.join(lost)}: no picture to learn from", hint="add pictures, or hold out fewer")
    return replace(parts, train=train)


def fit_pictures(
    recipe: PictureRecipe,
    train: Pictures,
    validation: Pictures | None = None,
    *,
    run: Run | None = None,
    stage: str = "final",
) -> PictureReader:
    """Train the network of a picture recipe.

    Parameters
    ----------
    recipe : PictureRecipe
    train : Pictures
    validation : Pictures, optional
        The weights of the epoch with the least loss here are kept, if there is a run.
    run : Run, optional
        For checkpoints and logs; nothing is kept without it.
    stage : str
        Name of the checkpoints and logs in the run.

    Returns
    -------
    PictureReader
        In evaluation mode.
    """
    lightning.seed_everything(recipe.seed, verbose=False)
    task = partial(PictureTask, recipe, picture_reader(recipe, train))
    batches = picture_loader(train, recipe, recipe.batch, seed=recipe.seed)
    tuned = validation is not None and len(validation) > 0
    held_out = picture_loader(validation, recipe, READ_BATCH) if validation is not None and tuned else None
    trained = learn(recipe, task, batches, held_out, run=run, stage=stage, best=tuned, patience=recipe.patience)
    return cast(PictureReader, trained)


def predict_pictures(network: PictureReader, pictures: Pictures) -> NDArray[np.float32]:
    """Return logits float32 (N, V)."""
    with torch.inference_mode():
        return np.concatenate(
            [network(torch.from_numpy(batch)).float().numpy() for batch in pictures.batches(READ_BATCH)]
        )


def cross_validate(recipe: PictureRecipe, pictures: Pictures, run: Run) -> list[float]:
    """Return the accuracy on each of the recipe's folds, learned from the others."""
    kind = StratifiedGroupKFold if recipe.data.split == "groups" else StratifiedKFold
    folds = kind(recipe.cross_validation).split(np.zeros(len(pictures)), pictures.label, pictures.group)
    scores = []
    for number, (train, test) in enumerate(folds):
        network = fit_pictures(recipe, pictures.select(train), run=run, stage=f"fold-{number}")
        held_out = pictures.select(test)
        said = np.array(recipe.labels)[predict_pictures(network, held_out).argmax(1)]
        scores.append(float((said == held_out.label).mean()))
    return scores


def finish(
    recipe: PictureRecipe | EstimatorRecipe,
    run: Run,
    network: PictureReader,
    pictures: Pictures,
    parts: Parts,
    *,
    folds: Sequence[float] = (),
) -> Path:
    """Calibrate by the validation part, measure, and pack the bundle.

    Parameters
    ----------
    recipe : PictureRecipe or EstimatorRecipe
    run : Run
    network : PictureReader
    pictures : Pictures
    parts : Parts
    folds : sequence of float
        Accuracies of a cross-validation.
    """
    held_out = {name: rows for name, rows in parts.items() if name != "train"}
    read = held_out or {"train": parts.train}
    logits = {name: predict_pictures(network, pictures.select(rows)) for name, rows in read.items()}
    labels = {name: recipe.words.places(pictures.label[rows]) for name, rows in read.items()}
    tuned = "validation" in read
    temperature = fit_temperature(logits["validation"], labels["validation"]) if tuned else 1.0
    metrics = {name: scores_of(softmax(logits[name], temperature), labels[name]) for name in read}
    more: dict[str, Any] = {"skipped": list(pictures.skipped), "split": recipe.data.split}
    if folds:
        more["cross_validation"] = {"mean": float(np.mean(folds)), "std": float(np.std(folds)), "folds": list(folds)}
    metrics = {"train": {"n": len(parts.train)}, **metrics}
    run.write_metrics(**metrics, **more)
    seen = np.concatenate([parts.train, parts.validation])
    last = list(read)[-1]
    learned = Learned(
        temperature=temperature,
        fitted_on=f"the {recipe.data.split} split's validation part" if tuned else "nothing",
        validation=metrics[last],
        split=f"{recipe.data.split} split, its {last} part",
        files={name: pictures.sha256[seen][pictures.source[seen] == name].tolist() for name in set(pictures.source)},
        sources=recipe.sources,
    )
    return pack_bundle(run.bundle, network, recipe, learned, export_picture_graph)


def _folder_of(source: Source, data: Path, *, alone: bool) -> Path:
    path = data / source.path
    if path.exists():
        return path
    if alone and data.is_dir():
        return data
    raise InputError(f"{path}: no such folder", hint=f"--data names the folder that holds {source.path}")


def _known(pictures: Pictures, recipe: PictureRecipe | EstimatorRecipe) -> Pictures:
    """Give the labels their names in the vocabulary; leave out those that it does not know, and say so."""
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


def _chosen_rows(pictures: Pictures, recipe: PictureRecipe | EstimatorRecipe) -> Pictures | None:
    if not recipe.data.rows or recipe.data.classes == "all" or len(pictures) != DIGIT_PICTURES:
        return None
    ordered = in_array_order(pictures)
    rows = np.concatenate([np.arange(len(ordered))[slice(*span)] for span in recipe.data.rows])
    chosen = ordered.select(rows)
    return chosen if set(chosen.label.tolist()) == set(recipe.labels) else None


class PictureBatches(Dataset[tuple[Tensor, Tensor]]):
    """Pictures uint8 (B, S, S, 3) with the places of their labels int64 (B,), asked for by a batch of rows.

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
    rows = ShuffledRows(len(pictures), batch, seed)
    # a chance of its own: the loader draws from it at a time that differs in a resumed run
    chance = torch.Generator().manual_seed(0)
    batches = PictureBatches(pictures, recipe.words.places(pictures.label))
    return DataLoader(batches, batch_size=None, sampler=rows, generator=chance)


class PictureTask(NetworkTask):
    """Learn whole pictures: cross-entropy on augmented ones, validated once an epoch; parameters as `NetworkTask`."""

    recipe: PictureRecipe

    def __init__(self, recipe: PictureRecipe, network: PictureReader, steps: int) -> None:
        super().__init__(recipe, network, steps)
        self.augment = PictureAugment(recipe.augment)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of pictures uint8 (B, S, S, 3) with labels int64 (B,)."""
        pictures, labels = batch
        with torch.autocast(pictures.device.type, enabled=False):  # half precision would blur places
            pictures = self.augment(pictures)
        return self.learn(self.network(pictures), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Log loss and accuracy."""
        self.tell("validation", self.reader(batch[0]), batch[1])
