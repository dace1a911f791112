"""Recipes of continuous fingerspelling: clips of a prepared store to a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from numpy.typing import NDArray
from torch import nn

from signary.bundles.manifest import SPELLER_FILES
from signary.datasets.split import SUPPLEMENTAL, signer_folds
from signary.errors import InputError
from signary.evaluation.phrases import spelling_report
from signary.export.spelling import export_ctc_graph, export_speller
from signary.models.point_network import SpellingNetwork
from signary.training.learn import learn
from signary.training.pack import Learned, clip_files, pack_bundle, store_credits, with_credits
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.run import Run
from signary.training.spelling.batches import Phrases, load_phrases, ordered_phrases, phrase_loader
from signary.training.spelling.read import read_phrases
from signary.training.spelling.rounds import PREDICTIONS, fold_scores, write_predictions
from signary.training.spelling.rows import PhraseRows
from signary.training.spelling.start import first_network, first_thresholds
from signary.training.spelling.task import SpellingTask

ALL = -1  # the fold of runs without held-out clips


def train_spelling(recipe: SpellingRecipe, data: Path, run: Run, *, fold: int = 0, oof: Sequence[Path] = ()) -> Path:
    """Train a recipe of fingerspelling; parameters and errors as `signary.training.train.train`.

    The clips of the signers in the held-out fold are read and scored, and the texts kept in ``predictions.parquet``.
    With such runs of all folds as ``oof``, all clips are trained on, and the confidence is trained on their scores.
    """
    phrases, skipped = load_phrases(recipe, data)
    if oof:
        phrases, fold = replace(phrases, score=fold_scores(oof, phrases)), ALL
    held_out = hold_out(recipe, phrases, fold)
    short = phrases.clips.length < recipe.data.shortest
    if count := int((short & ~held_out).sum()):
        skipped.append(f"{count} clips of less than {recipe.data.shortest} frames: not learned from")
    seen, unseen = phrases.select(~held_out & ~short), phrases.select(held_out & (phrases.split != SUPPLEMENTAL))
    if not len(seen):
        raise InputError(f"{data}: no clip to learn from", hint="; ".join(skipped))
    run.start(recipe, fold=fold, learned=map("{} {}".format, seen.clips.key, seen.score))
    networks = fit_members(recipe, seen, unseen if len(unseen) else None, run=run)
    scores: dict[str, Any] = {}
    if len(unseen):
        read = read_phrases(networks, unseen, recipe)
        write_predictions(run.folder / PREDICTIONS, unseen, read)
        scores = spelling_report(unseen.clips.label.tolist(), read, unseen.clips.signer.tolist())
    more: dict[str, Any] = {"skipped": skipped}
    run.write_metrics(train={"n": len(seen)}, validation=scores, **more)
    sources = with_credits(recipe.init_from, store_credits(recipe.sources, seen.clips))
    learned = Learned(
        temperature=1.0,
        fitted_on="nothing, as trained",
        validation=scores,
        split=f"fold {fold} of {recipe.data.folds} by signer held out",
        files=clip_files(seen.clips, sources),
        sources=sources,
        thresholds=first_thresholds(recipe),
    )
    return pack_spellers(run.bundle, networks, recipe, learned)


def pack_spellers(folder: Path, networks: Sequence[SpellingNetwork], recipe: SpellingRecipe, learned: Learned) -> Path:
    """Write the bundle of networks that read together: one graph, or graphs of an encoder and a decoder."""
    committee = nn.ModuleList(networks)
    if recipe.by_frame:
        return pack_bundle(folder, committee, recipe, learned, export_ctc_graph)
    return pack_bundle(folder, committee, recipe, learned, export_speller, graphs=SPELLER_FILES)


def hold_out(recipe: SpellingRecipe, phrases: Phrases, fold: int) -> NDArray[np.bool_]:
    """Return the clips of the signers in a fold, bool (N,); -1 = none.

    Raises
    ------
    InputError
        If there is no such fold, or fewer signers than folds.
    """
    folds = recipe.data.folds
    if fold == ALL:
        return np.zeros(len(phrases), np.bool_)
    if not 0 <= fold < folds:
        raise InputError(f"fold={fold}: of {folds}", hint="0 to one less, or -1 to learn from everything")
    # the same split for all seeds of the recipe
    held_out: NDArray[np.bool_] = signer_folds(phrases.clips.signer, phrases.split, folds) == fold
    return held_out


def fit_members(
    recipe: SpellingRecipe, seen: Phrases, unseen: Phrases | None = None, *, run: Run | None = None
) -> list[SpellingNetwork]:
    """Train the members of a recipe, each with its own seed; parameters as `fit_speller`."""
    return [fit_speller(recipe.member(number), seen, unseen, run, number) for number in range(recipe.members)]


def fit_speller(
    recipe: SpellingRecipe, seen: Phrases, unseen: Phrases | None, run: Run | None, member: int
) -> SpellingNetwork:
    """Train one network on phrases, and validate it on unseen ones; the rest as `signary.training.learn.learn`."""
    lightning.seed_everything(recipe.seed, verbose=False)
    network = first_network(recipe, member)
    batches = phrase_loader(seen, network.select.index.numpy(), PhraseRows(seen, recipe))
    held_out = ordered_phrases(unseen, network) if unseen is not None else None
    task = partial(SpellingTask, recipe, network, seen=seen, unseen=unseen)
    how: dict[str, Any] = {
        "stage": f"member-{member}",
        "clip_norm": recipe.clip_norm,
        "measure_every": recipe.measure_every,
    }
    trained: SpellingNetwork = learn(recipe, task, batches, held_out, run=run, **how)
    return trained
