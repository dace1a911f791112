"""Seeded random numbers on a device."""

from __future__ import annotations

import torch
from torch import Tensor


class Dice:
    """Random float32 tensors; the same seed on the same kind of device gives the same numbers.

    Parameters
    ----------
    seed : int
    device : torch.device or str
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._generator = torch.Generator(self.device).manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return uniform numbers from ``low`` to ``high``."""
        return low + (high - low) * torch.rand(*shape, generator=self._generator, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        """Return normal numbers with mean 0 and standard deviation 1."""
        return torch.randn(*shape, generator=self._generator, device=self.device)

    def chance(self, share: float, *shape: int) -> Tensor:
        """Return bools that are true with probability ``share``."""
        return torch.rand(*shape, generator=self._generator, device=self.device) < share

    def whole(self, most: int, *shape: int) -> Tensor:
        """Return integers from 0 to ``most`` - 1, int64."""
        return torch.randint(most, shape, generator=self._generator, device=self.device)
