"""Clips of isolated signs: loaded, split, scored, and the learning curve; for landmarks and for videos."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from signary.datasets.clips import Clips, Stored, fold_of, open_clips
from signary.datasets.stores.landmarks import ClipStore
from signary.errors import InputError
from signary.text.vocabulary import Vocabulary
from signary.training.recipes.signs import ClipRecipe
from signary.training.rows import share_of
from signary.training.scores import calibrated, scores_by_signer

Logits = NDArray[np.float32]
AnyRecipe = TypeVar("AnyRecipe", bound=ClipRecipe)


def load_clips(recipe: AnyRecipe, data: Path, *, kind: type[Stored] = ClipStore) -> tuple[AnyRecipe, Clips, list[str]]:
    """Open the clips of a recipe, in stores of a kind, and keep its classes.

    Returns
    -------
    recipe : SignRecipe
        With its vocabulary; by default, all labels of the data.
    clips : Clips
    skipped : list of str
        What was left out and why.

    Raises
    ------
    InputError
        If nothing is left.
    """
    clips = open_clips(data, aliases=recipe.aliases, teams=recipe.data.teams, kind=kind)
    chosen = recipe.vocabulary or sorted({str(label) for label in clips.label})
    if recipe.data.classes != "all":
        chosen = [str(label) for label in recipe.data.classes]
    aliases = {name: label for name, label in recipe.aliases.items() if label in chosen}
    silent = [label for label in recipe.silent if label in chosen]
    vocabulary = Vocabulary(tuple(chosen), tuple(silent), aliases)
    known = vocabulary.places(clips.label) >= 0
    empty = clips.length == 0
    strange = Counter(clips.label[~known].tolist())
    skipped = [f"{count} clips of {label!r}: not in the vocabulary" for label, count in sorted(strange.items())]
    skipped += [f"{int(empty.sum())} clips without frames"] if empty.any() else []
    if not (known & ~empty).any():
        raise InputError(f"{data}: no clip of {', '.join(chosen[:8])}", hint="see signary data info, or --vocabulary")
    update = {"vocabulary": chosen, "silent": silent, "aliases": aliases}
    return recipe.model_copy(update=update), clips.select(known & ~empty), skipped


def parted(recipe: ClipRecipe, clips: Clips, fold: int) -> tuple[Clips, Clips, str]:
    """Return the training clips, the held-out clips of a fold, and its name; errors as `hold_out`."""
    held_out, name = hold_out(recipe, clips, fold)
    rows = share_of(np.flatnonzero(~held_out), recipe.data.share, recipe.seed)
    return clips.select(rows), clips.select(held_out), name


def hold_out(recipe: ClipRecipe, clips: Clips, fold: int) -> tuple[NDArray[np.bool_], str]:
    """Return the clips of a fold, bool (N,), and its name.

    Raises
    ------
    InputError
        If there is no such fold, or a class has no clip outside it.
    """
    by = recipe.data.split
    if by == "signer" and len(set(clips.signer.tolist())) == 1:
        return _hold_out_of_one(recipe, clips, fold)
    if by != "clip" and len(set(getattr(clips, by).tolist())) < 2:
        raise InputError(f"data.split={by}: all clips are of one {by}", hint="--data.split clip, whose score flatters")
    number, names = fold_of(clips, "key" if by == "clip" else by, recipe.data.folds, seed=recipe.seed)
    if not 0 <= fold < len(names):
        raise InputError(f"fold={fold}: of {len(names)} by {by}", hint=f"0 to {len(names) - 1}")
    held_out: NDArray[np.bool_] = number == fold
    if not held_out.any():
        raise InputError(f"fold={fold}: holds no clip", hint="take fewer --data.folds")
    lost = sorted(set(recipe.vocabulary) - set(clips.label[~held_out].tolist()) - set(recipe.silent))
    if lost and by != "source":
        raise InputError(f"{', '.join(lost[:8])}: no clip to learn from", hint="leave them out with --data.classes")
    return held_out, names[fold]


def _hold_out_of_one(recipe: ClipRecipe, clips: Clips, fold: int) -> tuple[NDArray[np.bool_], str]:
    """Hold out some clips of each class that has two or more, if any; all are of one signer."""
    folds = recipe.data.folds or 5
    if not 0 <= fold < folds:
        raise InputError(f"fold={fold}: of {folds}", hint=f"0 to {folds - 1}")
    held_out = np.zeros(len(clips), np.bool_)
    random = np.random.default_rng(recipe.seed)
    for label in np.unique(clips.label):
        rows = random.permutation(np.flatnonzero(clips.label == label))
        if len(rows) > 1:
            held_out[rows[np.arange(len(rows)) % min(folds, len(rows)) == fold]] = True
    said = "the score says nothing of other people" if held_out.any() else "too few clips to hold any out: not measured"
    sys.stderr.write(f"warning: all clips are of one signer; {said}\n")
    return held_out, "clips of the only signer" if held_out.any() else "nothing"


def measured(
    recipe: ClipRecipe, unseen: Clips, read: Callable[[Clips], Logits]
) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """Calibrate and score on the N held-out clips, if there are any.

    Parameters
    ----------
    recipe : ClipRecipe
    unseen : Clips
    read : callable(clips) -> float32 (N, V)

    Returns
    -------
    temperature : float
    scores : dict
    by : dict
        Scores by signer.
    """
    if not len(unseen):
        return 1.0, {}, {}
    logits, places = read(unseen), recipe.words.places(unseen.label)
    return *calibrated(logits, places), {"by": scores_by_signer(unseen, logits, places)}


def learning_curve(
    recipe: ClipRecipe, seen: Clips, unseen: Clips, read: Callable[[Clips, str], Logits]
) -> list[dict[str, float]]:
    """Train on each of the recipe's shares of the clips, and return its accuracy on the N held-out ones.

    Parameters
    ----------
    recipe : ClipRecipe
    seen, unseen : Clips
        For training and for testing.
    read : callable(clips, stage) -> float32 (N, V)
        Trains on some clips and returns logits of the unseen ones.
    """
    rows, places = [], recipe.words.places(unseen.label)
    for share in sorted(recipe.curve):
        some = seen.select(share_of(np.arange(len(seen)), share, recipe.seed))
        right = read(some, f"share-{share:g}").argmax(1) == places
        rows.append({"clips": len(some), "accuracy": float(right.mean()), "n": len(unseen)})
    return rows
