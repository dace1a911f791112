"""The Lightning module that networks are trained by."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from signary.training.recipes.pictures import PictureRecipe
from signary.training.recipes.signs import ClipRecipe
from signary.training.recipes.spelling import SpellingRecipe

NetworkRecipe = PictureRecipe | ClipRecipe | SpellingRecipe
WARM_UP = 20  # a twentieth of the steps


class NetworkTask(lightning.LightningModule):
    """Train a network for some epochs with its recipe's optimizer, schedule and moving average of the weights.

    Parameters
    ----------
    recipe : PictureRecipe, ClipRecipe or SpellingRecipe
    network : Module
    steps : int
        In all, for the schedule.
    """

    warm_up = WARM_UP

    def __init__(self, recipe: NetworkRecipe, network: nn.Module, steps: int) -> None:
        super().__init__()
        self.recipe, self.network, self.steps = recipe, network, steps
        self.averaged: AveragedModel | None = None
        if recipe.average:
            self.averaged = AveragedModel(network, avg_fn=partial(moved, decay=recipe.average), use_buffers=True)

    @property
    def reader(self) -> Any:
        """The network to validate and pack: the moving average, if there is one."""
        return self.network if self.averaged is None else self.averaged.module

    def on_train_epoch_start(self) -> None:
        """Seed each epoch by its number, so that a resumed run equals an uninterrupted one."""
        torch.manual_seed(self.recipe.seed + 1_000_003 * (self.current_epoch + 1))

    def on_train_batch_end(self, *_: object) -> None:
        """Move the average."""
        if self.averaged is not None:
            self.averaged.update_parameters(self.network)

    def learn(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a training batch, and log it."""
        self.tell("train", logits, labels)
        return functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)

    def tell(self, part: str, logits: Tensor, labels: Tensor) -> None:
        """Log loss and accuracy."""
        loss = functional.cross_entropy(logits.detach().float(), labels)
        right = (logits.detach().argmax(-1) == labels).float().mean()
        how: dict[str, Any] = {"on_step": False, "on_epoch": True, "prog_bar": True, "batch_size": len(labels)}
        self.log_dict({f"{part}_loss": loss, f"{part}_accuracy": right}, **how)

    def validation_step(self, batch: Any, index: int) -> None:
        """Log loss and accuracy of a batch of inputs and labels."""
        self.tell("validation", self.reader(batch[0]), batch[1])

    def weights(self) -> Iterable[Any]:
        """Return the weights to train, as torch's optimizers take them."""
        return self.network.parameters()

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return the recipe's optimizer and schedule."""
        optimizer = _optimizer(self.recipe, self.weights())
        if self.recipe.schedule == "constant":
            return {"optimizer": optimizer}
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, partial(cosine_factor, steps=self.steps, warm_up=self.warm_up)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def moved(average: Tensor, weights: Tensor, count: Tensor | int, *, decay: float) -> Tensor:
    """Return the next moving average of weights, after ``count`` updates.

    It follows faster at first: otherwise a short training would be averaged with its initial weights.
    """
    return average + (1 - min(decay, (1 + float(count)) / (10 + float(count)))) * (weights - average)


def cosine_factor(step: int, steps: int, warm_up: int = WARM_UP) -> float:
    """Return the factor of the learning rate at a step: a linear warm-up times a cosine that ends at 0.

    Parameters
    ----------
    step : int
        From 0.
    steps : int
        In all.
    warm_up : int
        The warm-up takes this part of the steps: 20 is a twentieth.
    """
    rising = min(1.0, (step + 1) / max(1, steps // warm_up))
    return rising * 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))


def _optimizer(recipe: NetworkRecipe, weights: Iterable[Any]) -> torch.optim.Optimizer:
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if isinstance(recipe, PictureRecipe) and recipe.optimizer == "sgd":
        momentum = recipe.momentum
        return torch.optim.SGD(weights, rate, momentum=momentum, weight_decay=decay, nesterov=momentum > 0)
    if recipe.optimizer == "radam":
        return torch.optim.RAdam(weights, rate, weight_decay=decay, decoupled_weight_decay=True)
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(weights, rate, weight_decay=decay)
