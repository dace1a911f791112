"""The fields of recipes, and their defaults."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from signary.datasets.augment.strengths import HandStrengths, PictureStrengths


class Part(BaseModel):
    """A part of a recipe: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Credit(Part):
    """Where data comes from: name, licence, address."""

    name: str
    licence: str
    url: str = ""


class Source(Credit):
    """One set of data, as it lies below ``--data``.

    Parameters
    ----------
    path : str
        Below ``--data``.
    reader : {"photos", "hand-arrays", "pictures"}
        Hands found in photos, hands in arrays, or the photos themselves.
    weight : float
        How often its hands are drawn, beside the others'.
    labels : dict of str to str, optional
        Labels to keep and their names in the vocabulary; by default, the vocabulary's own and its aliases.
    people : str
        Sources that show the same people name the same; the source itself by default.
    pictures : str
        Folder below ``--data`` with pictures that the points were found in, so that they count as learned from.
    optional : bool
        Go on without it where it is missing.
    score : bool
        Leave it out once when scoring by source.
    """

    path: str
    reader: Literal["photos", "hand-arrays", "pictures"]
    weight: float = Field(1.0, gt=0)
    labels: dict[str, str] | None = None
    people: str = ""
    pictures: str = ""
    optional: bool = False
    score: bool = True


class Recipe(Part):
    """How one model is made: what every recipe says.

    Parameters
    ----------
    parameters : int
        Trainable ones of the published model.
    vocabulary, silent, aliases
        As in `signary.bundles.manifest.BundleManifest`.
    scores : list
        Measured before, by the commands they name, for the model card.
    """

    name: str
    task: Literal["letters", "digits", "signs", "spelling"]
    network: str
    parameters: int = 0
    vocabulary: list[str]
    silent: list[str] = []
    aliases: dict[str, str] = {}
    sign_language: str = "ase"
    region: str = ""
    seed: int = Field(0, ge=0)
    scores: list[dict[str, Any]] = []

    @property
    def labels(self) -> list[str]:
        """Labels that are told apart, in the order of the logits."""
        return self.vocabulary

    @property
    def classes(self) -> int:
        """How many are told apart, whatever the data."""
        return len(self.labels)

    @property
    def needs(self) -> str:
        """What ``--data`` has to hold."""
        return ""


class FileRecipe(Recipe):
    """What is learned from files of one or more sources."""

    sources: list[Source] = Field(min_length=1)

    @property
    def needs(self) -> str:
        """The folders of its sources."""
        return ", ".join(source.path for source in self.sources)


class HandRecipe(FileRecipe):
    """A reader of handshapes from landmarks.

    Parameters
    ----------
    rare : dict of str to float
        Factor on how often a label is drawn.
    width, dropout, members : network
        See `signary.models.handshape.HandshapeReader`.
    steps, batch, learning_rate, weight_decay, label_smoothing : training
        AdamW with one cycle of the learning rate.
    epochs : float, optional
        Most passes over all found hands, beside which ``steps`` is a second limit.
    validation : float
        Share of the groups held out to fit the temperature; they are learned from in the shipped model's second run.
    """

    network: Literal["handshape"] = "handshape"
    rare: dict[str, float] = {}
    width: int = Field(384, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    members: int = Field(3, ge=1)
    steps: int = Field(1500, ge=1)
    epochs: float | None = Field(None, gt=0)
    batch: int = Field(512, ge=2)
    learning_rate: float = Field(4e-3, gt=0)
    weight_decay: float = Field(0.02, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    augment: HandStrengths = HandStrengths()
    validation: float = Field(0.2, gt=0, lt=1)


class PictureData(Part):
    """Which pictures, and how they are split.

    Parameters
    ----------
    side : int
        Pixels of the square that the network sees.
    grey : bool
    classes : "all" or list of str
        Labels to tell apart.
    rows : list of (int, int)
        Slices of the whole Sign Language Digits set in the order of its ``X.npy``, used for just those classes.
    split : {"random", "blocks", "groups"}
        See `signary.datasets.split.split_pictures`.
    validation, test : float
        Shares held out to tune on and to test.
    share : float
        Of the training pictures, 0 to 1, drawn at random.
    """

    side: int = Field(200, ge=8)
    grey: bool = False
    classes: Literal["all"] | list[str] = "all"
    rows: list[tuple[int, int]] = []
    split: Literal["random", "blocks", "groups"] = "blocks"
    validation: float = Field(0.2, ge=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)
    share: float = Field(1.0, gt=0, le=1)

    @field_validator("classes", mode="before")
    @classmethod
    def _as_labels(cls, classes: Any) -> Any:
        """Take numbers for labels, and one word with commas for several: 0,1."""
        if isinstance(classes, str) and classes != "all":
            classes = classes.split(",")
        return [str(label) for label in classes] if isinstance(classes, list | tuple) else classes

    @model_validator(mode="after")
    def _check_shares(self) -> PictureData:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation and test take {self.validation + self.test:.0%}, which leaves none to learn")
        return self


class _OfPictures(FileRecipe):
    data: PictureData = PictureData()

    @property
    def labels(self) -> list[str]:
        """Labels that are told apart, in the order of the logits."""
        return self.vocabulary if self.data.classes == "all" else list(self.data.classes)

    @model_validator(mode="after")
    def _check_classes(self) -> Self:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError(f"data.classes: {', '.join(self.labels)} names one twice")
        if strange := [label for label in self.labels if label not in self.vocabulary]:
            raise ValueError(f"data.classes: {', '.join(strange)} not in the vocabulary")
        return self


class PictureRecipe(_OfPictures):
    """A reader of whole pictures, trained by gradient descent over epochs.

    Parameters
    ----------
    network : {"dexnet", "compact", "perceptron", "rows"}
        See `signary.models`.
    hidden, activations, initialization, dropout
        Of the network, where it has them.
    widths, depths : list of int
        Of a compact network.
    epochs, steps, batch : training
        ``steps`` is a second limit beside the epochs.
    optimizer, learning_rate, momentum, weight_decay, label_smoothing : training
    schedule : {"constant", "cosine"}
        Of the learning rate; cosine warms up for a twentieth of the steps.
    average : float
        Decay of the moving average of the weights that is validated and packed; 0: none.
    patience : int, optional
        Epochs without a better validation loss after which training stops.
    precision : {"auto", "32", "bf16"}
        ``auto``: bf16 where the processor multiplies it fast.
    cross_validation : int
        Folds over the training part, before the last run; 0: none.
    mlflow : bool
        Log to MLflow too.
    """

    network: Literal["dexnet", "compact", "perceptron", "rows"]
    hidden: list[int] = [512, 256]
    activations: list[Literal["relu", "tanh", "sigmoid", "elu", "gelu", "silu"]] = Field(["relu"], min_length=1)
    initialization: Literal["uniform", "normal", "glorot", "he", "zeros"] = "glorot"
    dropout: float = Field(0.5, ge=0, lt=1)
    widths: list[int] = [16, 24, 48, 96, 176]
    depths: list[int] = [0, 1, 1, 1, 1]
    epochs: int = Field(10, ge=1)
    steps: int | None = Field(None, ge=1)
    batch: int = Field(64, ge=1)
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = Field(0.008, gt=0)
    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    schedule: Literal["constant", "cosine"] = "constant"
    average: float = Field(0.0, ge=0, lt=1)
    patience: int | None = Field(None, ge=1)
    precision: Literal["auto", "32", "bf16"] = "auto"
    cross_validation: int = Field(0, ge=0)
    augment: PictureStrengths = PictureStrengths()
    mlflow: bool = False

    @model_validator(mode="after")
    def _check_network(self) -> PictureRecipe:
        if self.network == "dexnet" and (self.data.side != 200 or self.data.grey or len(self.hidden) != 2):
            raise ValueError("dexnet takes color pictures of data.side 200 and two hidden layers")
        if self.network == "rows" and len(self.hidden) != 1:
            raise ValueError(f"hidden={self.hidden}: rows takes one width")
        if self.network == "perceptron" and len(self.activations) not in (1, len(self.hidden)):
            raise ValueError(f"{len(self.activations)} activations for {len(self.hidden)} hidden layers")
        if self.cross_validation == 1:
            raise ValueError("cross_validation=1: 2 folds or more, or 0")
        if len(self.widths) != len(self.depths):
            raise ValueError(f"widths={self.widths} and depths={self.depths} are not of one length")
        return self


class EstimatorRecipe(_OfPictures):
    """A reader of whole pictures with scikit-learn's interface, trained in one go.

    Parameters
    ----------
    network : {"logreg-numpy", "logreg-sklearn", "mlp-numpy"}
    hidden : int
        Units of the hidden layer of ``mlp-numpy``.
    steps : int
        Of gradient descent; most iterations of scikit-learn's solver.
    learning_rate : float
        Of gradient descent.
    """

    network: Literal["logreg-numpy", "logreg-sklearn", "mlp-numpy"]
    hidden: int = Field(3, ge=1)
    steps: int = Field(150, ge=1)
    learning_rate: float = Field(0.01, gt=0)
