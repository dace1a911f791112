"""Random numbers on a device, all from one seed."""

from __future__ import annotations

import torch
from torch import Tensor


class Dice:
    """Draws float32 tensors; the same seed on the same kind of device draws the same ones.

    Parameters
    ----------
    seed : int
    device : torch.device or str
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._generator = torch.Generator(self.device).manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return numbers from low to high."""
        return low + (high - low) * torch.rand(*shape, generator=self._generator, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        """Return numbers with mean 0 and standard deviation 1."""
        return torch.randn(*shape, generator=self._generator, device=self.device)

    def chance(self, share: float, *shape: int) -> Tensor:
        """Return bools, true for about a share of them."""
        return torch.rand(*shape, generator=self._generator, device=self.device) < share

    def whole(self, most: int, *shape: int) -> Tensor:
        """Return whole numbers from 0 to below ``most``, int64."""
        return torch.randint(most, shape, generator=self._generator, device=self.device)
