"""Recipes that read whole pictures: their fields and defaults."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from signary.datasets.augment.strengths import PictureStrengths
from signary.training.recipes.recipe import Classes, FileRecipe, Part


class PictureData(Part):
    """Choice and split of the pictures.

    Parameters
    ----------
    side : int
        Of the square that the network reads, in pixels.
    grey : bool
    classes : "all" or list of str
        Labels to train on.
    rows : list of (int, int)
        Slices of the whole Sign Language Digits set in the order of its ``X.npy``, for exactly these classes.
    split : {"random", "blocks", "groups"}
        See `signary.datasets.split.split_pictures`.
    validation, test : float
        Held-out shares.
    share : float
        Of the training pictures that is used, 0 to 1, drawn at random.
    """

    side: int = Field(200, ge=8)
    grey: bool = False
    classes: Classes = "all"
    rows: list[tuple[int, int]] = []
    split: Literal["random", "blocks", "groups"] = "blocks"
    validation: float = Field(0.2, ge=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)
    share: float = Field(1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _check_shares(self) -> PictureData:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation and test take {self.validation + self.test:.0%}, which leaves none to learn")
        return self


class _OfPictures(FileRecipe):
    data: PictureData = PictureData()

    @property
    def labels(self) -> list[str]:
        """Labels of the classes, in the order of the logits."""
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
        ``steps`` is a limit beside ``epochs``.
    optimizer, learning_rate, momentum, weight_decay, label_smoothing : training
    schedule : {"constant", "cosine"}
        Of the learning rate; cosine has a warm-up of a twentieth of the steps.
    average : float
        Decay of the moving average of the weights, which is validated and packed; 0: none.
    patience : int, optional
        Training stops after so many epochs without a better validation loss.
    precision : {"auto", "32", "bf16"}
        ``auto``: bf16 on processors with units for it.
    cross_validation : int
        Folds of the training part, before the last training; 0: none.
    mlflow : bool
        Also log to MLflow.
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
    """A reader of whole pictures that is trained in one call of ``fit``, as in scikit-learn.

    Parameters
    ----------
    network : {"logreg-numpy", "logreg-sklearn", "mlp-numpy"}
    hidden : int
        Units of the hidden layer of ``mlp-numpy``.
    steps : int
        Of gradient descent; a limit for scikit-learn's solver.
    learning_rate : float
        Of gradient descent.
    """

    network: Literal["logreg-numpy", "logreg-sklearn", "mlp-numpy"]
    hidden: int = Field(3, ge=1)
    steps: int = Field(150, ge=1)
    learning_rate: float = Field(0.01, gt=0)
