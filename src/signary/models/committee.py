"""Several networks as one: the mean of what they say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from signary.features.select import SelectPoints
from signary.models.sign_transformer import SignNetwork


class Committee(nn.Module):
    """Networks of isolated signs, of different seeds or kinds, whose probabilities are averaged.

    Parameters
    ----------
    members : iterable of SignNetwork
        Of one vocabulary, and reading the same points.
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

    def forward(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return log probabilities; parameters as of `SignNetwork.forward`."""
        return self._mean([member(points, lengths) for member in self.members])

    def selected(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return log probabilities float32 (B, V); parameters as of `SignNetwork.selected`."""
        members = (cast(SignNetwork, member) for member in self.members)
        return self._mean([member.selected(points, lengths) for member in members])

    def _mean(self, logits: list[Tensor]) -> Tensor:
        said = torch.stack([torch.softmax(each, -1) for each in logits])
        return torch.log(said.mean(0) + 1e-9)
