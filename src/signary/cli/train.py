"""``signary train``."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from signary.errors import ExtraMissing


def train(
    recipe: str,
    /,
    *,
    data: Path = Path(),
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    resume: bool = False,
    force: bool = False,
    **fields: Annotated[str, Parameter(help="Any field of the recipe: --steps 500 --augment.flip 0.5")],
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
    """
    if find_spec("torch") is None or find_spec("lightning") is None:
        raise ExtraMissing.named("train", "PyTorch and Lightning")
    from signary.training.fit import train as fit

    run = output or Path("runs") / Path(recipe).stem
    bundle = fit(recipe, data=data, output=run, overrides=fields, resume=resume, force=force)
    sys.stdout.write(f"{bundle}\n")
