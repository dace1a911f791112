"""The fields of recipes of isolated signs, and their defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from signary.datasets.augment.strengths import ClipStrengths
from signary.training.recipes.recipe import Credit, Part, Recipe

PUBLISHED_SIGNS = 250  # of Google's set, for recipes whose vocabulary is that of the data


class ClipData(Part):
    """Which clips, how they are split, and how often they are drawn.

    Parameters
    ----------
    classes : "all" or list of str
        Labels to tell apart.
    split : {"signer", "group", "source", "clip"}
        Clips of one of these are never parted; where a signer is not known, the group stands for it. By clip, a score
        flatters: the same people are learned from.
    folds : int
        Parts, of which ``--fold`` is held out to calibrate by and to measure; 0: each signer (group, source) is one.
    share : float
        Of the clips to learn from, 0 to 1, drawn at random.
    each : int
        Clips of every class in a batch; 0: as they come.
    even_signers, even_words : float
        See `signary.training.signs.balanced_weights`; 0 and 0: every clip is drawn once an epoch.
    buckets : bool
        Batches of clips of about one length, so that little time goes into padding.
    max_frames : int
        Longer clips are cut.
    teams : dict of str to str
        Sources that are one: people of a team recorded several sets.
    """

    classes: Literal["all"] | list[str] = "all"
    split: Literal["signer", "group", "source", "clip"] = "signer"
    folds: int = Field(5, ge=0)
    share: float = Field(1.0, gt=0, le=1)
    each: int = Field(0, ge=0)
    even_signers: float = Field(0.0, ge=0, le=1)
    even_words: float = Field(0.0, ge=0, le=1)
    buckets: bool = True
    max_frames: int = Field(384, ge=1)
    teams: dict[str, str] = {}

    @field_validator("classes", mode="before")
    @classmethod
    def _as_labels(cls, classes: object) -> object:
        """Take one word with commas for several labels: yes,no."""
        return classes.split(",") if isinstance(classes, str) and classes != "all" else classes


class ClipRecipe(Recipe):
    """What recipes of isolated signs share, whatever of a clip is read.

    Parameters
    ----------
    vocabulary : list of str
        Empty: the labels of the data.
    sources : list of Credit
        Of the data, where the store does not say.
    dropout : float, optional
        Of the network, in place of its own.
    epochs, steps, batch : training
        ``steps`` is a second limit beside the epochs.
    optimizer, learning_rate, weight_decay, label_smoothing, schedule, average, precision : training
        As in `PictureRecipe`.
    clip_norm : float
        Largest norm of a step's gradients; 0: any.
    curve : list of float
        Shares of the clips to learn from for a learning curve.
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


class SignRecipe(ClipRecipe):
    """A reader of isolated signs from landmarks; see `ClipRecipe`, too.

    Parameters
    ----------
    network : {"sign-transformer-published", "sign-transformer", "sign-conv"}
        See `signary.models.sign_transformer` and `signary.models.sign_conv`.
    points, center : list of str
        Points that ``sign-conv`` reads, and those whose mean is its zero; ``sign-transformer`` reads lips and head
        if they are among them. Empty: the published ones.
    width, inner, depth, heads : int, optional
        Of the network, in place of its own.
    left_signer, shapes : bool
        Of ``sign-conv``: mirror clips in which the right hand signs; read each hand's shape by itself, too.
    bins : int, optional
        Of ``sign-conv``: average longer clips to so many frames.
    quirks : bool
        Of ``sign-transformer-published``: mask as the published one does, in inference, too.
    members : int
        Networks of different seeds whose probabilities are averaged.
    late_dropout : int
        Epochs before ``sign-conv`` drops out.
    idle : float
        Share of each batch replaced by what is no sign: ends and beginnings of others, and arms without hands.
    trusted : int
        Sources of which a word needs as many for the card to call it trusted; 0: nothing is said.
    doubt : float
        Taken from the logits of the other words, a third of it from that of no sign: they are read only where little
        speaks for a trusted one.
    refit : bool
        Learn again from everything, also what was held out, before packing.
    thresholds : dict of str to float
        Of reading; see `signary.recognition.signs.recognizer`.
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

    @property
    def classes(self) -> int:
        """Labels, or those of the published set."""
        return len(self.labels) or PUBLISHED_SIGNS

    @property
    def needs(self) -> str:
        """What ``signary data prepare`` makes."""
        return "a prepared store"
