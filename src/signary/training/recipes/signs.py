"""Recipes that read isolated signs: their fields and defaults."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from signary.datasets.augment.strengths import ClipStrengths
from signary.training.recipes.recipe import Classes, Credit, Part, Recipe

PUBLISHED_SIGNS = 250  # of Google's set


class ClipData(Part):
    """Choice and split of the clips, and how they are drawn.

    Parameters
    ----------
    classes : "all" or list of str
        Labels to train on.
    split : {"signer", "group", "source", "clip"}
        All clips of one signer (and so on) are on one side of the split; the group stands for an unknown signer. With
        "clip" scores are too good, since the same people are trained on.
    folds : int
        Parts, of which ``--fold`` is held out for calibration and scores; 0: each signer (group, source) is one.
    share : float
        Of the training clips that is used, 0 to 1, drawn at random.
    each : int
        Clips of every class in a batch; 0: any.
    even_signers, even_words : float
        See `signary.training.signs.batches.balanced_weights`; 0 and 0: every clip is drawn once an epoch.
    buckets : bool
        Batches of clips of similar length, with little padding.
    max_frames : int
        Longer clips are cut.
    teams : dict of str to str
        Source -> its team, where several sources show the same people.
    """

    classes: Classes = "all"
    split: Literal["signer", "group", "source", "clip"] = "signer"
    folds: int = Field(5, ge=0)
    share: float = Field(1.0, gt=0, le=1)
    each: int = Field(0, ge=0)
    even_signers: float = Field(0.0, ge=0, le=1)
    even_words: float = Field(0.0, ge=0, le=1)
    buckets: bool = True
    max_frames: int = Field(384, ge=1)
    teams: dict[str, str] = {}


class ClipRecipe(Recipe):
    """The fields of recipes of isolated signs, read from landmarks or from pictures.

    Parameters
    ----------
    vocabulary : list of str
        Empty: all labels of the data.
    sources : list of Credit
        Of the data, if the store does not name them.
    dropout : float, optional
        Of the network; by default its own.
    epochs, steps, batch, optimizer, learning_rate, weight_decay, label_smoothing, schedule, average : training
    precision, mlflow
        As in `PictureRecipe`.
    clip_norm : float
        Largest norm of a step's gradients; 0: any.
    curve : list of float
        Shares of the training clips, for a learning curve.
    """

    task: Literal["signs"] = "signs"
    vocabulary: list[str] = []
    sources: list[Credit] = []
    data: ClipData = ClipData()
    dropout: float | None = Field(None, ge=0, lt=1)
    epochs: int = Field(100, ge=1)
    steps: int | None = Field(None, ge=1)
    batch: int = Field(64, ge=1)
    optimizer: Literal["adam", "adamw", "radam"] = "adamw"
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.05, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    schedule: Literal["constant", "cosine"] = "cosine"
    average: float = Field(0.0, ge=0, lt=1)
    clip_norm: float = Field(0.0, ge=0)
    precision: Literal["auto", "32", "bf16"] = "auto"
    curve: list[float] = []
    mlflow: bool = False

    published: ClassVar[int]  # classes of the published set, for recipes with the vocabulary of the data

    @property
    def classes(self) -> int:
        """The number of labels, or of the published set's."""
        return len(self.labels) or self.published


class SignRecipe(ClipRecipe):
    """A reader of isolated signs from landmarks; see also `ClipRecipe`.

    Parameters
    ----------
    network : {"sign-transformer-published", "sign-transformer", "sign-conv"}
        See `signary.models.sign_transformer` and `signary.models.sign_conv`.
    points, center : list of str
        Points that ``sign-conv`` reads, and those whose mean is its origin; ``sign-transformer`` reads lips and head
        if these are among them. Empty: the published ones.
    width, inner, depth, heads : int, optional
        Of the network; by default its own.
    left_signer, shapes : bool
        Of ``sign-conv``: mirror clips signed with the right hand; read also the shape of each hand by itself.
    bins : int, optional
        Of ``sign-conv``: longer clips are averaged to so many frames.
    quirks : bool
        Of ``sign-transformer-published``: mask as the published one, also in inference.
    members : int
        Networks of different seeds whose probabilities are averaged.
    late_dropout : int
        Epochs before dropout starts in ``sign-conv``.
    idle : float
        Share of each batch replaced by clips without a sign: ends and starts of others, and arms without hands.
    trusted : int
        Number of sources from which the model card calls a word trusted; 0: it calls none so.
    doubt : float
        Subtracted from the logits of words that are not trusted, a third of it from silent ones: they are read only
        if no trusted word is likely.
    refit : bool
        Before packing, train again on all clips, with those held out.
    thresholds : dict of str to float
        For reading; see `signary.recognition.signs.recognizer`.
    """

    network: Literal["sign-transformer-published", "sign-transformer", "sign-conv"]
    points: list[str] = []
    center: list[str] = []
    width: int | None = Field(None, ge=1)
    inner: int | None = Field(None, ge=1)
    depth: int | None = Field(None, ge=1)
    heads: int | None = Field(None, ge=1)
    left_signer: bool = False
    shapes: bool = False
    bins: int | None = Field(None, ge=1)
    quirks: bool = False
    members: int = Field(1, ge=1)
    late_dropout: int = Field(15, ge=0)
    augment: ClipStrengths = ClipStrengths()
    idle: float = Field(0.0, ge=0, lt=1)
    trusted: int = Field(0, ge=0)
    doubt: float = Field(0.0, ge=0)
    refit: bool = False
    thresholds: dict[str, float] = {}

    published: ClassVar[int] = PUBLISHED_SIGNS
