"""Checkpoints of a training, the last and the best, each written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from signary.errors import InputError
from signary.output import DISK_FULL
from signary.training.run import BEST, LAST, Run

CHECKPOINT_STEPS = 100


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


def last_checkpoint(folder: Path, *, by_epoch: bool) -> WholeCheckpoint:
    """Return what writes ``last.ckpt``, after every epoch or every 100 steps, and at the end."""
    often: dict[str, Any] = {"every_n_epochs": 1} if by_epoch else {"every_n_train_steps": CHECKPOINT_STEPS}
    # without a monitor only the newest is kept
    return WholeCheckpoint(folder, filename=LAST, enable_version_counter=False, save_on_train_epoch_end=True, **often)


def best_checkpoint(folder: Path) -> WholeCheckpoint:
    """Return what writes ``best.ckpt``: the weights with the least ``validation_loss``."""
    how: dict[str, Any] = {"monitor": "validation_loss", "enable_version_counter": False}
    return WholeCheckpoint(folder, filename=BEST, save_weights_only=True, **how)


def path_of_last(run: Run | None, stage: str) -> Path | None:
    """Return the checkpoint to resume from, if any."""
    path = run.checkpoints(stage) / f"{LAST}.ckpt" if run and run.resume else None
    return path if path and path.exists() else None


def stopped_early(task: lightning.LightningModule, checkpoint: Path) -> bool:
    """Load the final weights of a training that early stopping had ended; return whether it had."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    stopped = any(said.get("stopped_epoch") for name, said in state["callbacks"].items() if "EarlyStopping" in name)
    if stopped:
        task.load_state_dict(state["state_dict"])
    return stopped


def load_best(task: lightning.LightningModule, folder: Path) -> None:
    """Load the weights of ``best.ckpt``, if there is one."""
    if (checkpoint := folder / f"{BEST}.ckpt").exists():
        task.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"])
