"""From a recipe and data to a run folder with a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from signary.errors import ConfigError
from signary.output import check_free, make_folder
from signary.training.recipes.hands import HandRecipe
from signary.training.recipes.load import load_recipe
from signary.training.recipes.pictures import EstimatorRecipe, PictureRecipe
from signary.training.recipes.recipe import Recipe
from signary.training.recipes.signs import SignRecipe
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.recipes.videos import VideoRecipe
from signary.training.run import CONFIG, METRICS, Run, open_run


def train(
    recipe: str | Path,
    *,
    data: Path,
    output: Path,
    overrides: Mapping[str, Any] | None = None,
    fold: int = 0,
    oof: Sequence[Path] = (),
    resume: bool = False,
    force: bool = False,
) -> Path:
    """Train a recipe, by `train_hands`, `train_pictures` and so on, which take the loaded recipe and the run.

    Parameters
    ----------
    recipe : str or Path
    data : Path
        For hands and pictures, the folder that holds the recipe's sources, or that of its only source. For spelling
        and signs a prepared store or a folder of such; for videos, of stores of features. For signs also a folder of
        clips, whose store is made in the run's cache; for spelling also ``synthetic``.
    output : Path
        Run folder: ``config.yaml``, ``metrics.json``, ``checkpoints/``, ``logs/``, ``bundle/``.
    overrides : mapping, optional
        Dotted fields of the recipe.
    fold : int
        Number of the held-out part of the data, from 0; -1 = nothing is held out, for spelling only.
    oof : sequence of Path
        For spelling: runs of all folds, whose scores train the confidence; nothing is held out.
    resume : bool
        Continue a stopped run with the recipe it was started with, and ``overrides``.
    force : bool
        Start over in an existing folder.

    Returns
    -------
    Path
        The bundle.

    Raises
    ------
    ModelNotFound
        If there is no such recipe, or no bundle of its ``init_from``.
    ConfigError
        If fields are wrong, or weights of ``init_from`` do not fit; the field or layer is named.
    InputError
        If there is nothing to train on or to hold out, no such fold, or a fold is missing in ``oof``.
    """
    make_folder(output.parent)
    check_free(output, force=force or resume)
    run = open_run(output, resume=resume)
    plan = (
        _resumed(run, recipe, overrides) if resume and (output / CONFIG).is_file() else load_recipe(recipe, overrides)
    )
    if oof and not isinstance(plan, SpellingRecipe):
        raise ConfigError(f"--oof: {plan.name} reads {plan.task}", hint="recipes of spelling are trained in two rounds")
    # each kind imports only what it needs: scikit-learn or Lightning
    if isinstance(plan, HandRecipe):
        from signary.training.hands.train import train_hands

        return train_hands(plan, data, run, fold=fold)
    if isinstance(plan, PictureRecipe):
        from signary.training.pictures.train import train_pictures

        return train_pictures(plan, data, run, fold=fold)
    if isinstance(plan, SignRecipe):
        from signary.training.signs.train import train_signs

        return train_signs(plan, data, run, fold=fold)
    if isinstance(plan, VideoRecipe):
        from signary.training.videos.train import train_videos

        return train_videos(plan, data, run, fold=fold)
    if isinstance(plan, SpellingRecipe):
        from signary.training.spelling.synthetic import is_made, train_on_made
        from signary.training.spelling.train import train_spelling

        if is_made(data):
            return train_on_made(plan, run)
        return train_spelling(plan, data, run, fold=fold, oof=oof)
    from signary.training.estimators import train_estimator

    assert isinstance(plan, EstimatorRecipe)
    return train_estimator(plan, data, run, fold=fold)


def _resumed(run: Run, recipe: str | Path, overrides: Mapping[str, Any] | None) -> Recipe:
    plan, asked = load_recipe(run.folder / CONFIG, overrides), load_recipe(recipe)
    if plan.name != asked.name:
        raise ConfigError(f"{run.folder}: a run of {plan.name}, not of {asked.name}", hint="name another run folder")
    return plan


def read_metrics(run: Path) -> dict[str, Any]:
    """Return the measurements of a run: train, validation, test and more."""
    metrics: dict[str, Any] = json.loads((run / METRICS).read_text(encoding="utf-8"))
    return metrics
