"""``signary train``."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from signary.cli.app import check_extra
from signary.cli.fields import split_fields


def train(
    recipe: str,
    /,
    *,
    data: Path = Path(),
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    resume: bool = False,
    force: bool = False,
    fold: int = 0,
    oof: Annotated[list[Path] | None, Parameter(negative="", consume_multiple=True)] = None,
    field: Annotated[list[str] | None, Parameter(negative="")] = None,
) -> None:
    """Train a recipe into a run folder with a bundle in it.

    Parameters
    ----------
    recipe
        A recipe's name, or a YAML file.
    data
        Folder of the recipe's sources, or the folder of its only source.
    output
        Run folder; runs/RECIPE by default.
    resume
        Continue a stopped run.
    force
        Start over in an existing folder.
    fold
        Which fold is held out, from 0; for spelling, -1 = none.
    oof
        For spelling: one run for each fold. Their out-of-fold readings tell how readable each clip is; nothing is held
        out.
    field
        FIELD=VALUE sets any field of the recipe; --FIELD VALUE is the same: --steps 500 --augment.flip 0.5.
        --trainer.max_steps and --trainer.max_epochs are other names of --steps and --epochs.
    """
    check_extra(["torch", "lightning"], "PyTorch and Lightning")
    from signary.training.train import read_metrics
    from signary.training.train import train as fit

    run = output or Path("runs") / Path(recipe).stem
    overrides = split_fields(field or [])
    with redirect_stdout(sys.stderr):  # Lightning writes its progress to stdout
        bundle = fit(
            recipe, data=data, output=run, overrides=overrides, fold=fold, oof=oof or (), resume=resume, force=force
        )
    _show(read_metrics(run))
    sys.stdout.write(f"{bundle}\n")


def _show(metrics: dict[str, Any]) -> None:
    for part in ("validation", "test"):
        scores = metrics[part]
        if "cer" in scores:
            said = f"{part} score {scores['score']:.4f} ({scores['exact']:.2%} of {scores['n']} phrases exact)"
            sys.stdout.write(said + "\n")
        elif scores:
            right = round(scores["accuracy"] * scores["n"])
            said = f"{part} accuracy {scores['accuracy']:.2%} ({right} of {scores['n']})"
            sys.stdout.write(said + "\n")
    if folds := metrics.get("cross_validation"):
        said = f"{len(folds['folds'])}-fold accuracy {folds['mean']:.2%} (standard deviation {folds['std']:.2%})"
        sys.stdout.write(said + "\n")
    for skipped in metrics.get("skipped", []):
        sys.stderr.write(f"skipped: {skipped}\n")
