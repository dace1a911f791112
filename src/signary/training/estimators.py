"""Estimator recipes: trained in one call of ``fit``, as in scikit-learn, and packed as networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from signary.datasets.pictures import Pictures
from signary.features.picture import channels_of
from signary.models.baselines import LogisticBaseline, TwoLayerBaseline
from signary.models.perceptron import Perceptron
from signary.models.picture import PictureReader
from signary.training.pictures.train import finish, start_pictures
from signary.training.recipes.pictures import EstimatorRecipe
from signary.training.run import Run

Layers = list[tuple[NDArray[np.float64], NDArray[np.float64]]]


def train_estimator(recipe: EstimatorRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train an estimator recipe; parameters and errors as `signary.training.train.train`."""
    pictures, parts = start_pictures(recipe, data, run, fold=fold)
    train = pictures.select(parts.train)
    labels = recipe.words.places(train.label)
    estimator = make_estimator(recipe).fit(flat_rows(train, grey=recipe.data.grey), labels)
    network = estimator_reader(estimator, recipe)
    return finish(recipe, run, network, pictures, parts)


def make_estimator(recipe: EstimatorRecipe) -> Any:
    """Return the untrained estimator of a recipe."""
    if recipe.network == "logreg-sklearn":
        return LogisticRegression(max_iter=recipe.steps, random_state=recipe.seed)
    if recipe.network == "logreg-numpy":
        return LogisticBaseline(steps=recipe.steps, learning_rate=recipe.learning_rate)
    return TwoLayerBaseline(
        hidden=recipe.hidden, steps=recipe.steps, learning_rate=recipe.learning_rate, random_state=recipe.seed
    )


def flat_rows(pictures: Pictures, *, grey: bool) -> NDArray[np.float64]:
    """Return pictures as rows of numbers 0 to 1, float64 (N, C x S x S)."""
    return channels_of(torch.from_numpy(pictures.load()), grey=grey).flatten(1).double().numpy()


def estimator_reader(estimator: Any, recipe: EstimatorRecipe) -> PictureReader:
    """Return a trained estimator as a network, from raw pictures to a logit for each class."""
    layers = _layers(estimator)
    pixels, hidden = len(layers[0][0]), [weight.shape[1] for weight, _ in layers[:-1]]
    network = Perceptron(pixels, len(recipe.labels), hidden=hidden, activations=["tanh"])
    linear = [layer for layer in network.layers if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(linear, layers, strict=True):
            layer.weight.copy_(torch.from_numpy(weight.T))
            layer.bias.copy_(torch.from_numpy(bias))
    channels = 1 if recipe.data.grey else 3
    return PictureReader(network, recipe.data.side, torch.zeros(channels), torch.ones(channels)).eval()


def _layers(estimator: Any) -> Layers:
    """Return weights (in, out) and biases, in the order applied."""
    return list(estimator.layers()) if hasattr(estimator, "layers") else [(estimator.coef_.T, estimator.intercept_)]
