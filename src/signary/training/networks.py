"""The network of a recipe."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn

from signary.datasets.pictures import Pictures
from signary.features.picture import picture_statistics
from signary.models.compact import CompactNet
from signary.models.dexnet import DexNet
from signary.models.hand_speller import HandSpeller
from signary.models.handshape import HandshapeReader
from signary.models.inception import FEATURES as INCEPTION_FEATURES
from signary.models.perceptron import Perceptron, RowReader
from signary.models.picture import PictureReader
from signary.models.point_network import SignNetwork, SpellingNetwork
from signary.models.sign_conv import SignConv
from signary.models.sign_transformer import PublishedSignTransformer, SignTransformer
from signary.models.speller import Speller, SpellerCTC
from signary.models.video_lstm import VideoNetwork, VideoRecurrent, VideoTransformer
from signary.models.weights import trainable
from signary.training.recipes.hands import HandRecipe
from signary.training.recipes.pictures import EstimatorRecipe, PictureData, PictureRecipe
from signary.training.recipes.recipe import Recipe
from signary.training.recipes.signs import SignRecipe
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.recipes.videos import VideoRecipe

STATISTICS_BATCH = 64


def trainable_parameters(recipe: Recipe) -> int:
    """Return the number of trainable parameters of a recipe's network."""
    return trainable(_network(recipe).parameters())


def hand_network(recipe: HandRecipe) -> HandshapeReader:
    """Return the untrained network of a hand recipe."""
    return HandshapeReader(len(recipe.labels), width=recipe.width, dropout=recipe.dropout, members=recipe.members)


def picture_reader(recipe: PictureRecipe, train: Pictures) -> PictureReader:
    """Return an untrained reader with the mean and standard deviation of the training pictures."""
    network = picture_network(recipe, len(recipe.labels))
    reader = reader_of(network, recipe.data, train)
    reader.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return reader


def picture_network(recipe: PictureRecipe, classes: int) -> nn.Module:
    """Return the untrained network of a recipe for a number of classes."""
    side, channels = recipe.data.side, 1 if recipe.data.grey else 3
    if recipe.network == "dexnet":
        return DexNet(classes, hidden=recipe.hidden, dropout=recipe.dropout)
    if recipe.network == "compact":
        return CompactNet(channels, classes, widths=recipe.widths, depths=recipe.depths, dropout=recipe.dropout)
    if recipe.network == "rows":
        return RowReader(channels * side, classes, width=recipe.hidden[0], dropout=recipe.dropout)
    return Perceptron(
        channels * side**2,
        classes,
        hidden=recipe.hidden,
        activations=recipe.activations,
        initialization=recipe.initialization,
        dropout=recipe.dropout,
    )


def sign_network(recipe: SignRecipe, classes: int) -> SignNetwork:
    """Return the untrained network of a recipe of signs for a number of classes."""
    sizes = {name: getattr(recipe, name) for name in ("width", "inner", "depth", "heads", "dropout")}
    given = {name: value for name, value in sizes.items() if value is not None}
    if recipe.network == "sign-conv":
        given.pop("inner", None)
        places = {name: getattr(recipe, name) for name in ("points", "center") if getattr(recipe, name)}
        how: dict[str, Any] = {name: getattr(recipe, name) for name in ("left_signer", "shapes", "bins")}
        return SignConv(classes, max_frames=recipe.data.max_frames, **how, **places, **given)
    if recipe.network == "sign-transformer":
        face = {"lips": not recipe.points or "lips" in recipe.points, "head": "head" in recipe.points}
        return SignTransformer(classes, **face, **given)
    quirks = dict.fromkeys(("mask_queries", "hide_always", "repeat_by_raw"), recipe.quirks)
    return PublishedSignTransformer(classes, **quirks, **given)


def video_network(recipe: VideoRecipe, classes: int, *, features: int = 0, frames: int = 20) -> VideoNetwork:
    """Return the untrained network of a recipe of videos for numbers of classes, features and frames."""
    sizes = {name: getattr(recipe, name) for name in ("width", "depth", "dropout")}
    given: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    given["relative"] = recipe.relative
    features = features or (INCEPTION_FEATURES if recipe.features == "inception" else CompactNet(3, 1).width)
    if recipe.network == "video-transformer":
        given |= {"heads": recipe.heads} if recipe.heads else {}
        return VideoTransformer(features, classes, frames=frames, **given)
    cell: Literal["lstm", "gru"] = "gru" if recipe.network == "video-gru" else "lstm"
    return VideoRecurrent(features, classes, cell=cell, dense=recipe.dense, **given)


def spelling_network(recipe: SpellingRecipe) -> SpellingNetwork:
    """Return the untrained network of a recipe of fingerspelling."""
    sizes = {name: getattr(recipe, name) for name in ("width", "depth", "heads", "kernel", "dropout")}
    options: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    options["coordinates"] = recipe.features.coordinates
    if recipe.features.points:
        options["points"] = recipe.features.points
    if recipe.network == "speller-hands":
        options.pop("heads", None)  # it has no attention
        options |= {} if recipe.inner is None else {"inner": recipe.inner}
        return HandSpeller(len(recipe.vocabulary), **options)
    if recipe.network == "speller-ctc":
        return SpellerCTC(len(recipe.vocabulary), **options)
    sizes = {name: getattr(recipe, name) for name in ("layers", "hidden")}
    options |= {name: value for name, value in sizes.items() if value is not None}
    kind = Speller.small if recipe.network == "speller-small" else Speller
    return kind(recipe.classes, max_frames=recipe.data.max_frames, unseen=recipe.unseen, **options)


def reader_of(network: nn.Module, data: PictureData, train: Pictures) -> PictureReader:
    """Return a network after the normalization of its training pictures."""
    mean, std = picture_statistics(map(torch.from_numpy, train.batches(STATISTICS_BATCH)), grey=data.grey)
    return PictureReader(network, data.side, mean, std)


def _network(recipe: Recipe) -> nn.Module:
    if isinstance(recipe, HandRecipe):
        return hand_network(recipe)
    if isinstance(recipe, PictureRecipe):
        return picture_network(recipe, len(recipe.labels))
    if isinstance(recipe, SignRecipe):
        return sign_network(recipe, recipe.classes)
    if isinstance(recipe, VideoRecipe):
        return video_network(recipe, recipe.classes)
    if isinstance(recipe, SpellingRecipe):
        return spelling_network(recipe)
    assert isinstance(recipe, EstimatorRecipe)
    pixels = (1 if recipe.data.grey else 3) * recipe.data.side**2
    return Perceptron(pixels, len(recipe.labels), hidden=[recipe.hidden] if recipe.network == "mlp-numpy" else [])
