"""Stopped trainings, and the weights in their checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

Stopping = Callable[[type, int], AbstractContextManager[None]]
Weights = Callable[[Path, str], dict[str, Any]]


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Stopping:
    """Return a context in which trainings by a class of tasks fail at the given step."""

    @contextmanager
    def stop(task: Any, count: int) -> Iterator[None]:
        step, steps = task.training_step, []

        def stopped(self: Any, batch: Any, index: int) -> Any:
            steps.append(index)
            if len(steps) == count:
                raise OSError("stopped")
            return step(self, batch, index)

        with monkeypatch.context() as patch, pytest.raises(OSError, match="stopped"):
            patch.setattr(task, "training_step", stopped)
            yield

    return stop


@pytest.fixture
def last_weights() -> Weights:
    """Return a function that reads the weights in the last checkpoint of a run's stage."""
    import torch

    def read(run: Path, stage: str) -> dict[str, torch.Tensor]:
        state = torch.load(run / "checkpoints" / stage / "last.ckpt", weights_only=True)["state_dict"]
        return {name: value for name, value in state.items() if value.dtype.is_floating_point}

    return read
