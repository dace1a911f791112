"""From a recipe and data to a run folder with a bundle in it."""

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
    """Train a recipe.

    Parameters
    ----------
    recipe : str or Path
    data : Path
        Folder in which the recipe's sources lie, or the folder of its only source; of signs and spelling, a
        prepared store or a folder of such.
    output : Path
        Run folder: ``config.yaml``, ``metrics.json``, ``checkpoints/``, ``logs/``, ``bundle/``.
    overrides : mapping, optional
        Dotted fields of the recipe.
    fold : int
        Which share of the data is held out, from 0; of spelling -1 = none.
    oof : sequence of Path
        Of spelling: runs of all folds, whose scores the confidence learns; nothing is held out.
    resume : bool
        Go on with a run that was stopped, by the recipe it was started with; ``overrides`` are stronger.
    force : bool
        Start over in a folder that exists.

    Returns
    -------
    Path
        The bundle.

    Raises
    ------
    ModelNotFound, ConfigError, InputError
    """
    make_folder(output.parent)
    check_free(output, force=force or resume)
    run = open_run(output, resume=resume)
    plan = (
        _resumed(run, recipe, overrides) if resume and (output / CONFIG).is_file() else load_recipe(recipe, overrides)
    )
    if oof and not isinstance(plan, SpellingRecipe):
        raise ConfigError(f"--oof: {plan.name} reads {plan.task}", hint="recipes of spelling are trained in two rounds")
    # each kind loads what it needs: scikit-learn or Lightning
    if isinstance(plan, HandRecipe):
        from signary.training.hands import train_hands

        return train_hands(plan, data, run, fold=fold)
    if isinstance(plan, PictureRecipe):
        from signary.training.pictures import train_pictures

        return train_pictures(plan, data, run, fold=fold)
    if isinstance(plan, SignRecipe):
        from signary.training.signs import train_signs

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
    """Return what a run measured: train, validation, test and more."""
    metrics: dict[str, Any] = json.loads((run / METRICS).read_text(encoding="utf-8"))
    return metrics
