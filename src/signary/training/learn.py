"""Gradient descent with Lightning: from batches to trained weights, with checkpoints and logs in a run."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, TQDMProgressBar

from signary.errors import InputError
from signary.output import DISK_FULL
from signary.training.logs import joined_rows, open_loggers
from signary.training.run import BEST, LAST, Run
from signary.training.task import NetworkRecipe, NetworkTask

CHECKPOINT_STEPS = 100


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

    Seed the chance before the network is made: `lightning.seed_everything`.

    Parameters
    ----------
    recipe : PictureRecipe, ClipRecipe or SpellingRecipe
    make_task : callable(steps) -> NetworkTask
        Given the steps of the whole training, for the schedule.
    batches, validation : loaders
        Without a run nothing is validated.
    run : Run, optional
        For checkpoints and logs; nothing is kept without it.
    stage : str
        Name of the checkpoints and logs in the run.
    best : bool
        Return the weights of the epoch with the least validation loss, not those of the last one.
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
    if run and best and (checkpoint := run.checkpoints(stage) / f"{BEST}.ckpt").exists():
        task.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"])
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
    """Train a task, with progress bar, checkpoints and logs if there is a run.

    Parameters
    ----------
    task : LightningModule
        With ``validation`` it logs ``validation_loss``: its best weights are kept as ``best.ckpt``.
    batches, validation : loaders
    run : Run, optional
    stage : str
        Name of the checkpoints and logs in the run.
    steps, epochs : int
        Limits; a checkpoint is written every epoch, or every 100 steps where there are no epochs.
    epoch_steps : int, optional
        Batches of an epoch; all by default.
    precision : str
        Lightning's.
    patience : int, optional
        Epochs without a better ``validation_loss`` after which training stops.
    clip_norm : float
        Largest norm of a step's gradients; 0: any.
    measure_every : int
        Epochs between validations.
    mlflow : bool
        Log to MLflow too: to ``MLFLOW_TRACKING_URI``, or an SQLite file beside the runs.
    """
    last = run.checkpoints(stage) / f"{LAST}.ckpt" if run else None
    start = str(last) if run and run.resume and last is not None and last.exists() else None
    tuned = validation is not None
    loggers = open_loggers(run.logs, stage, mlflow=mlflow) if run else []
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    if start and _stopped_early(task, start):
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
            callbacks=_callbacks(run, stage, epochs=epochs, tuned=tuned, patience=patience),
            logger=loggers,
            enable_checkpointing=run is not None,
            enable_progress_bar=run is not None,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=20,
        )
        trainer.fit(task, batches, validation, ckpt_path=start, weights_only=True)


def _stopped_early(task: lightning.LightningModule, checkpoint: str) -> bool:
    """Give a task the weights with which its training was stopped early, if it was."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    stopped = any(said.get("stopped_epoch") for name, said in state["callbacks"].items() if "EarlyStopping" in name)
    if stopped:
        task.load_state_dict(state["state_dict"])
    return stopped


def precision_name(asked: str) -> str:
    """Return Lightning's name of a precision; of ``auto``, bf16 where the processor has units for it."""
    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if asked == "bf16" or (asked == "auto" and fast) else "32-true"


def epoch_plan(epochs: int, steps: int | None, batches: int) -> tuple[int, int]:
    """Return how many epochs of how many batches, so that the last epoch is a whole one, and validated.

    Parameters
    ----------
    epochs : int
        Most passes over the data.
    steps : int, optional
        Most steps in all.
    batches : int
        Of a pass.
    """
    wanted = min(steps or epochs * batches, epochs * batches)
    epochs = math.ceil(wanted / batches)
    return epochs, math.ceil(wanted / epochs)


class WholeCheckpoint(ModelCheckpoint):
    """Checkpoints that are written whole or not at all: a full disk leaves the old one."""

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Keep the state of a training that ended between two checkpoints."""
        super().on_train_end(trainer, module)
        if self.monitor is None and self._last_global_step_saved != trainer.global_step:
            self._save_none_monitor_checkpoint(trainer, self._monitor_candidates(trainer))

    def _save_checkpoint(self, trainer: lightning.Trainer, filepath: str) -> None:
        path = Path(filepath)
        draft = path.with_name(f".{path.name}")
        try:
            super()._save_checkpoint(trainer, str(draft))
            self._last_checkpoint_saved = filepath
            if trainer.is_global_zero:
                draft.replace(path)
        except (OSError, RuntimeError) as error:
            draft.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno not in DISK_FULL:
                raise
            hint = "make room, then go on with --resume"
            raise InputError(f"{path}: cannot be written ({error}); the one before it is kept", hint=hint) from error


def _callbacks(run: Run | None, stage: str, *, epochs: int, tuned: bool, patience: int | None) -> list[Callback]:
    if run is None:
        return []
    folder = run.checkpoints(stage)
    often: dict[str, Any] = {"every_n_epochs": 1} if epochs > 0 else {"every_n_train_steps": CHECKPOINT_STEPS}
    # without a monitor the newest is the only one kept
    callbacks: list[Callback] = [
        WholeCheckpoint(folder, filename=LAST, enable_version_counter=False, save_on_train_epoch_end=True, **often),
        TQDMProgressBar(refresh_rate=20),
    ]
    if tuned:
        best: dict[str, Any] = {"monitor": "validation_loss", "enable_version_counter": False}
        callbacks.append(WholeCheckpoint(folder, filename=BEST, save_weights_only=True, **best))
    if tuned and patience:
        callbacks.append(EarlyStopping("validation_loss", patience=patience))
    return callbacks
