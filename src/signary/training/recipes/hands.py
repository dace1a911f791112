"""Recipes that read single hands: their fields and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from signary.datasets.augment.strengths import HandStrengths
from signary.training.recipes.recipe import FileRecipe


class HandRecipe(FileRecipe):
    """A reader of handshapes from landmarks.

    Parameters
    ----------
    rare : dict of str to float
        Label -> factor of how often it is drawn.
    width, dropout, members : network
        See `signary.models.handshape.HandshapeReader`.
    steps, batch, learning_rate, weight_decay, label_smoothing : training
        AdamW with one cycle of the learning rate.
    epochs : float, optional
        Over all found hands; a limit beside ``steps``.
    validation : float
        Share of the groups held out to fit the temperature; the bundle's network is trained on them, too.
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
