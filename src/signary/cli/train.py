"""``signary train``."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from signary.cli.fields import split_fields
from signary.errors import ExtraMissing

MAX_EPOCHS = "trainer.max_epochs"


def train(
    recipe: str,
    /,
    *,
    data: Path = Path(),
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    resume: bool = False,
    force: bool = False,
    fold: int = 0,
    field: Annotated[list[str] | None, Parameter(negative="")] = None,
) -> None:
    """Train a recipe into a run folder with a bundle in it.

    Parameters
    ----------
    recipe
        A recipe's name, or a YAML file.
    data
        Folder in which the recipe's sources lie.
    output
        Run folder; runs/RECIPE by default.
    resume
        Go on with a run that was stopped.
    force
        Start over in a folder that exists.
    fold
        Which share of the groups is held out to validate, from 0.
    field
        FIELD=VALUE sets any field of the recipe; --FIELD VALUE is the same: --steps 500 --augment.flip 0.5.
        --trainer.max_steps is another name of --steps; --trainer.max_epochs counts passes over all found hands.
    """
    if find_spec("torch") is None or find_spec("lightning") is None:
        raise ExtraMissing.named("train", "PyTorch and Lightning")
    from signary.training.fit import train as fit

    run = output or Path("runs") / Path(recipe).stem
    overrides = split_fields(field or [])
    with redirect_stdout(sys.stderr):  # Lightning writes its progress to stdout
        if MAX_EPOCHS in overrides:
            overrides = _in_steps(recipe, data, run, overrides)
        bundle = fit(recipe, data=data, output=run, overrides=overrides, fold=fold, resume=resume, force=force)
    sys.stdout.write(f"{bundle}\n")


def _in_steps(recipe: str, data: Path, run: Path, overrides: dict[str, str]) -> dict[str, str]:
    """Turn the most epochs into the most steps, beside which those of the recipe are a second limit."""
    from signary.training.fit import load_samples
    from signary.training.recipe import load_recipe

    rest = {name: value for name, value in overrides.items() if name != MAX_EPOCHS}
    epochs = load_recipe(recipe, {**rest, "steps": overrides[MAX_EPOCHS]})
    hands = int(load_samples(epochs, data, cache=run.parent / "cache").found.sum())
    steps = min(load_recipe(recipe, rest).steps, max(1, ceil(epochs.steps * hands / epochs.batch)))
    return {**rest, "steps": str(steps)}
