"""The picture reader: from raw pictures to logits, with any network inside."""

from __future__ import annotations

from torch import Tensor, nn

from signary.features.picture import PictureFeatures


class PictureReader(nn.Module):
    """Raw pictures to logits.

    Parameters
    ----------
    network : Module
        Normalized pictures float32 (B, C, S, S) to logits (B, V).
    side : int
        S in pixels.
    mean, std : float32 (C,)
        See `signary.features.picture.PictureFeatures`.
    """

    def __init__(self, network: nn.Module, side: int, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.features = PictureFeatures(mean, std)
        self.network = network
        self.side = side

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits float32 (B, V) for RGB pictures uint8 (B, S, S, 3)."""
        logits: Tensor = self.network(self.features(pictures))
        return logits
