"""Picture recipes: photos to a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from torch import Tensor

from signary.datasets.augment.pictures import PictureAugment
from signary.datasets.pictures import Pictures
from signary.datasets.split import Parts
from signary.export.onnx import export_picture_graph
from signary.models.picture import PictureReader
from signary.text.calibrate import fit_temperature, softmax
from signary.training.learn import learn
from signary.training.networks import picture_reader
from signary.training.pack import Learned, pack_bundle
from signary.training.pictures.batches import AnyRecipe, load_pictures, picture_loader, split_parts
from signary.training.recipes.pictures import PictureRecipe
from signary.training.run import Run
from signary.training.scores import scores_of
from signary.training.task import NetworkTask

READ_BATCH = 128


def train_pictures(recipe: PictureRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a picture recipe; parameters and errors as `signary.training.train.train`.

    One part of the pictures trains the network, the second stops the training and calibrates, the third tests once.
    """
    pictures, parts = start_pictures(recipe, data, run, fold=fold)
    folds = cross_validate(recipe, pictures.select(parts.train), run) if recipe.cross_validation else []
    network = fit_pictures(recipe, pictures.select(parts.train), pictures.select(parts.validation), run=run)
    return finish(recipe, run, network, pictures, parts, folds=folds)


def start_pictures(recipe: AnyRecipe, data: Path, run: Run, *, fold: int) -> tuple[Pictures, Parts]:
    """Read and split the pictures of a recipe, and start its run; parameters as `train_pictures`."""
    pictures = load_pictures(recipe, data, cache=run.cache)
    parts = split_parts(recipe, pictures, fold=fold)
    run.start(recipe, fold=fold, learned=pictures.sha256[parts.train])
    return pictures, parts


def fit_pictures(
    recipe: PictureRecipe,
    train: Pictures,
    validation: Pictures | None = None,
    *,
    run: Run | None = None,
    stage: str = "final",
) -> PictureReader:
    """Train the network of a picture recipe.

    With a run and validation pictures the result has the weights of the epoch with the least loss on these. ``run`` and
    ``stage`` as in `signary.training.learn.learn`.
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
    """Return the accuracy on each of the recipe's folds after training on the others."""
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
    recipe: AnyRecipe,
    run: Run,
    network: PictureReader,
    pictures: Pictures,
    parts: Parts,
    *,
    folds: Sequence[float] = (),
) -> Path:
    """Calibrate on the validation part, measure, and return the packed bundle.

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


class PictureTask(NetworkTask):
    """Train on augmented pictures with cross-entropy; parameters as `NetworkTask`."""

    recipe: PictureRecipe

    def __init__(self, recipe: PictureRecipe, network: PictureReader, steps: int) -> None:
        super().__init__(recipe, network, steps)
        self.augment = PictureAugment(recipe.augment)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of pictures uint8 (B, S, S, 3) with labels int64 (B,)."""
        pictures, labels = batch
        with torch.autocast(pictures.device.type, enabled=False):  # half precision would blur positions
            pictures = self.augment(pictures)
        return self.learn(self.network(pictures), labels)
