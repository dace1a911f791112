"""Sign recipes: clips of a prepared store to a bundle."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

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
from signary.training.pack import Learned, clip_files, pack_bundle, store_credits
from signary.training.recipes.signs import SignRecipe
from signary.training.run import Run
from signary.training.signs.batches import Batch, drawn_clips, ordered_clips
from signary.training.task import NetworkTask


def train_signs(recipe: SignRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a sign recipe without one fold, which calibrates and measures; as `signary.training.train.train`."""
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

        def read(some: Clips, stage: str) -> NDArray[np.float32]:
            alone = recipe.model_copy(update={"members": 1})
            return predict_signs(fit_committee(alone, some, run=run, stage=stage), unseen, recipe)

        more["learning_curve"] = learning_curve(recipe, seen, unseen, read)
    run.write_metrics(train={"n": len(seen)}, validation=scores, **more)
    if recipe.refit:
        seen = clips
        network = doubted(fit_committee(recipe, clips, run=run, stage="final"), recipe, trusted)
    sources = store_credits(recipe.sources, seen)
    learned = Learned(
        temperature=temperature,
        fitted_on=f"held-out clips ({name})",
        validation=scores,
        split=f"{name} held out" + (", before the last run learns from it too" if recipe.refit else ""),
        files=clip_files(seen, sources),
        sources=sources,
        trusted=trusted,
    )
    return pack_bundle(run.bundle, network, recipe, learned, export_sign_graph)


def fit_committee(
    recipe: SignRecipe, clips: Clips, unseen: Clips | None = None, *, run: Run | None = None, stage: str = "fold"
) -> SignNetwork:
    """Train the members of a recipe, each with its own seed; parameters as `fit_signs`."""
    members = [
        fit_signs(recipe.member(number), clips, unseen, run=run, stage=f"{stage}-{number}")
        for number in range(recipe.members)
    ]
    return members[0] if len(members) == 1 else Committee(members).eval()


def fit_signs(
    recipe: SignRecipe, clips: Clips, unseen: Clips | None = None, *, run: Run | None = None, stage: str = "fold-0"
) -> SignNetwork:
    """Train one network on clips, and validate it on unseen ones; the rest as `signary.training.learn.learn`.

    The recipe needs its vocabulary.
    """
    lightning.seed_everything(recipe.seed, verbose=False)
    network = sign_network(recipe, len(recipe.vocabulary))
    if isinstance(network, PublishedSignTransformer):
        network.measure((points, lengths) for points, lengths, _ in ordered_clips(recipe, clips, network))
    batches = drawn_clips(recipe, clips, network)
    held_out = ordered_clips(recipe, unseen, network) if unseen is not None else None
    task = partial(SignTask, recipe, network)
    return cast(SignNetwork, learn(recipe, task, batches, held_out, run=run, stage=stage, clip_norm=recipe.clip_norm))


def trusted_words(recipe: SignRecipe, clips: Clips) -> list[str]:
    """Return the words, in the vocabulary's order, with clips from at least ``recipe.trusted`` sources."""
    places = recipe.words.places(clips.label)
    pairs = {(int(place), str(source)) for place, source in zip(places, clips.source, strict=True)}
    count = Counter(place for place, _ in pairs)
    return [word for place, word in enumerate(recipe.vocabulary) if recipe.trusted and count[place] >= recipe.trusted]


def doubted(network: SignNetwork, recipe: SignRecipe, trusted: Sequence[str]) -> SignNetwork:
    """Lower the logits of words that are not trusted, in place, and return the network."""
    if recipe.doubt and trusted:
        doubt = [0.0 if word in trusted else 1 / 3 if word in recipe.silent else 1.0 for word in recipe.vocabulary]
        for member in network.members if isinstance(network, Committee) else [network]:
            with torch.no_grad():
                cast(nn.Linear, member.head).bias.sub_(recipe.doubt * torch.tensor(doubt))
    return network


def predict_signs(network: SignNetwork, clips: Clips, recipe: SignRecipe) -> NDArray[np.float32]:
    """Return logits float32 (N, V)."""
    order = np.argsort(clips.length, kind="stable")
    said = np.empty((len(clips), len(recipe.vocabulary)), np.float32)
    with torch.inference_mode():
        batches = ordered_clips(recipe, clips.select(order), network)
        said[order] = np.concatenate([network.selected(points, lengths).numpy() for points, lengths, _ in batches])
    return said


class SignTask(NetworkTask):
    """Train on augmented clips, some without a sign, with cross-entropy; parameters as `NetworkTask`."""

    recipe: SignRecipe
    network: SignNetwork

    def __init__(self, recipe: SignRecipe, network: SignNetwork, steps: int) -> None:
        super().__init__(recipe, network, steps)
        self.augment = ClipAugment(recipe.augment, network.select, max_frames=recipe.data.max_frames)
        silent = [recipe.vocabulary.index(label) for label in recipe.silent[:1]]
        self.no_sign = NoSign(silent[0], network.select, share=recipe.idle) if silent and recipe.idle else None

    def on_train_epoch_start(self) -> None:
        """Seed an epoch, and start dropout from the recipe's ``late_dropout`` on."""
        super().on_train_epoch_start()
        if self.current_epoch >= self.recipe.late_dropout and isinstance(self.network, SignConv):
            self.network.start_dropout()

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of clips float32 (B, T, P, C) with lengths and labels int64 (B,)."""
        clips, lengths, labels = batch
        with torch.autocast(clips.device.type, enabled=False):  # half precision would blur positions
            clips, lengths = self.augment(clips, lengths)
            if self.no_sign is not None:
                clips, lengths, labels = self.no_sign(clips, lengths, labels)
        return self.learn(self.network.selected(clips, lengths), labels)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log loss and accuracy."""
        clips, lengths, labels = batch
        self.tell("validation", self.reader.selected(clips, lengths), labels)
