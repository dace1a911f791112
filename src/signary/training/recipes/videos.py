"""The fields of recipes that read clips by what a network of pictures sees in their frames, and their defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from signary.training.recipes.signs import ClipRecipe

PUBLISHED_GESTURES = 249  # of ChaLearn IsoGD, for recipes whose vocabulary is that of the data


class VideoRecipe(ClipRecipe):
    """A reader of isolated signs from pictures; see `ClipRecipe`, too.

    Parameters
    ----------
    network : {"video-lstm", "video-gru", "video-transformer"}
        See `signary.models.video_lstm`.
    features : {"inception", "compact"}
        What ``data`` holds; the store says so when a recipe is trained.
    backbone, fit : str
        The store's, filled in: sha256 of the network of pictures, and how pictures became square.
    width, depth, heads : int, optional
        Of the network, in place of its own.
    dense : list of int
        Units of fully connected layers behind recurrent ones.
    standardize : bool
        Bring each feature to mean 0 and standard deviation 1 of the clips learned from.
    relative : bool
        Read features without their mean over the clip, too; see `signary.models.video_lstm.VideoNetwork`.
    init_from : str
        A run or bundle of the same network whose weights are gone on with, all but those of the last layer.
    freeze : {"none", "backbone", "lstm1", "all"}
        What stays as it is: nothing, the network of pictures (which a store of features always keeps), the first
        layer, or all but the last one.
    body_rate : float, optional
        Learning rate of all but the last layer; by default that of the last.
    """

    network: Literal["video-lstm", "video-gru", "video-transformer"]
    features: Literal["inception", "compact"] = "compact"
    backbone: str = ""
    fit: Literal["pad", "crop"] = "pad"
    width: int | None = Field(None, ge=1)
    depth: int | None = Field(None, ge=1)
    heads: int | None = Field(None, ge=1)
    dense: list[int] = []
    standardize: bool = True
    relative: bool = False
    init_from: str = ""
    freeze: Literal["none", "backbone", "lstm1", "all"] = "none"
    body_rate: float | None = Field(None, gt=0)

    @property
    def classes(self) -> int:
        """Labels, or those of the published set."""
        return len(self.labels) or PUBLISHED_GESTURES

    @property
    def needs(self) -> str:
        """What ``signary data prepare --features`` makes."""
        return "a store of video features"
