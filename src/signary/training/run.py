"""Run folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from signary.digest import sha256_lines
from signary.errors import InputError
from signary.output import make_folder, whole_file
from signary.training.recipes.recipe import Recipe

CONFIG, METRICS, STATE = "config.yaml", "metrics.json", "state.json"
LAST, BEST = "last", "best"


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder: ``config.yaml``, ``state.json``, ``metrics.json``, ``checkpoints/``, ``logs/``, ``bundle/``.

    Parameters
    ----------
    folder : Path
    resume : bool
        Continue from the last checkpoint of each stage, if there is one.
    """

    folder: Path
    resume: bool = False

    @property
    def cache(self) -> Path:
        """The folder of decoded pictures and detected landmarks: beside the runs, which share it."""
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
        """Make the folder, and write the resolved recipe and what identifies the training samples.

        Parameters
        ----------
        recipe : Recipe
        fold : int
        learned : iterable of str
            A name or hash of each training sample.

        Raises
        ------
        InputError
            If a run is resumed with other training samples: it would be tested on data it knows.
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
        """Write ``metrics.json``: train, validation, test and further measurements."""
        record: dict[str, Any] = {"train": {}, "validation": {}, "test": {}, **parts}
        self._write(METRICS, json.dumps(record, indent=2) + "\n")

    def _write(self, name: str, text: str) -> None:
        with whole_file(self.folder / name, force=True) as draft:
            draft.write_text(text, encoding="utf-8")


def open_run(folder: Path, *, resume: bool) -> Run:
    """Return a run folder to resume or to start.

    Raises
    ------
    InputError
        If the folder holds something else; its files stay.
    """
    other = folder.exists() and not (folder / CONFIG).is_file()
    if other and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: no run ({CONFIG} is missing), kept", hint="name a run folder, or a new one")
    return Run(folder, resume=resume)
