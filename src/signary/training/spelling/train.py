"""Recipes of continuous fingerspelling: clips of a prepared store to a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from signary.bundles.manifest import SPELLER_FILES
from signary.datasets.split import SUPPLEMENTAL, signer_folds
from signary.errors import InputError
from signary.evaluation.phrases import spelling_report
from signary.export.spelling import export_ctc_graph, export_speller
from signary.models.point_network import SpellingNetwork
from signary.training.learn import learn
from signary.training.pack import Learned, pack_bundle, store_credits, with_credits
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.rows import ShuffledRows
from signary.training.run import Run
from signary.training.spelling.batches import Batch, PhraseRows, Phrases, load_phrases, phrase_loader
from signary.training.spelling.rounds import PREDICTIONS, fold_scores, write_predictions
from signary.training.spelling.start import first_network, first_thresholds
from signary.training.spelling.task import SpellingTask, read_clips

READ_BATCH = 32
ALL = -1  # the fold of runs that hold nothing out


def train_spelling(recipe: SpellingRecipe, data: Path, run: Run, *, fold: int = 0, oof: Sequence[Path] = ()) -> Path:
    """Train a recipe of fingerspelling.

    Of one fold of signers nothing is learned: its clips are read, scored, and what was read is kept in
    ``predictions.parquet``. With such runs of all folds everything is learned from, and how well clips were read there
    is what the confidence learns.

    Parameters
    ----------
    recipe : SpellingRecipe
    data : Path
        A store, or a folder of stores.
    run : Run
    fold : int
        What is held out, from 0; -1, or ``oof``: nothing.
    oof : sequence of Path
        Runs of all folds.

    Returns
    -------
    Path
        The bundle.

    Raises
    ------
    InputError
        If there is nothing to learn from or to hold out, no such fold, or a fold is missing in ``oof``.
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
    clips = seen.clips
    sources = with_credits(recipe.init_from, store_credits(recipe.sources, clips))
    learned = Learned(
        temperature=1.0,
        fitted_on="nothing, as trained",
        validation=scores,
        split=f"fold {fold} of {recipe.data.folds} by signer held out",
        files={credit.name: sorted(clips.key[clips.source == credit.name]) for credit in sources},
        sources=sources,
        thresholds=first_thresholds(recipe),
    )
    return pack_spellers(run.bundle, networks, recipe, learned)


def pack_spellers(folder: Path, networks: Sequence[SpellingNetwork], recipe: SpellingRecipe, learned: Learned) -> Path:
    """Write the bundle of networks that read together: one graph, or those of an encoder and a decoder."""
    committee = nn.ModuleList(networks)
    if recipe.by_frame:
        return pack_bundle(folder, committee, recipe, learned, export_ctc_graph)
    return pack_bundle(folder, committee, recipe, learned, export_speller, graphs=SPELLER_FILES)


def hold_out(recipe: SpellingRecipe, phrases: Phrases, fold: int) -> NDArray[np.bool_]:
    """Return the clips of the signers of a fold, bool (N,); -1 = of none.

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
    # of one seed, whatever the recipe's: runs of several seeds have one split
    held_out: NDArray[np.bool_] = signer_folds(phrases.clips.signer, phrases.split, folds) == fold
    return held_out


def fit_members(
    recipe: SpellingRecipe, seen: Phrases, unseen: Phrases | None = None, *, run: Run | None = None
) -> list[SpellingNetwork]:
    """Train the members of a recipe, each from a seed of its own.

    Parameters
    ----------
    recipe : SpellingRecipe
    seen : Phrases
        To learn from.
    unseen : Phrases, optional
        Read every few epochs; the weights of the last epoch are kept, whatever they score.
    run : Run, optional
        For checkpoints and logs; nothing is kept without it.

    Returns
    -------
    list of SpellingNetwork
        In evaluation mode.
    """
    members = (recipe.model_copy(update={"seed": recipe.seed + number}) for number in range(recipe.members))
    return [fit_speller(mine, seen, unseen, run, number) for number, mine in enumerate(members)]


def fit_speller(
    recipe: SpellingRecipe, seen: Phrases, unseen: Phrases | None, run: Run | None, member: int
) -> SpellingNetwork:
    """Train one network; parameters as `fit_members`, and its number."""
    lightning.seed_everything(recipe.seed, verbose=False)
    network = first_network(recipe, member)
    batches = phrase_loader(seen, network.select.index.numpy(), PhraseRows(seen, recipe))
    held_out = _in_order(unseen, network) if unseen is not None else None
    task = partial(SpellingTask, recipe, network, seen=seen, unseen=unseen)
    how: dict[str, Any] = {
        "stage": f"member-{member}",
        "clip_norm": recipe.clip_norm,
        "measure_every": recipe.measure_every,
    }
    trained: SpellingNetwork = learn(recipe, task, batches, held_out, run=run, **how)
    return trained


def read_phrases(networks: Sequence[SpellingNetwork], phrases: Phrases, recipe: SpellingRecipe) -> list[str]:
    """Return what networks read together of each clip."""
    order = np.argsort(phrases.clips.length, kind="stable")
    said = np.empty(len(phrases), object)
    with torch.inference_mode():
        batches = _in_order(phrases.select(order), networks[0])
        read = [text for batch, _, _ in batches for text in read_clips(networks, batch.clips, batch.lengths, recipe)]
    said[order] = read
    return [str(text) for text in said]


def _in_order(phrases: Phrases, network: SpellingNetwork) -> Iterable[Batch]:
    return phrase_loader(phrases, network.select.index.numpy(), ShuffledRows(len(phrases), READ_BATCH))
