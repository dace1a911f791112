"""Sign recipes: clips of a prepared store to a bundle."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from signary.datasets.augment.clips import ClipAugment, NoSign
from signary.datasets.clips import Clips
from signary.datasets.prepare import prepared
from signary.export.onnx import export_sign_graph
from signary.models.committee import Committee
from signary.models.point_network import SignNetwork
from signary.models.sign_conv import SignConv
from signary.models.sign_transformer import PublishedSignTransformer
from signary.training.clips import learning_curve, load_clips, measured, parted
from signary.training.learn import learn
from signary.training.networks import sign_network
from signary.training.pack import Learned, pack_bundle, store_credits
from signary.training.recipes.signs import SignRecipe
from signary.training.rows import DrawnRows, ShuffledRows
from signary.training.run import Run
from signary.training.task import NetworkTask

READ_BATCH = 128


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
    seen, unseen, name = parted(recipe, clips, fold)
    run.start(recipe, fold=fold, learned=seen.key)
    trusted = trusted_words(recipe, clips)
    network = doubted(fit_committee(recipe, seen, unseen if len(unseen) else None, run=run), recipe, trusted)
    temperature, scores, by = measured(recipe, unseen, lambda clips: predict_signs(network, clips, recipe))
    more: dict[str, Any] = {"skipped": skipped, "held_out": name, **by}
    if recipe.curve and len(unseen):

        def read(part: SignRecipe, some: Clips, stage: str) -> NDArray[np.float32]:
            alone = part.model_copy(update={"members": 1})
            return predict_signs(fit_committee(alone, some, run=run, stage=stage), unseen, recipe)

        more["learning_curve"] = learning_curve(recipe, seen, unseen, read)
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
        recipe.words.places(clips.label),
        network.select.index.numpy(),
        _rows(recipe, clips),
        4 * recipe.data.max_frames,  # so that the augmentation chooses which frames of a longer one are seen
    )
    held_out = _in_order(recipe, unseen, network) if unseen is not None else None
    task = partial(SignTask, recipe, network)
    return cast(SignNetwork, learn(recipe, task, batches, held_out, run=run, stage=stage, clip_norm=recipe.clip_norm))


def trusted_words(recipe: SignRecipe, clips: Clips) -> list[str]:
    """Return the words, in the vocabulary's order, of which the recipe's number of sources or more have clips."""
    places = recipe.words.places(clips.label)
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


def _rows(recipe: SignRecipe, clips: Clips) -> DrawnRows:
    data = recipe.data
    return DrawnRows(
        len(clips),
        recipe.batch,
        recipe.seed,
        lengths=clips.length if data.buckets else None,
        weights=balanced_weights(clips, data.even_signers, data.even_words) if data.even_signers else None,
        labels=recipe.words.places(clips.label),
        each=data.each,
    )


def _in_order(recipe: SignRecipe, clips: Clips, network: nn.Module) -> Iterable[tuple[Tensor, Tensor, Tensor]]:
    index = cast(SignNetwork, network).select.index.numpy()
    rows = ShuffledRows(len(clips), READ_BATCH)
    return clip_loader(clips, recipe.words.places(clips.label), index, rows, 4 * recipe.data.max_frames)


class ClipBatches(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Clips float32 (B, T, P, 3) with lengths and the places of their labels int64 (B,), by a batch of rows.

    Parameters
    ----------
    clips : Clips
    labels : int64 (N,)
    points : int64 (P,)
        Which of the 543.
    frames : int
        Longer clips lose their end.
    """

    def __init__(self, clips: Clips, labels: NDArray[np.int64], points: NDArray[np.int64], frames: int) -> None:
        self.clips, self.labels, self.points, self.frames = clips, labels, points, frames

    def __getitem__(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        values, lengths = self.clips.padded(rows, self.frames, self.points)
        return torch.from_numpy(values), torch.from_numpy(lengths), torch.from_numpy(self.labels[rows])


def clip_loader(
    clips: Clips, labels: NDArray[np.int64], points: NDArray[np.int64], rows: Sampler[NDArray[np.int64]], frames: int
) -> DataLoader[tuple[Tensor, Tensor, Tensor]]:
    """Return a loader of padded batches of clips."""
    chance = torch.Generator().manual_seed(0)
    return DataLoader(ClipBatches(clips, labels, points, frames), batch_size=None, sampler=rows, generator=chance)


def balanced_weights(clips: Clips, signers: float, words: float) -> NDArray[np.float64]:
    """Weigh clips, float64 (N,), so that who recorded much and what was recorded often count for less.

    Parameters
    ----------
    clips : Clips
    signers : float
        0: all clips count alike; 1: all signers of a word do, however many clips they recorded of it.
    words : float
        0: words count by who signed them; 1: all words alike.
    """
    cell = np.char.add(np.char.add(np.char.add(np.char.add(clips.label, "\0"), clips.source), "\0"), clips.signer)
    _, place, count = np.unique(cell, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = count[place] ** -float(signers)
    _, place = np.unique(clips.label, return_inverse=True)
    return weights * np.bincount(place, weights=weights)[place] ** -words


class SignTask(NetworkTask):
    """Learn isolated signs: cross-entropy on augmented clips, some of them turned into what is no sign.

    Parameters
    ----------
    recipe : SignRecipe
        With its vocabulary.
    network : SignNetwork
    steps : int
        Of the whole training, for the schedule.
    """

    recipe: SignRecipe
    network: SignNetwork

    def __init__(self, recipe: SignRecipe, network: SignNetwork, steps: int) -> None:
        super().__init__(recipe, network, steps)
        self.augment = ClipAugment(recipe.augment, network.select, max_frames=recipe.data.max_frames)
        silent = [recipe.vocabulary.index(label) for label in recipe.silent[:1]]
        self.no_sign = NoSign(silent[0], network.select, share=recipe.idle) if silent and recipe.idle else None

    def on_train_epoch_start(self) -> None:
        """Start an epoch; from some epoch on, drop out."""
        super().on_train_epoch_start()
        if self.current_epoch >= self.recipe.late_dropout and isinstance(self.network, SignConv):
            self.network.start_dropout()

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of clips float32 (B, T, P, C) with lengths and labels int64 (B,)."""
        clips, lengths, labels = batch
        with torch.autocast(clips.device.type, enabled=False):  # half precision would blur places
            clips, lengths = self.augment(clips, lengths)
            if self.no_sign is not None:
                clips, lengths, labels = self.no_sign(clips, lengths, labels)
        return self.learn(self.network.selected(clips, lengths), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> None:
        """Log loss and accuracy."""
        clips, lengths, labels = batch
        self.tell("validation", self.reader.selected(clips, lengths), labels)
