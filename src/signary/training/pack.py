"""A trained network to a bundle."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

import signary
from signary.evaluation.card import write_card
from signary.export.bundle import BundleManifest, Calibration, Score, TrainingSource, write_bundle
from signary.training.schema import Credit, HandRecipe, Recipe
from signary.training.schema_signs import SignRecipe

TRAINING_FILES = "training-files.txt"
GRAPH = "model.onnx"


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of a training.

    Parameters
    ----------
    temperature : float
        Of the logits.
    fitted_on : str
        What the temperature was fitted on.
    validation : mapping
        n, accuracy, ece and reliability on what was held out.
    split : str
        How that was held out.
    files : mapping of str to sequence of str
        Source -> sha256 of each file (of each clip, see `ClipStore.keys`) learned from.
    sources : sequence of Credit
        Where these come from.
    trusted : sequence of str
        As in `BundleManifest`.
    """

    temperature: float
    fitted_on: str
    validation: Mapping[str, Any]
    split: str
    files: Mapping[str, Sequence[str]]
    sources: Sequence[Credit]
    trusted: Sequence[str] = ()


def pack_bundle(
    folder: Path, network: nn.Module, recipe: Recipe, learned: Learned, export: Callable[[Any, Path], None]
) -> Path:
    """Export a network and write its bundle with a model card.

    Parameters
    ----------
    folder : Path
    network : Module
    recipe : Recipe
    learned : Learned
    export : callable(network, path)
        Writes the graph.

    Returns
    -------
    Path
        ``folder``.
    """
    manifest = _manifest(network, recipe, learned)
    hashes = sorted({sha256 for sha256s in learned.files.values() for sha256 in sha256s})
    with tempfile.TemporaryDirectory() as draft:
        graph = Path(draft) / GRAPH
        export(network, graph)
        files: dict[str, Path | bytes | str] = {
            GRAPH: graph,
            TRAINING_FILES: "\n".join(hashes) + "\n",
            "README.md": write_card(manifest),
        }
        write_bundle(folder, manifest, files, force=True)
    return folder


def _manifest(network: nn.Module, recipe: Recipe, learned: Learned) -> BundleManifest:
    validation, of_points = learned.validation, isinstance(recipe, HandRecipe | SignRecipe)
    held_out = Score(
        data="the recipe's sources",
        split=learned.split,
        n=int(validation["n"]),
        metrics={"accuracy": round(validation["accuracy"], 4)},
        command=f"signary train {recipe.name} (fields in bundle.json)",
    )
    return BundleManifest(
        name=recipe.name,
        version=signary.__version__,
        task=recipe.task,
        input="landmarks" if of_points else "image",
        skeleton="HOLISTIC_543" if of_points else None,
        graphs={"model": GRAPH},
        vocabulary=recipe.labels,
        silent=[label for label in recipe.silent if label in recipe.labels],
        aliases={name: label for name, label in recipe.aliases.items() if label in recipe.labels},
        trusted=list(learned.trusted),
        sign_language=recipe.sign_language,
        region=recipe.region,
        thresholds=_thresholds(recipe),
        calibration=Calibration(
            temperature=learned.temperature,
            fitted_on=learned.fitted_on,
            ece=validation["ece"],
            reliability=validation["reliability"],
        ),
        scores=[*(Score.model_validate(score) for score in recipe.scores), held_out],
        parameters=sum(weight.numel() for weight in network.parameters()),
        training=_sources(learned),
        training_files=TRAINING_FILES,
        recipe=recipe.model_dump(exclude={"scores"}),
        created_with=f"signary {signary.__version__}",
    )


def _thresholds(recipe: Recipe) -> dict[str, float]:
    if isinstance(recipe, SignRecipe):
        return recipe.thresholds
    return {} if isinstance(recipe, HandRecipe) else {"drawn": 0}  # a picture is read by its look alone


def _sources(learned: Learned) -> list[TrainingSource]:
    return [
        TrainingSource(
            name=source.name,
            licence=source.licence,
            url=source.url,
            files=len(learned.files[source.name]),
            sha256=hashlib.sha256("\n".join(learned.files[source.name]).encode()).hexdigest(),
        )
        for source in learned.sources
        if source.name in learned.files
    ]
