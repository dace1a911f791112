"""Digits by signer: 5 folds, no signer in two; photos without a detected hand count as wrong."""

from __future__ import annotations

import numpy as np

from harness import arguments, show
from shapes import hits, prepare, worst
from signary.datasets.hands import join_samples
from signary.datasets.split import group_folds
from signary.evaluation.metrics import wilson_interval

FOLDS = 5


def main() -> None:
    """Print the accuracy of each fold and of all, with the worst digits."""
    options = arguments(__doc__)
    recipe, samples = prepare("digits", options.data, quick=options.quick)
    photos_of_digits = samples.source == recipe.sources[0].name
    fold_of = np.full(len(samples), FOLDS)  # other signs are always in training
    fold_of[photos_of_digits] = group_folds(samples.group[photos_of_digits], FOLDS)
    right_of, folds, labels, guesses_of = [], [], [], []
    for fold in range(FOLDS):
        right, photos, guesses = hits(recipe, samples.select(fold_of != fold), samples.select(fold_of == fold))
        folds.append(round(float(right.mean()), 4))
        right_of.append(right)
        labels.append(photos)
        guesses_of += guesses
        if not options.json:
            show({f"fold {fold}": folds[-1]}, as_json=False)
    right = np.concatenate(right_of)
    low, high = wilson_interval(int(right.sum()), len(right))
    result = {
        "accuracy": round(float(right.mean()), 4),
        "interval": [round(low, 4), round(high, 4)],
        "n": len(right),
        "signers": len(np.unique(samples.group[photos_of_digits])),
        "folds": folds,
        "worst": worst(join_samples(labels), right, guesses_of, below=0.99),
    }
    show(result, as_json=options.json)


if __name__ == "__main__":
    main()
