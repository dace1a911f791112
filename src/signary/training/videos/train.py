"""Video recipes: a store of features of videos to a bundle that takes the videos themselves."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from signary.bundles.bundle import load_bundle
from signary.datasets.clips import Clips
from signary.datasets.stores.features import FeatureStore
from signary.errors import BundleError, ConfigError, InputError
from signary.export.onnx import export_video_graph
from signary.models.video import VideoReader
from signary.models.video_lstm import VideoNetwork
from signary.models.weights import cast_weights, load_weights
from signary.training.clips import learning_curve, load_clips, measured, parted
from signary.training.learn import learn
from signary.training.networks import video_network
from signary.training.pack import Learned, pack_bundle, store_credits, with_credits
from signary.training.recipes.videos import VideoRecipe
from signary.training.rows import ShuffledRows
from signary.training.run import Run
from signary.training.task import NetworkTask
from signary.training.videos.backbones import arrays_of, backbone_of

WEIGHTS = "weights.npz"  # of the network over time, in its bundle, to go on from
HEAD = "head"
READ_BATCH = 128

Batch = tuple[Tensor, Tensor]


def train_videos(recipe: VideoRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a video recipe: learn from all signers but those of one fold, calibrate and measure by these.

    Parameters
    ----------
    recipe : VideoRecipe
    data : Path
        A store of features of videos, or a folder of such.
    run : Run
    fold : int
        What is held out, from 0.

    Returns
    -------
    Path
        The bundle, with the network of pictures in its graph.

    Raises
    ------
    InputError
        If there is nothing to learn from or to hold out, or no such fold.
    ConfigError
        If ``init_from`` is of another network; the layer is named.
    """
    recipe, clips, skipped = load_videos(recipe, data)
    seen, unseen, name = parted(recipe, clips, fold)
    start = carried(recipe) if recipe.init_from else None
    run.start(recipe, fold=fold, learned=seen.key)
    network = fit_videos(recipe, seen, unseen if len(unseen) else None, run=run, start=start)
    temperature, scores, by = measured(recipe, unseen, partial(predict_videos, network))
    more: dict[str, Any] = {"skipped": skipped, "held_out": name, **by}
    if recipe.curve and len(unseen):

        def read(part: VideoRecipe, some: Clips, stage: str) -> NDArray[np.float32]:
            return predict_videos(fit_videos(part, some, run=run, stage=stage, start=start), unseen)

        more["learning_curve"] = learning_curve(recipe, seen, unseen, read)
    run.write_metrics(train={"n": len(seen)}, validation=scores, **more)
    sources = with_credits(recipe.init_from, store_credits(recipe.sources, seen))
    learned = Learned(
        temperature=temperature,
        fitted_on=f"held-out clips ({name})",
        validation=scores,
        split=f"{name} held out",
        files={credit.name: sorted(seen.key[seen.source == credit.name]) for credit in sources},
        sources=sources,
    )
    store = _stores(clips)[0]
    side = int(store.about["backbone"]["side"])
    backbone = backbone_of(recipe.features, store.weights(), side=side)
    reader = VideoReader(backbone, network, store.frames)
    files = {WEIGHTS: _packed(arrays_of(network))}
    return pack_bundle(run.bundle, reader, recipe, learned, export_video_graph, files=files)


def load_videos(recipe: VideoRecipe, data: Path) -> tuple[VideoRecipe, Clips, list[str]]:
    """Open the clips of a recipe; as `signary.training.clips.load_clips`.

    Raises
    ------
    InputError
        If nothing is left, or stores hold features of different networks, or of other numbers of frames.
    """
    recipe, clips, skipped = load_clips(recipe, data, kind=FeatureStore)
    stores = _stores(clips)
    made = {(store.about["backbone"]["sha256"], store.frames, store.about["fit"]) for store in stores}
    if len(made) > 1:
        said = f"{data}: stores of {len(made)} networks, numbers of frames or ways to become square"
        raise InputError(said, hint="prepare them alike")
    about = stores[0].about
    told = {"features": about["backbone"]["name"], "backbone": about["backbone"]["sha256"], "fit": about["fit"]}
    return recipe.model_copy(update=told), clips, skipped


def carried(recipe: VideoRecipe) -> dict[str, Tensor]:
    """Return the weights that a recipe goes on with, of all but the last layer.

    Raises
    ------
    BundleError
        If there are none in it.
    ConfigError
        If they were learned on features of another network of pictures.
    """
    bundle = load_bundle(recipe.init_from)
    path = bundle.path / WEIGHTS
    if WEIGHTS not in bundle.manifest.files:
        raise BundleError(f"{recipe.init_from}: has no {WEIGHTS}", hint="a run of a recipe of videos has them")
    before = bundle.manifest.recipe.get("backbone", "")
    if recipe.backbone and before != recipe.backbone:
        said = (
            f"{recipe.init_from}: layer backbone has the weights {before[:8]}, the data those of {recipe.backbone[:8]}"
        )
        raise ConfigError(said, hint="prepare both sets with the same --features and --weights")
    with np.load(path, allow_pickle=False) as arrays:
        weights = cast_weights(dict(arrays))
    old, new = set(bundle.vocabulary.labels), set(recipe.vocabulary)
    sys.stderr.write(
        f"{recipe.init_from}: goes on with all layers but the last, whose {len(old)} labels are replaced by "
        f"{len(new)}, {len(old & new)} of them the same\n"
    )
    return weights


def fit_videos(
    recipe: VideoRecipe,
    clips: Clips,
    unseen: Clips | None = None,
    *,
    run: Run | None = None,
    stage: str = "fold-0",
    start: dict[str, Tensor] | None = None,
) -> VideoNetwork:
    """Train one network.

    Parameters
    ----------
    recipe : VideoRecipe
        With its vocabulary.
    clips : Clips
        Of stores of features, to learn from.
    unseen : Clips, optional
        Scored after each epoch; the weights of the last epoch are kept, whatever they score.
    run : Run, optional
        For checkpoints and logs; nothing is kept without it.
    stage : str
        Name of the checkpoints and logs in the run.
    start : dict of str to Tensor, optional
        Weights to go on with; those of the last layer are not taken.

    Returns
    -------
    VideoNetwork
        In evaluation mode.

    Raises
    ------
    ConfigError
        If ``start`` does not fit; the layer is named.
    """
    lightning.seed_everything(recipe.seed, verbose=False)
    stores = _stores(clips)
    network = video_network(recipe, len(recipe.vocabulary), features=stores[0].width, frames=stores[0].frames)
    if start is not None:
        load_weights(network, start, recipe.init_from or "start", leave=HEAD)
    elif recipe.standardize:
        network.measure(torch.from_numpy(load_features(clips, np.arange(len(clips)))))
    network.freeze(recipe.freeze)
    batches = _loader(recipe, clips, drawn=True)
    held_out = _loader(recipe, unseen, drawn=False) if unseen is not None else None
    task = partial(VideoTask, recipe, network)
    return cast(VideoNetwork, learn(recipe, task, batches, held_out, run=run, stage=stage, clip_norm=recipe.clip_norm))


def predict_videos(network: VideoNetwork, clips: Clips) -> NDArray[np.float32]:
    """Return logits float32 (N, V)."""
    rows = np.array_split(np.arange(len(clips)), range(READ_BATCH, len(clips), READ_BATCH))
    with torch.inference_mode():
        said = [network(torch.from_numpy(load_features(clips, some))).numpy() for some in rows]
    return np.concatenate(said)


def load_features(clips: Clips, rows: NDArray[np.int64], draw: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Read features float32 (B, T, D) of some of the clips; parameters as of `FeatureStore.load`."""
    stores = _stores(clips)
    batch = np.empty((len(rows), stores[0].frames, stores[0].width), np.float32)
    for number, store in enumerate(stores):
        mine = clips.store[rows] == number
        batch[mine] = store.load(clips.row[rows[mine]], None if draw is None else draw[mine])
    return batch


class VideoTask(NetworkTask):
    """Learn clips by their features: cross-entropy; the last layer has a learning rate of its own."""

    recipe: VideoRecipe
    network: VideoNetwork

    def weights(self) -> Iterable[dict[str, Any]]:
        """Return the last layer's weights, and the others' with their learning rate."""
        rest = [weight for name, weight in self.network.named_parameters() if not name.startswith(f"{HEAD}.")]
        rate = self.recipe.body_rate or self.recipe.learning_rate
        return [{"params": list(self.network.head.parameters())}, {"params": rest, "lr": rate}]

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of clips float32 (B, T, D) with labels int64 (B,)."""
        return self.learn(self.network(batch[0]), batch[1])

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log loss and accuracy."""
        self.tell("validation", self.reader(batch[0]), batch[1])


class FeatureBatches(Dataset[Batch]):
    """Features float32 (B, T, D) with the places of their labels int64 (B,), asked for by a batch of rows.

    Parameters
    ----------
    clips : Clips
    labels : int64 (N,)
    drawn : bool
        Of each clip, take the even sample or one of those drawn by chance.
    """

    def __init__(self, clips: Clips, labels: NDArray[np.int64], *, drawn: bool) -> None:
        self.clips, self.labels = clips, labels
        self.draws = min(store.draws.shape[1] for store in _stores(clips)) if drawn else 0

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        draw = torch.randint(0, self.draws + 1, (len(rows),)).numpy() if self.draws else None
        return torch.from_numpy(load_features(self.clips, rows, draw)), torch.from_numpy(self.labels[rows])


def _loader(recipe: VideoRecipe, clips: Clips, *, drawn: bool) -> DataLoader[Batch]:
    rows = ShuffledRows(len(clips), recipe.batch, recipe.seed if drawn else None)
    batches = FeatureBatches(clips, recipe.words.places(clips.label), drawn=drawn)
    return DataLoader(batches, batch_size=None, sampler=rows, generator=torch.Generator().manual_seed(0))


def _stores(clips: Clips) -> list[FeatureStore]:
    return cast(list[FeatureStore], clips.stores)


def _packed(arrays: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
