"""What is learned, as Lightning modules."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, cast

import lightning
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from signary.datasets.augment import HandAugment
from signary.datasets.picture_augment import PictureAugment
from signary.models.picture import PictureReader
from signary.training.networks import hand_network
from signary.training.schema import HandRecipe, PictureRecipe

WARM_UP = 20  # a part of the steps


class HandshapeTask(lightning.LightningModule):
    """Learn handshapes: cross-entropy of every member on augmented hands.

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


class PictureTask(lightning.LightningModule):
    """Learn whole pictures: cross-entropy on augmented ones, validated once an epoch.

    Parameters
    ----------
    recipe : PictureRecipe
    network : PictureReader
    steps : int
        Of the whole training, for the schedule.
    """

    def __init__(self, recipe: PictureRecipe, network: PictureReader, steps: int) -> None:
        super().__init__()
        self.recipe, self.network, self.steps = recipe, network, steps
        self.augment = PictureAugment(recipe.augment)
        self.averaged: AveragedModel | None = None
        if recipe.average:
            self.averaged = AveragedModel(network, avg_fn=partial(moved, decay=recipe.average), use_buffers=True)

    @property
    def reader(self) -> PictureReader:
        """The network to validate and to pack: the moving average, if there is one."""
        return self.network if self.averaged is None else cast(PictureReader, self.averaged.module)

    def on_train_epoch_start(self) -> None:
        """Start each epoch from a chance of its own, so that a resumed run goes on as the whole one would have."""
        torch.manual_seed(self.recipe.seed + 1_000_003 * (self.current_epoch + 1))

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of pictures uint8 (B, S, S, 3) with labels int64 (B,)."""
        pictures, labels = batch
        with torch.autocast(pictures.device.type, enabled=False):  # half precision would blur places
            pictures = self.augment(pictures)
        logits = self.network(pictures)
        self._log("train", logits, labels)
        return functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)

    def on_train_batch_end(self, *_: object) -> None:
        """Move the average."""
        if self.averaged is not None:
            self.averaged.update_parameters(self.network)

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Log loss and accuracy."""
        self._log("validation", self.reader(batch[0]), batch[1])

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return the recipe's optimizer and schedule."""
        recipe, weights = self.recipe, self.network.parameters()
        rate, decay = recipe.learning_rate, recipe.weight_decay
        if recipe.optimizer == "sgd":
            optimizer: torch.optim.Optimizer = torch.optim.SGD(
                weights, rate, momentum=recipe.momentum, weight_decay=decay, nesterov=recipe.momentum > 0
            )
        else:
            kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
            optimizer = kind(weights, rate, weight_decay=decay)
        if recipe.schedule == "constant":
            return {"optimizer": optimizer}
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(cosine_factor, steps=self.steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _log(self, part: str, logits: Tensor, labels: Tensor) -> None:
        loss = functional.cross_entropy(logits.detach().float(), labels)
        right = (logits.detach().argmax(-1) == labels).float().mean()
        how: dict[str, Any] = {"on_step": False, "on_epoch": True, "prog_bar": True, "batch_size": len(labels)}
        self.log_dict({f"{part}_loss": loss, f"{part}_accuracy": right}, **how)


def moved(average: Tensor, weights: Tensor, count: Tensor | int, *, decay: float) -> Tensor:
    """Return a moving average of weights, moved after ``count`` moves; it follows faster at first.

    Without that, a short training would be averaged with the weights that it started from.
    """
    return average + (1 - min(decay, (1 + float(count)) / (10 + float(count)))) * (weights - average)


def cosine_factor(step: int, steps: int) -> float:
    """Return the factor on the learning rate at a step: it rises over a twentieth of the steps, then falls to 0.

    Parameters
    ----------
    step : int
        From 0.
    steps : int
        In all.
    """
    rising = min(1.0, (step + 1) / max(1, steps // WARM_UP))
    return rising * 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))
