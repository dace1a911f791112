"""Augmentation of batches of pictures: another camera, position, light and background."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from signary.datasets.augment.chance import uniform
from signary.datasets.augment.strengths import PictureStrengths


class PictureAugment:
    """Augment a batch of pictures.

    Parameters
    ----------
    options : PictureStrengths
    """

    def __init__(self, options: PictureStrengths) -> None:
        self.options = options
        self.active = any(options.model_dump().values())

    def __call__(self, pictures: Tensor) -> Tensor:
        """Return augmented pictures, uint8 (B, S, S, 3) in and out."""
        if not self.active:
            return pictures
        values = pictures.permute(0, 3, 1, 2).float() / 255
        values = self._light(self._cover(self._view(values)))
        return values.clamp_(0, 1).mul_(255).add_(0.5).to(torch.uint8).permute(0, 2, 3, 1)

    def _view(self, values: Tensor) -> Tensor:
        """Rotate, zoom, shift, mirror and change perspective, in one resampling."""
        options, batch, device = self.options, len(values), values.device
        angle = uniform(values, math.radians(options.turn_deg))
        scale = torch.exp(uniform(values, options.zoom))
        side = torch.where(torch.rand(batch, device=device) < options.flip, -1.0, 1.0)
        homography = torch.zeros(batch, 3, 3, device=device)
        homography[:, 0, 0], homography[:, 0, 1] = side * scale * torch.cos(angle), -scale * torch.sin(angle)
        homography[:, 1, 0], homography[:, 1, 1] = side * scale * torch.sin(angle), scale * torch.cos(angle)
        homography[:, :2, 2] = uniform(values, options.shift, batch, 2)
        homography[:, 2, :2] = uniform(values, options.perspective, batch, 2)
        homography[:, 2, 2] = 1
        rows, columns = values.shape[-2:]
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, rows, device=device), torch.linspace(-1, 1, columns, device=device), indexing="ij"
        )
        plane = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3)
        seen = plane @ homography.transpose(1, 2)
        grid = (seen[..., :2] / seen[..., 2:]).view(batch, rows, columns, 2)
        return functional.grid_sample(values, grid, padding_mode="reflection", align_corners=True)

    def _cover(self, values: Tensor) -> Tensor:
        """Replace a rectangle, and the background far from the center, by other pictures of the batch."""
        options, batch, device = self.options, len(values), values.device
        rows, columns = values.shape[-2:]
        y = torch.linspace(0, 1, rows, device=device).view(1, -1, 1)
        x = torch.linspace(0, 1, columns, device=device).view(1, 1, -1)
        one = (batch, 1, 1)
        size = 0.1 + 0.25 * torch.rand(2, *one, device=device)
        at = torch.rand(2, *one, device=device) * (1.2 - size) - 0.1
        inside = (y > at[0]) & (y < at[0] + size[0]) & (x > at[1]) & (x < at[1] + size[1])
        inside &= torch.rand(one, device=device) < options.cover
        values = torch.where(inside[:, None], values.roll(1, 0), values)
        middle = 0.45 + 0.1 * torch.rand(2, *one, device=device)
        reach = 0.35 + 0.3 * torch.rand(one, device=device)
        far = torch.sigmoid(20 * (torch.hypot(y - middle[0], x - middle[1]) - reach))
        far = far * (torch.rand(one, device=device) < options.background)
        return torch.lerp(values, values.roll(2, 0), far[:, None])

    def _light(self, values: Tensor) -> Tensor:
        """Change brightness, gamma, light direction and color; blur and add noise."""
        options, batch, device = self.options, len(values), values.device
        one, rows, columns = (batch, 1, 1, 1), *values.shape[-2:]
        bend = uniform(values, min(options.light, 0.9), *one)
        values = values + bend * (values - values.square())  # gamma-like: black and white stay
        gain = torch.exp(uniform(values, options.light, *one) + uniform(values, options.color, batch, 3, 1, 1))
        slope = uniform(values, options.light / 2, 2, *one)
        y = torch.linspace(-1, 1, rows, device=device).view(1, 1, -1, 1)
        x = torch.linspace(-1, 1, columns, device=device).view(1, 1, 1, -1)
        values *= gain * (1 + slope[0] * y + slope[1] * x)
        mix = torch.exp(uniform(values, 2 * options.color, *one))
        mix = torch.where(torch.rand(one, device=device) < options.grey, 0.0, mix)
        values = torch.lerp(values.mean(1, keepdim=True).expand_as(values), values, mix)
        soft = torch.rand(batch, device=device) < options.blur
        values[soft] = functional.avg_pool2d(values[soft], 3, stride=1, padding=1, count_include_pad=False)
        # one noise picture for the batch; it differs from step to step
        grain = torch.randn(1, 3, rows, columns, device=device)
        return values.addcmul_(grain, options.noise * torch.rand(one, device=device))
