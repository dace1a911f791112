"""Augmented hands stay hands."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from signary.datasets.augment.hands import HandAugment  # noqa: E402
from signary.datasets.augment.strengths import HandStrengths as Augment  # noqa: E402
from signary.features.hand import HandFeatures  # noqa: E402

STILL = Augment(roll_deg=0, tilt_deg=0, bend_deg=0, bone=0, jitter=0, stretch=0, depth=0, flip=0, flat=0)


def test_no_strength_changes_nothing_that_is_read() -> None:
    hand = torch.rand(8, 21, 3)
    features = HandFeatures()
    torch.testing.assert_close(features(HandAugment(STILL)(hand)), features(hand), atol=2e-3, rtol=1e-3)


def test_strength_changes_hands_and_keeps_them_finite() -> None:
    hand = torch.rand(64, 21, 3)
    hand[::2, :, 2] = torch.nan
    changed = HandAugment(Augment())(hand)
    assert torch.isfinite(changed).all()
    assert (changed[::2, :, 2].abs() < 1e-6).all()
    assert changed.std(0).mean() > 0.1


def test_flip_turns_all_over() -> None:
    hand = torch.rand(8, 21, 3)
    turned = HandAugment(STILL.model_copy(update={"flip": 1.0}))(hand)
    torch.testing.assert_close(turned[..., 0], -HandAugment(STILL)(hand)[..., 0])
