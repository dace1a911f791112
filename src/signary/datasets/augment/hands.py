"""Augmentation of batches of hands: other bone lengths, joint angles, cameras, pictures and detector errors."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from signary.datasets.augment.chance import uniform
from signary.datasets.augment.strengths import HandStrengths
from signary.features.hand import PARENTS


class HandAugment:
    """Augment a batch of right hands.

    Parameters
    ----------
    options : HandStrengths
    """

    def __init__(self, options: HandStrengths) -> None:
        self.options = options
        self._fingers = torch.tensor([0, *(1 + (point - 1) // 4 for point in range(1, 21))])

    def __call__(self, hand: Tensor) -> Tensor:
        """Return hands float32 (B, 21, 3) in hand sizes, given hands in any unit; unknown depth (NaN) becomes 0."""
        unknown = torch.isnan(hand[:, 0, 2])
        hand = self._reshape(_unit(torch.nan_to_num(hand)))
        hand = self._view(hand, unknown)
        return self._spoil(hand, unknown)

    def _reshape(self, hand: Tensor) -> Tensor:
        """Change bone lengths and joint angles; each point follows its parent along the finger."""
        options, batch = self.options, len(hand)
        bones = hand - hand[:, list(PARENTS)]
        each = 1 + options.bone * torch.randn(batch, 21, 1).clamp(-2.5, 2.5)
        finger = 1 + options.bone * torch.randn(batch, 6, 1).clamp(-2.5, 2.5)
        bones = bones * each * finger[:, self._fingers]
        turns = _turn("z", math.radians(options.bend_deg) * torch.randn(batch * 21)).view(batch, 21, 3, 3)
        bones = torch.einsum("bpij,bpj->bpi", turns, bones)
        points = [hand[:, 0]]
        for point in range(1, 21):
            points.append(points[PARENTS[point]] + bones[:, point])
        return torch.stack(points, 1)

    def _view(self, hand: Tensor, unknown: Tensor) -> Tensor:
        """Rotate the view; a hand of unknown depth is rotated within the picture only."""
        options, batch = self.options, len(hand)
        one, depth = torch.ones(batch), 1 + uniform(hand, options.depth)
        hand = hand * torch.stack([one, one, depth], -1)[:, None]
        roll = _turn("z", uniform(hand, math.radians(options.roll_deg)))
        tilt = math.radians(options.tilt_deg)
        turn = roll @ _turn("x", uniform(hand, tilt)) @ _turn("y", uniform(hand, tilt))
        turn = torch.where(unknown[:, None, None], roll, turn)
        stretch = torch.exp(uniform(hand, options.stretch))
        scale = torch.stack([stretch, 1 / stretch, one], -1)
        return (hand @ turn.transpose(1, 2)) * scale[:, None]

    def _spoil(self, hand: Tensor, unknown: Tensor) -> Tensor:
        """Add detector errors: noise, the wrong side, no depth."""
        options, batch = self.options, len(hand)
        hand = hand + options.jitter * torch.randn_like(hand) * torch.tensor([1.0, 1.0, 2.0])
        flip = torch.where(torch.rand(batch) < options.flip, -1.0, 1.0)
        depth = torch.where(unknown | (torch.rand(batch) < options.flat), 0.0, 1.0)
        return hand * torch.stack([flip, torch.ones(batch), depth], -1)[:, None]


def _unit(hand: Tensor) -> Tensor:
    flat = hand[..., :2] - hand[..., :2].mean(1, keepdim=True)
    size = flat.square().sum(-1).mean(-1).sqrt().clamp(min=1e-6)[:, None, None]
    return torch.cat([flat, hand[..., 2:] - hand[:, :1, 2:]], -1) / size


def _turn(axis: str, angle: Tensor) -> Tensor:
    """Return rotation matrices (N, 3, 3) about one axis for angles (N,) in radians."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    one, zero = torch.ones_like(cos), torch.zeros_like(cos)
    rows = {
        "x": [one, zero, zero, zero, cos, -sin, zero, sin, cos],
        "y": [cos, zero, sin, zero, one, zero, -sin, zero, cos],
        "z": [cos, -sin, zero, sin, cos, zero, zero, zero, one],
    }
    return torch.stack(rows[axis], -1).view(-1, 3, 3)
