"""What is learned, as Lightning modules."""

from __future__ import annotations

from collections.abc import Iterator

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from signary.datasets.augment import HandAugment
from signary.datasets.samples import HandSamples
from signary.models.handshape import HandshapeReader
from signary.training.recipe import Recipe


class HandshapeTask(lightning.LightningModule):
    """Learn handshapes: cross-entropy of every member on augmented hands.

    Parameters
    ----------
    recipe : Recipe
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = HandshapeReader(
            len(recipe.vocabulary), width=recipe.width, dropout=recipe.dropout, members=recipe.members
        )
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


class DrawnBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches drawn at random by weight.

    Parameters
    ----------
    samples : HandSamples
        Found hands with labels of the vocabulary.
    recipe : Recipe
    """

    def __init__(self, samples: HandSamples, recipe: Recipe) -> None:
        self.hands = torch.from_numpy(samples.right_hands())
        self.labels = torch.from_numpy(label_indices(samples, recipe))
        self.ladder = np.cumsum(draw_weights(samples, recipe))
        self.batch, self.seed, self.epoch = recipe.batch, recipe.seed, 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        random = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        while True:
            rows = np.searchsorted(self.ladder, random.random(self.batch) * self.ladder[-1])
            yield self.hands[rows], self.labels[rows]


def drawn_loader(samples: HandSamples, recipe: Recipe) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return an endless loader of whole batches."""
    return DataLoader(DrawnBatches(samples, recipe), batch_size=None)


def label_indices(samples: HandSamples, recipe: Recipe) -> NDArray[np.int64]:
    """Return the place of each label in the vocabulary, int64 (N,)."""
    place = {label: index for index, label in enumerate(recipe.vocabulary)}
    return np.array([place[label] for label in samples.label], np.int64)


def draw_weights(samples: HandSamples, recipe: Recipe) -> NDArray[np.float64]:
    """Weigh samples so that large sources and labels count for less than their size, float64 (N,).

    The hands of one label in one source share the square root of their number, times the source's weight; labels are
    then evened out by the power 0.7 of what they hold, times their factor in ``recipe.rare``.
    """
    labels = label_indices(samples, recipe)
    factor = {source.name: source.weight for source in recipe.sources}
    _, cell, size = np.unique(
        np.stack([np.unique(samples.source, return_inverse=True)[1], labels]),
        axis=1,
        return_inverse=True,
        return_counts=True,
    )
    weight = size[cell.ravel()] ** -0.5 * np.array([factor.get(source, 1.0) for source in samples.source])
    held = np.bincount(labels, weights=weight, minlength=len(recipe.vocabulary))
    rare = np.array([recipe.rare.get(label, 1.0) for label in recipe.vocabulary])
    return np.asarray(weight * held[labels] ** -0.7 * rare[labels])
