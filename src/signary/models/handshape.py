"""The handshape reader: a small ensemble of perceptrons over the features of one hand, frame by frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from signary.features.hand import DominantHand, HandFeatures

MIRROR_WEIGHT = 0.3


def _perceptron(features: int, classes: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(features),
        nn.Dropout(dropout / 4),
        nn.Linear(features, width),
        nn.BatchNorm1d(width),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(width, width),
        nn.BatchNorm1d(width),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(width, classes),
    )


class HandshapeReader(nn.Module):
    """Raw points to logits of handshapes.

    Parameters
    ----------
    classes : int
        V.
    width : int
        Units of each of the two hidden layers.
    dropout : float
        0 to 1.
    members : int
        M independent networks whose logits are averaged.
    """

    def __init__(self, classes: int, *, width: int = 384, dropout: float = 0.4, members: int = 3) -> None:
        super().__init__()
        self.select = DominantHand()
        self.features = HandFeatures()
        networks = [_perceptron(self.features.width, classes, width, dropout) for _ in range(members)]
        self.members = nn.ModuleList(networks)

    def member_logits(self, hand: Tensor) -> Tensor:
        """Return each member's logits float32 (M, B, V) for right hands float32 (B, 21, 3)."""
        features = self.features(hand)
        return torch.stack([member(features) for member in self.members])

    def hands(self, hand: Tensor) -> Tensor:
        """Return logits float32 (B, V) for right hands float32 (B, 21, 3) in any unit and place."""
        return self.member_logits(hand).mean(0)

    def forward(self, points: Tensor, aspect: Tensor) -> tuple[Tensor, Tensor]:
        """Read a clip frame by frame; parameters as of `DominantHand`.

        Returns
        -------
        logits : float32 (T, V)
            Meaningless in frames without a hand.
        place : float32 (T, 4)
            As of `DominantHand`.
        """
        hand, place = self.select(points, aspect)
        return self.either_way(hand), place

    def either_way(self, hand: Tensor) -> Tensor:
        """Return log probabilities float32 (B, V). The mirrored hand counts, too: the detector may confuse sides."""
        as_said = torch.softmax(self.hands(hand), -1)
        turned = torch.softmax(self.hands(hand * hand.new_tensor([-1.0, 1.0, 1.0])), -1)
        return torch.log((as_said + MIRROR_WEIGHT * turned) / (1 + MIRROR_WEIGHT) + 1e-9)
