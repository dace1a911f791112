"""A trained network to a bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import nn

import signary
from signary.bundles.bundle import load_bundle
from signary.bundles.card import write_card
from signary.bundles.manifest import BundleManifest, Calibration, Score, TrainingSource
from signary.bundles.write import write_bundle
from signary.datasets.clips import Clips
from signary.digest import sha256_lines
from signary.training.recipes.hands import HandRecipe
from signary.training.recipes.recipe import Credit, Recipe
from signary.training.recipes.signs import SignRecipe
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.recipes.videos import VideoRecipe

TRAINING_FILES = "training-files.txt"
GRAPH = "model.onnx"
ONE_GRAPH: Mapping[str, str] = MappingProxyType({"model": GRAPH})
UNKNOWN_LICENCE = "not stated"
SCORES = ("accuracy", "score", "cer", "exact")


@dataclass(frozen=True, slots=True)
class Learned:
    """Facts of a training for the manifest.

    Parameters
    ----------
    temperature : float
        Of the logits.
    fitted_on : str
        What the temperature was fitted on.
    validation : mapping
        On held-out data: n, accuracy, ece and reliability; for spelling n, score, cer and exact. May be empty.
    split : str
        How the data were held out.
    files : mapping of str to sequence of str
        Source -> sha256 of each training file, or of each clip, see `ClipStore.keys`.
    sources : sequence of Credit
        Their origins.
    trusted : sequence of str
        As in `BundleManifest`.
    thresholds : mapping of str to float
        Found in training, besides those of the recipe.
    """

    temperature: float
    fitted_on: str
    validation: Mapping[str, Any]
    split: str
    files: Mapping[str, Sequence[str]]
    sources: Sequence[Credit]
    trusted: Sequence[str] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)


def pack_bundle(
    folder: Path,
    network: nn.Module,
    recipe: Recipe,
    learned: Learned,
    export: Callable[[Any, Path], None],
    *,
    graphs: Mapping[str, str] = ONE_GRAPH,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Export a network and write its bundle with a model card.

    Parameters
    ----------
    folder : Path
    network : Module
    recipe : Recipe
    learned : Learned
    export : callable(network, path)
        Writes the graph, or several into a folder.
    graphs : mapping of str to str
        As in `BundleManifest`.
    files : mapping of str to bytes
        Further files by name.

    Returns
    -------
    Path
        ``folder``.
    """
    manifest = _manifest(network, recipe, learned, graphs)
    hashes = sorted({sha256 for sha256s in learned.files.values() for sha256 in sha256s})
    with tempfile.TemporaryDirectory() as draft:
        written = {name: Path(draft) / name for name in graphs.values()}
        export(network, Path(draft) if len(graphs) > 1 else Path(draft) / graphs["model"])
        all_files: dict[str, Path | bytes | str] = {
            **written,
            **files,
            TRAINING_FILES: "\n".join(hashes) + "\n",
            "README.md": write_card(manifest),
        }
        write_bundle(folder, manifest, all_files, force=True)
    return folder


def store_credits(said: Sequence[Credit], clips: Clips) -> list[Credit]:
    """Return the credits of the sources of clips: those given, else from their stores."""
    by_name = {credit.name: credit for credit in said}
    names = [str(name) for name in np.unique(clips.source)]
    return [by_name.get(name) or Credit(name=name, licence=_licence(clips, name)) for name in names]


def clip_files(clips: Clips, sources: Sequence[Credit]) -> dict[str, list[str]]:
    """Return the keys of the clips of each source."""
    return {credit.name: sorted(clips.key[clips.source == credit.name]) for credit in sources}


def with_credits(init_from: str, own: Sequence[Credit]) -> list[Credit]:
    """Return the credits of a training, with those of the bundle or run that it starts from, if any."""
    names = {credit.name for credit in own}
    before = load_bundle(init_from).manifest.training if init_from else []
    return [*own, *(Credit(name=one.name, licence=one.licence, url=one.url) for one in before if one.name not in names)]


def _licence(clips: Clips, source: str) -> str:
    licences = sorted({str(licence) for licence in clips.licence[clips.source == source]} - {""})
    return ", ".join(licences) or UNKNOWN_LICENCE


def _held_out(recipe: Recipe, learned: Learned) -> list[Score]:
    if not (validation := learned.validation):
        return []
    score = Score(
        data="the recipe's sources",
        split=learned.split,
        n=int(validation["n"]),
        metrics={name: round(validation[name], 4) for name in SCORES if name in validation},
        command=f"signary train {recipe.name} (fields in bundle.json)",
        left_out=False,  # the temperature, and often the best epoch, were chosen on it
    )
    return [score]


def _manifest(network: nn.Module, recipe: Recipe, learned: Learned, graphs: Mapping[str, str]) -> BundleManifest:
    validation, of_points = learned.validation, isinstance(recipe, HandRecipe | SignRecipe | SpellingRecipe)
    return BundleManifest(
        name=(recipe.model if isinstance(recipe, SpellingRecipe) else "") or recipe.name,
        version=signary.__version__,
        task=recipe.task,
        input="landmarks" if of_points else "clip" if isinstance(recipe, VideoRecipe) else "image",
        skeleton="HOLISTIC_543" if of_points else None,
        graphs=dict(graphs),
        vocabulary=recipe.labels,
        silent=[label for label in recipe.silent if label in recipe.labels],
        aliases={name: label for name, label in recipe.aliases.items() if label in recipe.labels},
        trusted=list(learned.trusted),
        sign_language=recipe.sign_language,
        region=recipe.region,
        thresholds={**_thresholds(recipe), **learned.thresholds},
        calibration=Calibration(
            temperature=learned.temperature,
            fitted_on=learned.fitted_on,
            ece=validation.get("ece"),
            reliability=validation.get("reliability", []),
        ),
        scores=[*map(Score.model_validate, recipe.scores), *_held_out(recipe, learned)],
        parameters=sum(weight.numel() for weight in network.parameters()),
        training=_sources(learned),
        training_files=TRAINING_FILES,
        recipe=recipe.model_dump(exclude={"scores"}),
        created_with=f"signary {signary.__version__}",
    )


def _thresholds(recipe: Recipe) -> dict[str, float]:
    if isinstance(recipe, SignRecipe):
        return recipe.thresholds
    if isinstance(recipe, SpellingRecipe):
        return {"letters": recipe.data.letters}
    return {} if isinstance(recipe, HandRecipe | VideoRecipe) else {"drawn": 0}  # a picture is read by its look alone


def _sources(learned: Learned) -> list[TrainingSource]:
    return [
        TrainingSource(
            name=source.name,
            licence=source.licence,
            url=source.url,
            files=len(learned.files[source.name]),
            sha256=sha256_lines(learned.files[source.name]),
        )
        for source in learned.sources
        if source.name in learned.files
    ]
