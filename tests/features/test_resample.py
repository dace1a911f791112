"""Frames dropped, repeated and pooled, against loops that can be read."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from signary.features.resample import KeepFrames, PoolFrames, pool_points, pool_times, take_frames  # noqa: E402


def pooled_by_repetition(frames: NDArray[np.float64], repeats: int, bins: int = 64) -> NDArray[np.float64]:
    """Repeat, pad with the edges, cut into bins and average: (N, D) to (bins, D)."""
    frames = np.repeat(frames, repeats, axis=0)
    missing = -len(frames) % bins
    left, right = missing // 2 + bins // 2, missing - missing // 2 + bins // 2
    frames = np.concatenate([np.repeat(frames[:1], left, 0), frames, np.repeat(frames[-1:], right, 0)])
    return np.stack([np.nanmean(part, axis=0) for part in np.split(frames, bins)])


@pytest.mark.parametrize("count", [64, 65, 100, 127, 640, 4095, 4096, 4097, 5000])
def test_repeated_frames_are_pooled_as_by_hand(count: int) -> None:
    kept = torch.ones(1, count, dtype=torch.bool)
    weights = PoolFrames(repeated=True)(kept, kept)
    frames = np.random.default_rng(0).random((count, 3))
    expected = pooled_by_repetition(frames, max(64 * 64 // count, 1))
    shares = weights[0] / weights[0].sum(1, keepdim=True)
    np.testing.assert_allclose(shares.double().numpy() @ frames, expected, atol=1e-5)
    assert torch.equal(weights, weights.round())


def test_repeating_by_the_raw_number_of_frames() -> None:
    kept = torch.arange(200)[None] % 2 == 0
    weights = PoolFrames(repeated=True, by_raw=True)(kept, torch.ones_like(kept))
    frames = np.random.default_rng(0).random((100, 3))
    shares = (weights[0] / weights[0].sum(1, keepdim=True))[:, kept[0]]
    np.testing.assert_allclose(shares.double().numpy() @ frames, pooled_by_repetition(frames, 20), atol=1e-5)
    assert (weights[0][:, ~kept[0]] == 0).all()


@pytest.mark.parametrize("repeated", [True, False])
def test_few_frames_stay_as_they_are(repeated: bool) -> None:
    kept = torch.tensor([[False, True, True, False, True]])
    pool = PoolFrames(4, repeated=repeated)
    expected = [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    assert pool(kept, kept)[0].tolist() == expected


def test_shares_are_by_time() -> None:
    kept = torch.tensor([[True, True, False, True]])
    expected = torch.tensor([[[1.0, 0.5, 0, 0], [0, 0.5, 0, 1.0]]])
    torch.testing.assert_close(PoolFrames(2)(kept, kept), expected)


def test_short_clips_need_few_bins_unless_told() -> None:
    kept = torch.ones(1, 5, dtype=torch.bool)
    assert PoolFrames(8)(kept, kept).shape == (1, 5, 5)
    always = PoolFrames(8, always=True)(kept, kept)
    assert always.shape == (1, 8, 5) and always[0, 5:].sum() == 0


def test_points_are_averaged_where_seen() -> None:
    weights = torch.tensor([[[2.0, 1, 0], [0, 1, 1], [0, 0, 0]]])
    seen = torch.tensor([[[True, False], [True, False], [False, True]]])
    values = torch.arange(6.0).reshape(1, 3, 2, 1) * seen[..., None]
    pooled, known = pool_points(weights, values, seen)
    torch.testing.assert_close(pooled[0, ..., 0], torch.tensor([[2 / 3, 0], [2, 5], [0, 0]]))
    assert known[0].tolist() == [[True, False], [True, True], [False, False]]


def test_times_run_from_the_first_kept_frame_to_the_last() -> None:
    kept = torch.tensor([[False, True, True, False, False, True], [False] * 6, [False, True] + [False] * 4])
    times, full = pool_times(PoolFrames(4)(kept, kept), kept)
    torch.testing.assert_close(times, torch.tensor([[0, 0.25, 1, 0], [0.0] * 4, [0.0] * 4]))
    assert full.tolist() == [[True, True, True, False], [False] * 4, [True, False, False, False]]


def test_kept_frames_move_to_the_front() -> None:
    kept = torch.tensor([[False, True, True, False, True], [True, False, False, False, False]])
    order, valid = KeepFrames(3)(kept)
    assert order[0].tolist() == [1, 2, 4] and order[1, 0] == 0
    assert valid.tolist() == [[True] * 3, [True, False, False]]
    values = torch.arange(10).reshape(2, 5)
    assert take_frames(values, order)[0].tolist() == [1, 2, 4]
    assert KeepFrames(9)(kept)[0].shape == (2, 5)
