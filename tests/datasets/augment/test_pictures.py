"""Augmentation of pictures."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("torch")

import torch

from signary.datasets.augment.pictures import PictureAugment
from signary.datasets.augment.strengths import PictureStrengths as Strengths


def test_no_strength_changes_nothing() -> None:
    pictures = torch.randint(0, 256, (3, 16, 16, 3), dtype=torch.uint8)
    assert PictureAugment(Strengths())(pictures) is pictures


@pytest.mark.parametrize(
    "strengths",
    [{"turn_deg": 30}, {"zoom": 0.3}, {"shift": 0.3}, {"perspective": 0.3}, {"light": 0.5}, {"color": 0.5}]
    + [{name: 1.0} for name in ("grey", "blur", "noise", "cover", "background")],
    ids=lambda strengths: next(iter(strengths)),
)
def test_every_strength_changes_pictures_of_its_own(strengths: dict[str, float]) -> None:
    torch.manual_seed(0)
    pictures = torch.randint(0, 256, (16, 24, 24, 3), dtype=torch.uint8)
    changed = PictureAugment(Strengths(**strengths))(pictures)
    assert changed.shape == pictures.shape
    assert changed.dtype == torch.uint8
    assert (changed != pictures).float().mean() > 0.02


def test_flip_mirrors_whole_pictures() -> None:
    pictures = torch.randint(0, 256, (8, 16, 16, 3), dtype=torch.uint8)
    changed = PictureAugment(Strengths(flip=1))(pictures).int()
    assert (changed - pictures.flip(2).int()).abs().max() <= 1


def test_grey_pictures_have_no_color() -> None:
    pictures = torch.randint(0, 256, (8, 16, 16, 3), dtype=torch.uint8)
    changed = PictureAugment(Strengths(grey=1))(pictures).int()
    assert (changed.amax(-1) - changed.amin(-1)).max() <= 1
