"""Recipes that read clips by features of their frames from an image network: their fields and defaults."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from signary.training.recipes.signs import ClipRecipe


class VideoRecipe(ClipRecipe):
    """A reader of isolated signs from pictures; see also `ClipRecipe`.

    Parameters
    ----------
    network : {"video-lstm", "video-gru", "video-transformer"}
        See `signary.models.video_lstm`.
    features : {"inception", "compact"}
        Of the image network; in training, as in the store.
    backbone, fit : str
        From the store: sha256 of the image network, and how pictures were made square.
    width, depth, heads : int, optional
        Of the network; by default its own.
    dense : list of int
        Units of the fully connected layers after the recurrent ones.
    standardize : bool
        Scale each feature to mean 0 and standard deviation 1 over the training clips.
    relative : bool
        Read also the features minus their mean over the clip; see `signary.models.video_lstm.VideoNetwork`.
    init_from : str
        A run or bundle of the same network, whose weights are the initial ones of all layers but the last.
    freeze : {"none", "backbone", "lstm1", "all"}
        Frozen layers: none, the image network (always frozen in a store of features), the first layer, or all but the
        last.
    body_rate : float, optional
        Learning rate of all layers but the last; by default the same as the last.
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

    published: ClassVar[int] = 249  # of ChaLearn IsoGD

    @property
    def needs(self) -> str:
        """What ``signary data prepare --features`` makes."""
        return "a store of video features"
