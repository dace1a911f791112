"""Gradient descent with Lightning: from batches to trained weights, with checkpoints and logs in a run."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Callable
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, TQDMProgressBar

from signary.training.checkpoints import best_checkpoint, last_checkpoint, load_best, path_of_last, stopped_early
from signary.training.logs import joined_rows, open_loggers
from signary.training.run import Run
from signary.training.task import NetworkRecipe, NetworkTask


def learn(
    recipe: NetworkRecipe,
    make_task: Callable[[int], NetworkTask],
    batches: Any,
    validation: Any = None,
    *,
    run: Run | None,
    stage: str,
    best: bool = False,
    **how: Any,
) -> Any:
    """Train a network as its recipe says.

    Call `lightning.seed_everything` before the network is made.

    Parameters
    ----------
    recipe : PictureRecipe, ClipRecipe or SpellingRecipe
    make_task : callable(steps) -> NetworkTask
        Takes the steps of the whole training, for the schedule.
    batches, validation : loaders
        Without a run there is no validation.
    run : Run, optional
        For checkpoints and logs.
    stage : str
        Name of the checkpoints and logs in the run.
    best : bool
        Return the weights of the epoch with the least validation loss instead of the last.
    **how
        ``clip_norm``, ``patience`` and ``measure_every`` of `fit_task`.

    Returns
    -------
    Module
        The task's reader, on the CPU and in evaluation mode.
    """
    validation = validation if run else None
    epochs, epoch_steps = epoch_plan(recipe.epochs, recipe.steps, len(batches))
    task = make_task(epochs * epoch_steps)
    precision = precision_name(recipe.precision)
    limits: dict[str, Any] = {"epochs": epochs, "epoch_steps": epoch_steps, "precision": precision}
    fit_task(task, batches, validation, run=run, stage=stage, mlflow=recipe.mlflow, **limits, **how)
    if run and best:
        load_best(task, run.checkpoints(stage))
    return task.reader.eval().cpu()


def fit_task(
    task: lightning.LightningModule,
    batches: Any,
    validation: Any = None,
    *,
    run: Run | None,
    stage: str,
    steps: int | None = None,
    epochs: int = -1,
    epoch_steps: int | None = None,
    precision: str = "32-true",
    patience: int | None = None,
    clip_norm: float = 0.0,
    measure_every: int = 1,
    mlflow: bool = False,
) -> None:
    """Train a task; with a run, show progress and write checkpoints and logs. Other parameters as `learn`.

    Parameters
    ----------
    task : LightningModule
        With ``validation`` it logs ``validation_loss``; its best weights are kept as ``best.ckpt``.
    steps, epochs : int
        Limits; a checkpoint is written every epoch, or every 100 steps without ``epochs``.
    epoch_steps : int, optional
        Batches of an epoch; all by default.
    precision : str
        Lightning's.
    patience : int, optional
        Training stops after so many epochs without a better ``validation_loss``.
    clip_norm : float
        Largest norm of a step's gradients; 0: any.
    measure_every : int
        Epochs between validations.
    mlflow : bool
        See `signary.training.logs.open_loggers`.
    """
    start = path_of_last(run, stage)
    loggers = open_loggers(run.logs, stage, mlflow=mlflow) if run else []
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    if start and stopped_early(task, start):
        return
    joined = joined_rows(run.logs, stage) if run and start else contextlib.nullcontext()
    with warnings.catch_warnings(), joined:
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            accelerator="auto",
            max_steps=steps or -1,
            max_epochs=epochs,
            limit_train_batches=epoch_steps,
            check_val_every_n_epoch=measure_every,
            devices=1,
            gradient_clip_val=clip_norm or None,
            precision=precision,  # type: ignore[arg-type]
            callbacks=_callbacks(run, stage, epochs=epochs, tuned=validation is not None, patience=patience),
            logger=loggers,
            enable_checkpointing=run is not None,
            enable_progress_bar=run is not None,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=20,
        )
        trainer.fit(task, batches, validation, ckpt_path=str(start) if start else None, weights_only=True)


def precision_name(asked: str) -> str:
    """Return Lightning's name of a precision; ``auto`` is bf16 if the processor has units for it."""
    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if asked == "bf16" or (asked == "auto" and fast) else "32-true"


def epoch_plan(epochs: int, steps: int | None, batches: int) -> tuple[int, int]:
    """Return numbers of epochs and of batches in each, so that the last epoch is complete and validated.

    Parameters
    ----------
    epochs : int
        Limit of the passes over the data.
    steps : int, optional
        Limit of the steps in all.
    batches : int
        Of a pass.
    """
    wanted = min(steps or epochs * batches, epochs * batches)
    epochs = math.ceil(wanted / batches)
    return epochs, math.ceil(wanted / epochs)


def _callbacks(run: Run | None, stage: str, *, epochs: int, tuned: bool, patience: int | None) -> list[Callback]:
    if run is None:
        return []
    folder = run.checkpoints(stage)
    callbacks: list[Callback] = [last_checkpoint(folder, by_epoch=epochs > 0), TQDMProgressBar(refresh_rate=20)]
    if tuned:
        callbacks.append(best_checkpoint(folder))
    if tuned and patience:
        callbacks.append(EarlyStopping("validation_loss", patience=patience))
    return callbacks
