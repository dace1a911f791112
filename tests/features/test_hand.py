"""What the features of a hand do not depend on."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from signary.features.hand import DominantHand, HandFeatures  # noqa: E402
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND  # noqa: E402


def test_place_and_size_do_not_matter() -> None:
    hand = torch.rand(4, 21, 3, generator=torch.Generator().manual_seed(0))
    features = HandFeatures()
    torch.testing.assert_close(features(hand), features(hand * 7 + 3), atol=2e-3, rtol=1e-3)
    assert features(hand).shape == (4, features.width)


def test_unknown_depth_reads_as_flat() -> None:
    hand = torch.rand(2, 21, 3)
    flat, unknown = hand.clone(), hand.clone()
    flat[..., 2], unknown[..., 2] = 0, torch.nan
    torch.testing.assert_close(HandFeatures()(flat), HandFeatures()(unknown))


def test_left_hands_are_turned_over_and_mirrors_agree() -> None:
    points = torch.full((3, 543, 3), torch.nan)
    points[:, RIGHT_HAND] = torch.rand(3, 21, 3)
    mirrored = torch.full((3, 543, 3), torch.nan)
    mirrored[:, LEFT_HAND] = points[:, RIGHT_HAND] * torch.tensor([-1.0, 1, 1]) + torch.tensor([1.0, 0, 0])
    select, features = DominantHand(), HandFeatures()
    here, place = select(points, torch.tensor(0.0))
    there, other = select(mirrored, torch.tensor(0.0))
    torch.testing.assert_close(features(here), features(there), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(place[:, 0], 1 - other[:, 0])


def test_a_known_aspect_is_undone() -> None:
    square = torch.full((1, 543, 3), torch.nan)
    square[:, RIGHT_HAND] = torch.rand(1, 21, 3)
    wide = square * torch.tensor([1.0, 2.0, 1.0])
    hand, _ = DominantHand()(square, torch.tensor(1.0))
    same, _ = DominantHand()(wide, torch.tensor(2.0))
    torch.testing.assert_close(hand, same)


def test_frames_without_a_hand_are_said_to_be_so() -> None:
    hand, place = DominantHand()(torch.full((2, 543, 3), torch.nan), torch.tensor(0.0))
    assert place[:, 3].tolist() == [0, 0]
    assert torch.isfinite(hand).all()
