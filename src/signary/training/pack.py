"""A trained network to a bundle."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import signary
from signary.datasets.samples import HandSamples
from signary.evaluation.card import write_card
from signary.export.bundle import BundleManifest, Calibration, Score, TrainingSource, write_bundle
from signary.export.onnx import export_graph
from signary.models.handshape import HandshapeReader
from signary.training.recipe import Recipe

TRAINING_FILES = "training-files.txt"


def pack_bundle(
    folder: Path,
    network: HandshapeReader,
    recipe: Recipe,
    samples: HandSamples,
    *,
    temperature: float,
    validation: Mapping[str, Any],
) -> Path:
    """Export a network and write its bundle with a model card.

    Parameters
    ----------
    folder : Path
    network : HandshapeReader
    recipe : Recipe
    samples : HandSamples
        All that it learned from.
    temperature : float
    validation : mapping
        n, accuracy, ece and reliability on held-out groups.

    Returns
    -------
    Path
        ``folder``.
    """
    held_out = Score(
        data="the recipe's sources",
        split=f"{recipe.validation:.0%} of the groups held out, before the last run learns from them too",
        n=int(validation["n"]),
        metrics={"accuracy": round(validation["accuracy"], 4)},
        command=f"signary train {recipe.name}",
    )
    manifest = BundleManifest(
        name=recipe.name,
        version=signary.__version__,
        task=recipe.task,
        input="landmarks",
        skeleton="HOLISTIC_543",
        graphs={"model": "model.onnx"},
        vocabulary=recipe.vocabulary,
        silent=recipe.silent,
        aliases=recipe.aliases,
        sign_language=recipe.sign_language,
        region=recipe.region,
        calibration=Calibration(
            temperature=temperature,
            fitted_on="held-out groups of the recipe's sources",
            ece=validation["ece"],
            reliability=validation["reliability"],
        ),
        scores=[*(Score.model_validate(score) for score in recipe.scores), held_out],
        parameters=sum(weight.numel() for weight in network.parameters()),
        training=_sources(recipe, samples),
        training_files=TRAINING_FILES,
        recipe=recipe.model_dump(exclude={"scores"}),
        created_with=f"signary {signary.__version__}",
    )
    hashes = sorted({sha256 for sha256s in samples.files.values() for sha256 in sha256s})
    with tempfile.TemporaryDirectory() as draft:
        graph = Path(draft) / "model.onnx"
        export_graph(network, graph)
        files: dict[str, Path | bytes | str] = {
            "model.onnx": graph,
            TRAINING_FILES: "\n".join(hashes) + "\n",
            "README.md": write_card(manifest),
        }
        write_bundle(folder, manifest, files, force=True)
    return folder


def _sources(recipe: Recipe, samples: HandSamples) -> list[TrainingSource]:
    return [
        TrainingSource(
            name=source.name,
            licence=source.licence,
            url=source.url,
            files=len(samples.files[source.name]),
            sha256=hashlib.sha256("\n".join(samples.files[source.name]).encode()).hexdigest(),
        )
        for source in recipe.sources
        if source.name in samples.files
    ]
