"""What the networks of fingerspelling read: the 130 points, normalization and length, against slow references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from signary.errors import ConfigError, ShapeError  # noqa: E402
from signary.features.spelling import SpellingPoints, normalize_part  # noqa: E402
from signary.landmarks.skeleton import POSE  # noqa: E402

HANDS = ("left_hand", "right_hand")
# fmt: off
FLIPPED = [
    0, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 19, 18, 17, 16, 15, 14, 13, 12, 11, 39, 29, 28, 27, 26, 25, 24, 23, 22, 21, 38,
    37, 36, 35, 34, 33, 32, 31, 30, 20, *range(61, 82), *range(40, 61), 82, 83, 85, 84, *range(102, 118),
    *range(86, 102), *range(124, 130), *range(118, 124),
]
# fmt: on


def made(frames: int, seed: int = 0, points: int = 130) -> torch.Tensor:
    """Return a clip (1, T, P, 3) with points and whole hands missing here and there."""
    random = torch.Generator().manual_seed(seed)
    clip = torch.rand(frames, points, 3, generator=random)
    clip[torch.rand(frames, points, generator=random) < 0.1] = torch.nan
    clip[torch.rand(frames, generator=random) < 0.3, :21] = torch.nan
    return clip[None]


def test_the_points_and_their_mirror_are_the_published_ones() -> None:
    select = SpellingPoints().select
    mirror = select.mirror
    assert list(mirror) == FLIPPED
    assert [mirror[place] for place in mirror] == list(range(130))
    index = select.index.tolist()
    assert index[:4] == [0, 61, 185, 40] and index[40:82] == [*range(468, 489), *range(522, 543)]
    assert index[82:87] == [1, 2, 98, 327, 33] and index[102] == 263
    assert [point - POSE.start for point in index[118:]] == [12, 14, 16, 18, 20, 22, 11, 13, 15, 17, 19, 21]


def test_groups_are_the_published_ones_and_empty_ones_are_left_out() -> None:
    groups = SpellingPoints().groups
    assert groups == {
        "left_hand": [*range(40, 61)],
        "right_hand": [*range(61, 82)],
        "face": [*range(40), *range(82, 118)],
        "pose": [*range(118, 130)],
    }
    assert set(SpellingPoints(HANDS).groups) == set(HANDS)


def test_a_clip_is_normalized_over_all_its_points() -> None:
    clip = made(40)
    found = SpellingPoints().normalize(clip)[0].numpy()
    points = clip[0].double().numpy()
    expected = np.nan_to_num((points - np.nanmean(points, (0, 1))) / np.nanstd(points, (0, 1)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    flat = SpellingPoints(coordinates=2).normalize(clip[..., :2])[0].numpy()
    np.testing.assert_array_equal(flat, found[..., :2])


def test_running_normalization_knows_nothing_of_later_frames() -> None:
    features, clip = SpellingPoints(running=True, max_frames=None), made(60)
    whole = features.normalize(clip)
    for frames in (1, 7, 30, 60):
        torch.testing.assert_close(whole[:, :frames], features.normalize(clip[:, :frames]), atol=1e-5, rtol=0)
        last = SpellingPoints().normalize(clip[:, :frames])[:, -1]
        torch.testing.assert_close(whole[:, frames - 1], last, atol=1e-4, rtol=0)


@pytest.mark.parametrize("running", [False, True])
def test_whatever_is_missing_numbers_stay_finite(running: bool) -> None:
    features = SpellingPoints(running=running)
    no_depth, one = made(5), torch.full((1, 4, 130, 3), torch.nan)
    no_depth[..., 2] = torch.nan
    one[0, 2, 7] = 0.3
    empty = torch.full((1, 3, 130, 3), torch.nan)
    for clip in (made(1), empty, one, no_depth, torch.full((1, 9, 130, 3), 0.3), made(5000)):
        values, valid = features(clip)
        assert torch.isfinite(values).all() and valid.all() and values.shape[1] == min(384, clip.shape[1])
        for unseen in (False, True):
            assert torch.isfinite(normalize_part(values, unseen=unseen)).all()
    assert (features(empty)[0] == 0).all()
    assert features(torch.full((1, 9, 130, 3), 0.3))[0].abs().max() < 1e-6
    assert (features.normalize(no_depth)[..., 2] == 0).all() and (features.normalize(no_depth)[..., 0] != 0).any()


@given(st.lists(st.integers(1, 900), min_size=1, max_size=4), st.integers(0, 9))
def test_a_clip_alone_is_prepared_as_in_a_padded_batch(lengths: list[int], seed: int) -> None:
    features = SpellingPoints(HANDS)
    clips = [made(frames, seed + frames, 42)[0] for frames in lengths]
    batch = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True, padding_value=9.0)
    values, valid = features(batch, torch.tensor(lengths))
    for clip, row, kept in zip(clips, values, valid, strict=True):
        alone = features(clip[None])[0][0]
        assert kept.sum() == len(alone) and kept[: len(alone)].all()
        torch.testing.assert_close(row[: len(alone)], alone, atol=1e-5, rtol=1e-5)
        assert (row[len(alone) :] == 0).all()


def test_long_clips_are_resized_linearly_and_short_ones_kept() -> None:
    features, values = SpellingPoints(HANDS), torch.randn(1, 1000, 42, 3)
    expected = torch.nn.functional.interpolate(values.flatten(2).transpose(1, 2), 384, mode="linear")
    torch.testing.assert_close(features.fit(values)[0].flatten(2), expected.transpose(1, 2), atol=1e-4, rtol=0)
    for frames in (1, 200, 384):
        assert torch.equal(features.fit(values[:, :frames])[0], values[:, :frames])
    assert features.fit(values, torch.tensor([0]))[1].sum() == 1


def test_resizing_takes_a_point_from_where_it_was_seen() -> None:
    features, values = SpellingPoints(HANDS, max_frames=2), torch.ones(1, 4, 42, 3)
    values[0, 1, 5], values[0, :2, 6] = 0.0, 0.0
    fitted, _ = features.fit(values)
    assert (fitted[0, :, 5] == 1).all() and (fitted[0, 0, 6] == 0).all() and (fitted[0, 1, 6] == 1).all()


def test_parts_are_normalized_by_the_points_that_were_seen() -> None:
    values = torch.randn(1, 6, 21, 3) + 5
    values[0, 2, 4:], values[0, 3] = 0.0, 0.0
    found = normalize_part(values)
    for frame, count in ((0, 21), (2, 4)):
        seen = values[0, frame, :count].double()
        expected = (seen - seen.mean(0)) / seen.std(0, correction=0)
        torch.testing.assert_close(found[0, frame, :count].double(), expected, atol=1e-4, rtol=0)
    assert (found[0, 2, 4:] == 0).all() and (found[0, 3] == 0).all()
    quirk = normalize_part(values, unseen=True)
    all_points = values[0, 2].double()
    expected = (all_points - all_points.mean(0)) / all_points.std(0, correction=0)
    torch.testing.assert_close(quirk[0, 2, :4].double(), expected[:4], atol=1e-4, rtol=0)
    assert (quirk[0, 2, 4:] == 0).all()
    torch.testing.assert_close(quirk[0, 0], found[0, 0])


def test_strange_points_are_refused() -> None:
    with pytest.raises(ConfigError, match="coordinates=1"):
        SpellingPoints(coordinates=1)
    with pytest.raises(ConfigError, match="no such part"):
        SpellingPoints(("elbow",))
    with pytest.raises(ShapeError, match="130"):
        SpellingPoints().normalize(made(3, points=42))
    with pytest.raises(ShapeError, match="3"):
        SpellingPoints().normalize(made(3)[..., :2])
