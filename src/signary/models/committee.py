"""Several networks as one: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from signary.features.select import SelectPoints
from signary.models.point_network import SignNetwork


class Committee(SignNetwork):
    """Networks of isolated signs, of different seeds or kinds, whose probabilities are averaged.

    Parameters
    ----------
    members : iterable of SignNetwork
        With the same vocabulary and the same points.
    """

    def __init__(self, members: Iterable[SignNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def select(self) -> SelectPoints:
        """The points that the members read."""
        select = self.members[0].select
        assert isinstance(select, SelectPoints)
        return select

    def selected(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return log probabilities float32 (B, V); parameters as of `SignNetwork.selected`."""
        members = (cast(SignNetwork, member) for member in self.members)
        said = torch.stack([torch.softmax(member.selected(points, lengths), -1) for member in members])
        return torch.log(said.mean(0) + 1e-9)
