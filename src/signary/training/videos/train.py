"""Video recipes: a store of video features to a bundle that reads the videos themselves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from signary.datasets.clips import Clips
from signary.export.onnx import export_video_graph
from signary.models.video import VideoReader
from signary.models.video_lstm import VideoNetwork
from signary.models.weights import load_weights
from signary.training.clips import learning_curve, measured, parted
from signary.training.learn import learn
from signary.training.networks import video_network
from signary.training.pack import Learned, clip_files, pack_bundle, store_credits, with_credits
from signary.training.recipes.videos import VideoRecipe
from signary.training.run import Run
from signary.training.task import NetworkTask
from signary.training.videos.backbones import backbone_of
from signary.training.videos.batches import Batch, feature_loader, load_features, load_videos, stores_of
from signary.training.videos.start import WEIGHTS, carried, packed

HEAD = "head"
READ_BATCH = 128


def train_videos(recipe: VideoRecipe, data: Path, run: Run, *, fold: int = 0) -> Path:
    """Train a video recipe without one fold, which calibrates and measures; as `signary.training.train.train`.

    The bundle's graph includes the image network.
    """
    recipe, clips, skipped = load_videos(recipe, data)
    seen, unseen, name = parted(recipe, clips, fold)
    start = carried(recipe) if recipe.init_from else None
    run.start(recipe, fold=fold, learned=seen.key)
    network = fit_videos(recipe, seen, unseen if len(unseen) else None, run=run, start=start)
    temperature, scores, by = measured(recipe, unseen, partial(predict_videos, network))
    more: dict[str, Any] = {"skipped": skipped, "held_out": name, **by}
    if recipe.curve and len(unseen):

        def read(some: Clips, stage: str) -> NDArray[np.float32]:
            return predict_videos(fit_videos(recipe, some, run=run, stage=stage, start=start), unseen)

        more["learning_curve"] = learning_curve(recipe, seen, unseen, read)
    run.write_metrics(train={"n": len(seen)}, validation=scores, **more)
    sources = with_credits(recipe.init_from, store_credits(recipe.sources, seen))
    learned = Learned(
        temperature=temperature,
        fitted_on=f"held-out clips ({name})",
        validation=scores,
        split=f"{name} held out",
        files=clip_files(seen, sources),
        sources=sources,
    )
    store = stores_of(clips)[0]
    side = int(store.about["backbone"]["side"])
    backbone = backbone_of(recipe.features, store.weights(), side=side)
    reader = VideoReader(backbone, network, store.frames)
    files = {WEIGHTS: packed(network)}
    return pack_bundle(run.bundle, reader, recipe, learned, export_video_graph, files=files)


def fit_videos(
    recipe: VideoRecipe,
    clips: Clips,
    unseen: Clips | None = None,
    *,
    run: Run | None = None,
    stage: str = "fold-0",
    start: dict[str, Tensor] | None = None,
) -> VideoNetwork:
    """Train one network on clips, and validate it on unseen ones; the rest as `signary.training.learn.learn`.

    The recipe needs its vocabulary. ``start`` holds initial weights of all layers but the last; if they do not fit, a
    ConfigError names the layer.
    """
    lightning.seed_everything(recipe.seed, verbose=False)
    stores = stores_of(clips)
    network = video_network(recipe, len(recipe.vocabulary), features=stores[0].width, frames=stores[0].frames)
    if start is not None:
        load_weights(network, start, recipe.init_from or "start", leave=HEAD)
    elif recipe.standardize:
        network.measure(torch.from_numpy(load_features(clips, np.arange(len(clips)))))
    network.freeze(recipe.freeze)
    batches = feature_loader(recipe, clips, drawn=True)
    held_out = feature_loader(recipe, unseen, drawn=False) if unseen is not None else None
    task = partial(VideoTask, recipe, network)
    return cast(VideoNetwork, learn(recipe, task, batches, held_out, run=run, stage=stage, clip_norm=recipe.clip_norm))


def predict_videos(network: VideoNetwork, clips: Clips) -> NDArray[np.float32]:
    """Return logits float32 (N, V)."""
    rows = np.array_split(np.arange(len(clips)), range(READ_BATCH, len(clips), READ_BATCH))
    with torch.inference_mode():
        said = [network(torch.from_numpy(load_features(clips, some))).numpy() for some in rows]
    return np.concatenate(said)


class VideoTask(NetworkTask):
    """Train on features of clips with cross-entropy; the last layer has its own learning rate."""

    recipe: VideoRecipe
    network: VideoNetwork

    def weights(self) -> Iterable[dict[str, Any]]:
        """Return the weights of the last layer, and the others with their learning rate."""
        rest = [weight for name, weight in self.network.named_parameters() if not name.startswith(f"{HEAD}.")]
        rate = self.recipe.body_rate or self.recipe.learning_rate
        return [{"params": list(self.network.head.parameters())}, {"params": rest, "lr": rate}]

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of clips float32 (B, T, D) with labels int64 (B,)."""
        return self.learn(self.network(batch[0]), batch[1])
