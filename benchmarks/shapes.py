"""Train a recipe's network on some samples and score it on others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.datasets.hands import HandSamples
from signary.text.strokes import as_photo
from signary.training.hands.batches import load_samples
from signary.training.hands.train import fit_hands, predict
from signary.training.recipes.hands import HandRecipe
from signary.training.recipes.load import load_recipe

CACHE = Path("runs/cache")
QUICK = {"steps": 300, "members": 1}


def prepare(name: str, data: str, *, quick: bool) -> tuple[HandRecipe, HandSamples]:
    """Load a recipe and its samples; ``quick`` trains one member for fewer steps."""
    recipe = load_recipe(name, QUICK if quick else {})
    return recipe, load_samples(recipe, Path(data), cache=CACHE)


def hits(recipe: HandRecipe, train: HandSamples, test: HandSamples) -> tuple[NDArray[np.bool_], HandSamples, list[str]]:
    """Train on one part; of the other return which photos are read right, the photos, and the labels read."""
    network = fit_hands(recipe, train.select(train.found))
    log, photos = predict(network, test)
    guess = as_photo(np.exp(log), recipe.words).argmax(1)
    right = (guess == recipe.words.places(photos.label)) & (log.any(1))
    return right, photos, [recipe.vocabulary[index] for index in guess]


def worst(photos: HandSamples, right: NDArray[np.bool_], guesses: list[str], below: float = 0.9) -> dict[str, Any]:
    """Return the labels with an accuracy below ``below``, with it and the usual mistake."""
    found = {}
    for label in np.unique(photos.label):
        mine = photos.label == label
        if (rate := right[mine].mean()) < below:
            wrong = [guess for guess, here, ok in zip(guesses, mine, right, strict=True) if here and not ok]
            found[str(label)] = [round(float(rate), 3), max(set(wrong), key=wrong.count)]
    return found
