"""Hand recipes: landmarks of hands to a bundle."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from signary.datasets.augment.hands import HandAugment
from signary.datasets.hands import HandSamples
from signary.datasets.split import group_folds
from signary.errors import ConfigError
from signary.export.onnx import export_landmark_graph
from signary.models.handshape import HandshapeReader
from signary.training.hands.batches import drawn_loader, load_samples
from signary.training.learn import fit_task
from signary.training.networks import hand_network
from signary.training.pack import Learned, pack_bundle
from signary.training.recipes.hands import HandRecipe
from signary.training.run import Run
from signary.training.scores import calibrated


def train_hands(recipe: HandRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a hand recipe; parameters and errors as `signary.training.train.train`.

    A first network is trained without one fold of the groups, on which the temperature is fitted. The bundle holds a
    second one, trained on everything.
    """
    folds = max(2, round(1 / recipe.validation))
    if not 0 <= fold < folds:
        raise ConfigError(f"fold={fold}, must be 0 to {folds - 1}", hint="1 / validation says how many there are")
    samples = load_samples(recipe, data, cache=run.cache)
    found = samples.found
    recipe = _within_epochs(recipe, int(found.sum()))
    held_out = group_folds(samples.group, folds, seed=recipe.seed) == fold
    run.start(recipe, fold=fold, learned=samples.photo[~held_out])
    trial = fit_hands(recipe, samples.select(found & ~held_out), run=run, stage="validation")
    logits, photos = predict(trial, samples.select(held_out))
    temperature, metrics = calibrated(logits, recipe.words.places(photos.label), photos.found)
    network = fit_hands(recipe, samples.select(found), run=run)
    run.write_metrics(train={"n": int(found.sum())}, validation=metrics)
    learned = Learned(
        temperature=temperature,
        fitted_on="held-out groups of the recipe's sources",
        validation=metrics,
        split=f"{recipe.validation:.0%} of the groups held out, before the last run learns from them too",
        files=samples.files,
        sources=recipe.sources,
    )
    return pack_bundle(run.bundle, network, recipe, learned, export_landmark_graph)


def _within_epochs(recipe: HandRecipe, hands: int) -> HandRecipe:
    if recipe.epochs is None:
        return recipe
    return recipe.model_copy(update={"steps": min(recipe.steps, max(1, ceil(recipe.epochs * hands / recipe.batch)))})


def fit_hands(
    recipe: HandRecipe, samples: HandSamples, *, run: Run | None = None, stage: str = "final"
) -> HandshapeReader:
    """Train the network of a recipe on found hands; ``run`` and ``stage`` as in `signary.training.learn.learn`."""
    lightning.seed_everything(recipe.seed, verbose=False)
    task = HandshapeTask(recipe)
    fit_task(task, drawn_loader(samples, recipe), run=run, stage=stage, steps=recipe.steps)
    return task.network.eval()


def predict(network: HandshapeReader, samples: HandSamples) -> tuple[NDArray[np.float32], HandSamples]:
    """Read photos as `signary.recognition.recognizer.Recognizer` does: average the looks at each.

    Parameters
    ----------
    network : HandshapeReader
    samples : HandSamples

    Returns
    -------
    log_probabilities : float32 (N, V)
        A row for each photo; zeros where no hand was found.
    photos : HandSamples
        A sample for each photo, in the same order.
    """
    _, first, photo = np.unique(samples.photo, return_index=True, return_inverse=True)
    with torch.no_grad():
        said = network.either_way(torch.from_numpy(np.nan_to_num(samples.right_hands()))).exp().numpy()
    said = said * samples.found[:, None]
    mean = np.zeros((len(first), said.shape[1]), np.float32)
    np.add.at(mean, photo, said)
    looks = np.bincount(photo, weights=samples.found)
    log = np.log(np.maximum(mean / np.maximum(looks, 1)[:, None], 1e-9))
    return np.where(looks[:, None] > 0, log, 0).astype(np.float32), samples.select(first)


class HandshapeTask(lightning.LightningModule):
    """Train on augmented hands with the cross-entropy of every member.

    Parameters
    ----------
    recipe : HandRecipe
    """

    def __init__(self, recipe: HandRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = hand_network(recipe)
        self.augment = HandAugment(recipe.augment)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the mean loss of the members for hands (B, 21, 3) and labels (B,)."""
        hands, labels = batch
        logits = self.network.member_logits(self.augment(hands))
        loss = functional.cross_entropy(
            logits.flatten(0, 1), labels.repeat(len(logits)), label_smoothing=self.recipe.label_smoothing
        )
        self.log("loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return AdamW with one cycle of the learning rate."""
        recipe = self.recipe
        optimizer = torch.optim.AdamW(self.parameters(), weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.2
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
