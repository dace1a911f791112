"""Run folders, and training with Lightning into them."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import shutil
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
import yaml
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, TQDMProgressBar
from numpy.typing import NDArray

from signary.digest import sha256_lines
from signary.errors import InputError
from signary.output import DISK_FULL, make_folder, whole_file
from signary.text.calibrate import expected_calibration_error, reliability
from signary.training.logs import joined_rows, open_loggers
from signary.training.schema import Recipe

CHECKPOINT_STEPS = 100
CONFIG, METRICS, STATE = "config.yaml", "metrics.json", "state.json"
LAST, BEST = "last", "best"


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder: ``config.yaml``, ``state.json``, ``metrics.json``, ``checkpoints/``, ``logs/``, ``bundle/``.

    Parameters
    ----------
    folder : Path
    resume : bool
        Go on from the last checkpoint of each stage, if there is one.
    """

    folder: Path
    resume: bool = False

    @property
    def cache(self) -> Path:
        """Where what was decoded or detected is kept: beside the runs, so that the next one finds it."""
        return self.folder.parent / "cache"

    @property
    def bundle(self) -> Path:
        """The bundle's folder."""
        return self.folder / "bundle"

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.folder / "logs"

    def checkpoints(self, stage: str) -> Path:
        """Return the folder of a stage's checkpoints."""
        return self.folder / "checkpoints" / stage

    def start(self, recipe: Recipe, *, fold: int, learned: Iterable[str]) -> None:
        """Make the folder and write down the resolved recipe and what is learned from.

        Parameters
        ----------
        recipe : Recipe
        fold : int
        learned : iterable of str
            What tells the samples that are learned from.

        Raises
        ------
        InputError
            If a run is resumed with other samples than it was started with: it would be tested on what it knows.
        """
        make_folder(self.folder)
        state = {"fold": fold, "learned": sha256_lines(learned)}
        if self.resume:
            self._check_state(state)
        else:
            for old in (self.folder / "checkpoints", self.logs, self.bundle):
                shutil.rmtree(old, ignore_errors=True)
            (self.folder / METRICS).unlink(missing_ok=True)
        self._write(STATE, json.dumps(state) + "\n")
        self._write(CONFIG, yaml.safe_dump(recipe.model_dump(), sort_keys=False))

    def _check_state(self, state: Mapping[str, Any]) -> None:
        path = self.folder / STATE
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else state
        if before != state:
            said = f"{self.folder}: was started with fold={before['fold']} and other data or another split"
            raise InputError(said, hint="give the same, or start over with --force")

    def write_metrics(self, **parts: Mapping[str, Any]) -> None:
        """Write ``metrics.json``: train, validation, test and what else was measured."""
        record: dict[str, Any] = {"train": {}, "validation": {}, "test": {}, **parts}
        self._write(METRICS, json.dumps(record, indent=2) + "\n")

    def _write(self, name: str, text: str) -> None:
        with whole_file(self.folder / name, force=True) as draft:
            draft.write_text(text, encoding="utf-8")


def open_run(folder: Path, *, resume: bool) -> Run:
    """Return a run folder to go on with or to start over.

    Raises
    ------
    InputError
        If there is something else: its files stay.
    """
    other = folder.exists() and not (folder / CONFIG).is_file()
    if other and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: no run ({CONFIG} is missing), kept", hint="name a run folder, or a new one")
    return Run(folder, resume=resume)


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


def load_best(task: lightning.LightningModule, run: Run, stage: str) -> None:
    """Give a task the weights of its best epoch."""
    checkpoint = torch.load(run.checkpoints(stage) / f"{BEST}.ckpt", map_location="cpu", weights_only=True)
    task.load_state_dict(checkpoint["state_dict"])


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


def scores_of(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int64], found: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Score calibrated probabilities (N, V): n, accuracy, calibration error and reliability table.

    Parameters
    ----------
    probabilities : float (N, V)
    labels : int64 (N,)
    found : bool (N,), optional
        Rows that were read at all; the others count as wrong.
    """
    found = np.ones(len(labels), np.bool_) if found is None else found
    right = (probabilities.argmax(1) == labels) & found
    sure = probabilities[found].max(1)
    return {
        "n": len(labels),
        "accuracy": float(right.mean()),
        "ece": float(expected_calibration_error(sure, right[found])),
        "reliability": reliability(sure, right[found]).rows(),
    }


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
