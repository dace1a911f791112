"""``signary train``."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from signary.cli.fields import split_fields
from signary.errors import ExtraMissing


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
        --trainer.max_steps is another name of --steps.
    """
    if find_spec("torch") is None or find_spec("lightning") is None:
        raise ExtraMissing.named("train", "PyTorch and Lightning")
    from signary.training.fit import train as fit

    run = output or Path("runs") / Path(recipe).stem
    overrides = split_fields(field or [])
    bundle = fit(recipe, data=data, output=run, overrides=overrides, fold=fold, resume=resume, force=force)
    sys.stdout.write(f"{bundle}\n")
