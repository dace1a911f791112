"""What the networks of signs read, against slow references written step by step."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from made_points import made  # noqa: E402
from signary.features.normalize import Standardize  # noqa: E402
from signary.features.sign import BothSides, DominantSide, Trajectories  # noqa: E402
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND  # noqa: E402

FACE_AND_HANDS = ("lips", "left_hand", "right_hand", "nose", "right_eye", "left_eye")
# fmt: off
LIPS = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375, 78, 191, 80, 81, 82, 13,
    312, 311, 310, 415, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308,
]
# fmt: on
LEFT = [*LIPS, *range(468, 489), 502, 504, 506, 508, 510]
RIGHT = [*LIPS, *range(522, 543), 503, 505, 507, 509, 511]


def prepared_by_hand(points: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 64 frames of 66 points (x, y) and their frame numbers, -1 = padded, step by step."""
    left = np.count_nonzero(~np.isnan(points[:, LEFT_HAND]))
    right = np.count_nonzero(~np.isnan(points[:, RIGHT_HAND]))
    hand = LEFT_HAND if left >= right else RIGHT_HAND
    numbers = [t for t in range(len(points)) if not np.isnan(points[t, hand]).all()]
    data = points[numbers][:, LEFT if left >= right else RIGHT].astype(np.float64)
    if right > left:
        data[:, 40:, 0] = 1 - data[:, 40:, 0]
    indices = np.array([number - numbers[0] for number in numbers], np.float64)
    if len(data) < 64:
        missing = 64 - len(data)
        data = np.concatenate([data, np.zeros((missing, 66, 3))])
        return np.nan_to_num(data[..., :2]), np.concatenate([indices, np.full(missing, -1.0)])
    repeats = 64 * 64 // len(data) if len(data) < 64 * 64 else 1
    data, indices = np.repeat(data, repeats, 0), np.repeat(indices, repeats)
    rest = -len(data) % 64
    edges = (rest // 2 + 32, rest - rest // 2 + 32)
    data, indices = np.pad(data, (edges, (0, 0), (0, 0)), "edge"), np.pad(indices, edges, "edge")
    bins = np.split(data, 64)
    with np.errstate(invalid="ignore"):
        means = np.stack([np.nansum(part, 0) / np.count_nonzero(~np.isnan(part), axis=0) for part in bins])
    return np.nan_to_num(means[..., :2]), np.array([part.mean() for part in np.split(indices, 64)])


def trajectories_by_hand(points: NDArray[np.float32], chosen_points: list[int]) -> NDArray[np.float64]:
    """Return the features of each frame that is kept, (S, 708), step by step."""
    points = points[..., :2].astype(np.float64)
    chosen = points[:, chosen_points]
    chosen = chosen[[t for t in range(len(chosen)) if not np.isnan(chosen[t]).all()]]
    center = np.nanmean(points[:, 17], axis=0)
    center = np.where(np.isnan(center), 0.5, center)
    chosen = (chosen - center) / np.sqrt(np.nanmean((chosen - center) ** 2, axis=(0, 1)))
    chosen = chosen[:384]
    moves = [np.zeros_like(chosen), np.zeros_like(chosen)]
    for step in (1, 2):
        for t in range(len(chosen) - step):
            moves[step - 1][t] = chosen[t + step] - chosen[t]
    return np.nan_to_num(np.concatenate([part.reshape(len(chosen), -1) for part in (chosen, *moves)], axis=1))


@pytest.mark.parametrize("frames", [1, 2, 30, 63, 64, 65, 90, 91, 150, 400, 4300])
@pytest.mark.parametrize("hidden", [LEFT_HAND, RIGHT_HAND])
def test_preparation_is_the_published_one(frames: int, hidden: slice) -> None:
    points = made(frames, seed=frames, gaps=0.2 if frames > 2 else 0)
    points[frames // 2 :, hidden] = torch.nan
    features = DominantSide(64, always=True)
    values, seen, times, full = features(features.select(points[None]))
    expected, indices = prepared_by_hand(points.numpy())
    assert values.shape == (1, 64, 66, 2)
    np.testing.assert_allclose(values[0].numpy(), expected, atol=1e-5)
    assert np.array_equal(seen[0].numpy(), (expected != 0).any(-1))
    assert np.array_equal(full[0].numpy(), indices >= 0)
    relative = indices / max(indices.max(), 1) * 64
    np.testing.assert_allclose(times[0].numpy() * 64, np.where(indices < 0, 0, relative), atol=1e-3)


@pytest.mark.parametrize("frames", [1, 30, 64, 150])
def test_without_padding_nothing_else_changes(frames: int) -> None:
    points = made(frames, gaps=0)
    short, full = DominantSide(64), DominantSide(64, always=True)
    chosen = short.select(points[None])
    for here, there in zip(short(chosen), full(chosen), strict=True):
        assert here.shape[1] == min(frames, 64)
        torch.testing.assert_close(here, there[:, : here.shape[1]])


def test_statistics_are_over_all_that_is_not_zero() -> None:
    clips = [made(40, seed=1), made(200, seed=2)]
    features, standardize = DominantSide(64), Standardize(66)
    standardize.measure(features(features.select(clip[None]))[:2] for clip in clips)
    stored = np.stack([prepared_by_hand(clip.numpy())[0] for clip in clips]).reshape(-1, 66, 2)
    stored[stored == 0] = np.nan
    np.testing.assert_allclose(standardize.mean.numpy(), np.nanmean(stored, 0), atol=1e-5)
    np.testing.assert_allclose(standardize.std.numpy(), np.nanstd(stored, 0), atol=1e-5)


@pytest.mark.parametrize("frames", [1, 2, 3, 40, 384, 700])
def test_trajectories_are_the_published_ones(frames: int) -> None:
    trajectories, points = Trajectories(FACE_AND_HANDS, ("face_17",)), made(frames, seed=frames)
    if frames > 2:
        points[frames // 3 : frames // 2] = torch.nan
    features, valid = trajectories(trajectories.select(points[None]))
    expected = trajectories_by_hand(points.numpy(), trajectories.select.index.tolist())
    assert features.shape == (1, min(frames, 384), 708)
    assert valid[0].sum() == len(expected)
    np.testing.assert_allclose(features[0, : len(expected)].numpy(), expected, atol=1e-4)
    assert (features[0, len(expected) :] == 0).all()


def test_shapes_of_hands_know_no_place_and_size() -> None:
    wrists = ("left_hand_wrist", "right_hand_wrist")
    points = torch.rand(30, 543, 3, generator=torch.Generator().manual_seed(0))
    moved = 0.3 * points + torch.linspace(0, 1, 30)[:, None, None]
    trajectories = Trajectories(("left_hand", "right_hand"), wrists, shapes=True)
    assert trajectories.width == 6 * 84
    here, there = (trajectories(trajectories.select(clip[None]))[0][0] for clip in (points, moved))
    torch.testing.assert_close(here[:, 84:168], there[:, 84:168], atol=1e-3, rtol=0)
    assert (here[:, :84] - there[:, :84]).abs().max() > 0.5
    hand = points[7, LEFT_HAND, :2] - points[7, LEFT_HAND, :2].mean(0)
    torch.testing.assert_close(here[7, 84:126].reshape(21, 2), hand / hand.norm(dim=1).square().mean().sqrt())


def test_clips_are_averaged_to_bins_whatever_the_rate() -> None:
    trajectories = Trajectories(("left_hand", "right_hand"), ("left_hand_wrist",), bins=20)
    points = torch.rand(60, 543, 3, generator=torch.Generator().manual_seed(0))
    features, valid = trajectories(trajectories.select(points[None]))
    assert features.shape == (1, 20, 252) and valid.all()
    faster = points.repeat_interleave(2, 0)
    torch.testing.assert_close(trajectories(trajectories.select(faster[None]))[0], features, atol=1e-4, rtol=0)
    short, full = trajectories(trajectories.select(points[None, :7]))
    assert short.shape == (1, 7, 252) and full.all()


def test_both_sides_are_turned_centered_scaled_and_pooled() -> None:
    points = torch.rand(1, 128, 543, 3, generator=torch.Generator().manual_seed(0))
    points[:, :4, LEFT_HAND] = torch.nan
    features = BothSides(64)
    values, seen, times, full = features(features.select(points))
    parts = dict(features.parts)
    assert values.shape == (1, 64, 94, 2) and full.all()
    assert seen[0, :, parts["left_hand"]].all() and not seen[0, :2, parts["right_hand"]].any()
    torch.testing.assert_close(times[0], (torch.arange(64) * 2 + 0.5) / 126.5)
    x = 1 - points[0, :, RIGHT_HAND, 0].double()
    shoulders = 1 - points[0, :, [500, 501], 0].double().mean()
    pairs = (x - shoulders).reshape(64, 2, 21).mean(1)
    found = values[0, :, parts["left_hand"], 0].double()
    torch.testing.assert_close(found / found[0, 0], pairs / pairs[0, 0], atol=1e-4, rtol=1e-4)
