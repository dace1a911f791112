"""From raw pictures to normalized ones, inside the graph."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601 luma, as in Pillow's "L"


class PictureFeatures(nn.Module):
    """From bytes to numbers with mean 0 and standard deviation 1.

    Parameters
    ----------
    mean, std : float32 (C,)
        Of the training pictures, 0 to 1; C is 3, or 1 for grey.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        std = std.float().clamp(min=1e-3).view(1, -1, 1, 1)
        self.register_buffer("scale", 1 / std)
        self.register_buffer("shift", -mean.float().view(1, -1, 1, 1) / std)

    @property
    def channels(self) -> int:
        """C."""
        return self.scale.shape[1]

    def forward(self, pictures: Tensor) -> Tensor:
        """Return float32 (B, C, H, W) for RGB pictures uint8 (B, H, W, 3)."""
        if self.channels == 1:
            return channels_of(pictures, grey=True) * self.scale + self.shift
        # channels are moved while they are still bytes; the scale goes over them in two passes
        return pictures.permute(0, 3, 1, 2).float() * (self.scale / 255) + self.shift


def channels_of(pictures: Tensor, *, grey: bool) -> Tensor:
    """Return float32 (B, C, H, W), 0 to 1, of RGB pictures uint8 or float32 (B, H, W, 3) of 0 to 255."""
    values = pictures.permute(0, 3, 1, 2).float() / 255
    if not grey:
        return values
    return (values * values.new_tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)


def picture_statistics(batches: Iterable[Tensor], *, grey: bool) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel, float32 (C,), over batches of pictures uint8 (B, H, W, 3)."""
    sums, products = torch.zeros(3, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)
    count = 0
    for batch in batches:
        pixels = batch.reshape(-1, 3).float().div_(255).sub_(0.5)
        sums += pixels.sum(0)
        products += pixels.T @ pixels
        count += len(pixels)
    covariance = products / count - torch.outer(sums, sums) / count**2
    weights = torch.tensor([GREY] if grey else torch.eye(3).tolist(), dtype=torch.float64)
    mean, variance = weights @ (sums / count + 0.5), (weights @ covariance @ weights.T).diagonal()
    return mean.float(), variance.clamp(min=0).sqrt().float()
