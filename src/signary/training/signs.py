"""Sign recipes: clips of a prepared store to a bundle."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from signary.datasets.clips import Clips, Stored, fold_of, open_clips
from signary.datasets.prepare import prepared
from signary.datasets.stores.landmarks import ClipStore
from signary.errors import InputError
from signary.export.onnx import export_sign_graph
from signary.models.committee import Committee
from signary.models.sign_transformer import PublishedSignTransformer, SignNetwork
from signary.text.calibrate import fit_temperature, softmax
from signary.text.vocabulary import Vocabulary
from signary.training.batches import DrawnRows, ShuffledRows, balanced_weights, clip_loader
from signary.training.networks import sign_network
from signary.training.pack import Learned, pack_bundle, store_credits
from signary.training.run import Run, epoch_plan, fit_task, precision_name, scores_of
from signary.training.schema_signs import ClipRecipe, SignRecipe
from signary.training.tasks import SignTask

READ_BATCH = 128

Places = NDArray[np.int64]
AnyRecipe = TypeVar("AnyRecipe", bound=ClipRecipe)


def train_signs(recipe: SignRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a sign recipe: learn from all signers but those of one fold, calibrate and measure by these.

    Parameters
    ----------
    recipe : SignRecipe
    data : Path
        A store, a folder of stores, or a folder of clips, whose store is made in the run's cache.
    run : Run
    fold : int
        What is held out, from 0.

    Returns
    -------
    Path
        The bundle.

    Raises
    ------
    InputError
        If there is nothing to learn from or to hold out, or no such fold.
    """
    data, refused = prepared(data, run.cache, workers=os.cpu_count() or 1)
    recipe, clips, skipped = load_clips(recipe, data)
    skipped += [one.message for one in refused]
    held_out, name = hold_out(recipe, clips, fold)
    seen = clips.select(shared_rows(recipe, np.flatnonzero(~held_out)))
    unseen = clips.select(held_out)
    run.start(recipe, fold=fold, learned=seen.key)
    trusted = trusted_words(recipe, clips)
    network = doubted(fit_committee(recipe, seen, unseen if len(unseen) else None, run=run), recipe, trusted)
    temperature = 1.0
    scores: dict[str, Any] = {}
    more: dict[str, Any] = {"skipped": skipped, "held_out": name}
    if len(unseen):
        logits, places = predict_signs(network, unseen, recipe), label_places(unseen, recipe)
        temperature = fit_temperature(logits, places)
        scores = scores_of(softmax(logits, temperature), places)
        more["by"] = scores_by_signer(unseen, logits, places)
    if recipe.curve and len(unseen):
        more["learning_curve"] = learning_curve(recipe, seen, unseen, run)
    run.write_metrics(train={"n": len(seen)}, validation=scores, **more)
    if recipe.refit:
        seen = clips
        network = doubted(fit_committee(recipe, clips, run=run, stage="final"), recipe, trusted)
    learned = Learned(
        temperature=temperature,
        fitted_on=f"held-out clips ({name})",
        validation=scores,
        split=f"{name} held out" + (", before the last run learns from it too" if recipe.refit else ""),
        files={str(source): sorted(seen.key[seen.source == source]) for source in np.unique(seen.source)},
        sources=store_credits(recipe.sources, seen),
        trusted=trusted,
    )
    return pack_bundle(run.bundle, network, recipe, learned, export_sign_graph)


def load_clips(recipe: AnyRecipe, data: Path, *, kind: type[Stored] = ClipStore) -> tuple[AnyRecipe, Clips, list[str]]:
    """Open the clips of a recipe, of stores of a kind, and keep the classes it tells apart.

    Returns
    -------
    recipe : SignRecipe
        With its vocabulary: the data's, where it says none.
    clips : Clips
    skipped : list of str
        What was left out, and why.

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
    known = np.array([vocabulary.index(str(label)) is not None for label in clips.label], np.bool_)
    empty = clips.length == 0
    strange = Counter(clips.label[~known].tolist())
    skipped = [f"{count} clips of {label!r}: not in the vocabulary" for label, count in sorted(strange.items())]
    skipped += [f"{int(empty.sum())} clips without frames"] if empty.any() else []
    if not (known & ~empty).any():
        raise InputError(f"{data}: no clip of {', '.join(chosen[:8])}", hint="see signary data info, or --vocabulary")
    update = {"vocabulary": chosen, "silent": silent, "aliases": aliases}
    return recipe.model_copy(update=update), clips.select(known & ~empty), skipped


def hold_out(recipe: ClipRecipe, clips: Clips, fold: int) -> tuple[NDArray[np.bool_], str]:
    """Return the clips of a fold, bool (N,), and its name.

    Raises
    ------
    InputError
        If there is no such fold, or it leaves a class without a clip to learn from.
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
    """Hold out clips of the only signer, some of each class of two clips or more; nothing, if there is none."""
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


def fit_committee(
    recipe: SignRecipe, clips: Clips, unseen: Clips | None = None, *, run: Run | None = None, stage: str = "fold"
) -> Committee | SignNetwork:
    """Train the members of a recipe, each from a seed of its own; parameters as `fit_signs`."""
    members = []
    for number in range(recipe.members):
        mine = recipe.model_copy(update={"seed": recipe.seed + number})
        members.append(fit_signs(mine, clips, unseen, run=run, stage=f"{stage}-{number}"))
    return members[0] if len(members) == 1 else Committee(members).eval()


def fit_signs(
    recipe: SignRecipe, clips: Clips, unseen: Clips | None = None, *, run: Run | None = None, stage: str = "fold-0"
) -> SignNetwork:
    """Train one network.

    Parameters
    ----------
    recipe : SignRecipe
        With its vocabulary.
    clips : Clips
        To learn from.
    unseen : Clips, optional
        Scored after each epoch; the weights of the last epoch are kept, whatever they score.
    run : Run, optional
        For checkpoints and logs; nothing is kept without it.
    stage : str
        Name of the checkpoints and logs in the run.

    Returns
    -------
    SignNetwork
        In evaluation mode.
    """
    lightning.seed_everything(recipe.seed, verbose=False)
    network = sign_network(recipe, len(recipe.vocabulary))
    if isinstance(network, PublishedSignTransformer):
        network.measure((points, lengths) for points, lengths, _ in _in_order(recipe, clips, network))
    batches = clip_loader(
        clips,
        label_places(clips, recipe),
        network.select.index.numpy(),
        _rows(recipe, clips),
        4 * recipe.data.max_frames,  # so that the augmentation chooses which frames of a longer one are seen
    )
    epochs, epoch_steps = epoch_plan(recipe.epochs, recipe.steps, len(batches))
    task = SignTask(recipe, network, epochs * epoch_steps)
    fit_task(
        task,
        batches,
        _in_order(recipe, unseen, network) if unseen is not None and run is not None else None,
        run=run,
        stage=stage,
        epochs=epochs,
        epoch_steps=epoch_steps,
        precision=precision_name(recipe.precision),
        clip_norm=recipe.clip_norm,
        mlflow=recipe.mlflow,
    )
    return cast(SignNetwork, task.reader.eval().cpu())


def trusted_words(recipe: SignRecipe, clips: Clips) -> list[str]:
    """Return the words, in the vocabulary's order, of which the recipe's number of sources or more have clips."""
    places = label_places(clips, recipe)
    pairs = {(int(place), str(source)) for place, source in zip(places, clips.source, strict=True)}
    count = Counter(place for place, _ in pairs)
    return [word for place, word in enumerate(recipe.vocabulary) if recipe.trusted and count[place] >= recipe.trusted]


def doubted(network: Committee | SignNetwork, recipe: SignRecipe, trusted: Sequence[str]) -> Committee | SignNetwork:
    """Make a network say words that are not trusted less readily, in place, and return it."""
    if recipe.doubt and trusted:
        doubt = [0.0 if word in trusted else 1 / 3 if word in recipe.silent else 1.0 for word in recipe.vocabulary]
        for member in network.members if isinstance(network, Committee) else [network]:
            with torch.no_grad():
                cast(nn.Linear, member.head).bias.sub_(recipe.doubt * torch.tensor(doubt))
    return network


def predict_signs(network: Committee | SignNetwork, clips: Clips, recipe: SignRecipe) -> NDArray[np.float32]:
    """Return logits float32 (N, V)."""
    order = np.argsort(clips.length, kind="stable")
    said = np.empty((len(clips), len(recipe.vocabulary)), np.float32)
    with torch.inference_mode():
        batches = _in_order(recipe, clips.select(order), network)
        said[order] = np.concatenate([network.selected(points, lengths).numpy() for points, lengths, _ in batches])
    return said


def label_places(clips: Clips, recipe: ClipRecipe) -> Places:
    """Return the places of the clips' labels in the vocabulary, int64 (N,)."""
    vocabulary = Vocabulary(tuple(recipe.vocabulary), tuple(recipe.silent), recipe.aliases)
    kinds, place = np.unique(clips.label, return_inverse=True)
    return np.array([vocabulary.index(str(kind)) for kind in kinds], np.int64)[place]


def learning_curve(recipe: SignRecipe, seen: Clips, unseen: Clips, run: Run) -> list[dict[str, float]]:
    """Learn from shares of the clips, and measure each on the same others."""
    rows, places = [], label_places(unseen, recipe)
    for share in sorted(recipe.curve):
        part = recipe.model_copy(update={"data": recipe.data.model_copy(update={"share": share}), "members": 1})
        some = seen.select(shared_rows(part, np.arange(len(seen))))
        network = fit_committee(part, some, run=run, stage=f"share-{share:g}")
        right = predict_signs(network, unseen, recipe).argmax(1) == places
        rows.append({"clips": len(some), "accuracy": float(right.mean()), "n": len(unseen)})
    return rows


def shared_rows(recipe: ClipRecipe, rows: Places) -> Places:
    """Draw the recipe's share of rows."""
    if recipe.data.share == 1:
        return rows
    kept = np.random.default_rng(recipe.seed).permutation(len(rows))[: max(1, round(recipe.data.share * len(rows)))]
    return np.sort(rows[kept])


def _rows(recipe: SignRecipe, clips: Clips) -> DrawnRows:
    data = recipe.data
    return DrawnRows(
        len(clips),
        recipe.batch,
        recipe.seed,
        lengths=clips.length if data.buckets else None,
        weights=balanced_weights(clips, data.even_signers, data.even_words) if data.even_signers else None,
        labels=label_places(clips, recipe),
        each=data.each,
    )


def _in_order(recipe: SignRecipe, clips: Clips, network: nn.Module) -> Iterable[tuple[Tensor, Tensor, Tensor]]:
    index = cast(SignNetwork, network).select.index.numpy()
    rows = ShuffledRows(len(clips), READ_BATCH)
    return clip_loader(clips, label_places(clips, recipe), index, rows, 4 * recipe.data.max_frames)


def scores_by_signer(clips: Clips, logits: NDArray[np.float32], places: Places) -> dict[str, dict[str, float]]:
    """Return how many clips of each signer there are, and the share of them read right."""
    right = logits.argmax(1) == places
    return {
        str(name): {"n": int((clips.signer == name).sum()), "accuracy": float(right[clips.signer == name].mean())}
        for name in np.unique(clips.signer)
    }
