from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import ShapeError, SkeletonMismatch
from signary.landmarks.files import read_landmarks
from signary.landmarks.sequence import LandmarkSequence, join_sequences
from signary.landmarks.skeleton import HAND_21, HOLISTIC_543, LEFT_HAND, RIGHT_HAND


def made(frames: int = 4, skeleton: str = "HOLISTIC_543", seed: int = 0, aspect: float | None = 1.5):
    """A clip of random points, some of them NaN, at 25 frames a second."""
    rng = np.random.default_rng(seed)
    size = 21 if skeleton == "HAND_21" else 543
    points = rng.random((frames, size, 3), np.float32)
    points[rng.random((frames, size)) < 0.1] = np.nan
    return LandmarkSequence(points, np.arange(frames) / 25, skeleton, aspect)


def test_takes_lists_and_casts_them():
    clip = LandmarkSequence([[[0.5] * 3] * 21], [1], "HAND_21")
    assert clip.points.dtype == np.float32 and clip.times_s.dtype == np.float64
    assert clip.skeleton is HAND_21 and clip.aspect is None
    assert len(clip) == 1 and clip.duration_s == 0 and clip.fps == 0


@pytest.mark.parametrize(
    ("points", "times_s", "aspect", "message"),
    [
        (np.zeros((2, 42, 3)), [0, 1], None, r"points.shape=\(2, 42, 3\), must be \(T, 21, 3\)"),
        (np.zeros((21, 3)), [0], None, r"points.shape=\(21, 3\)"),
        (np.zeros((2, 21, 3)), [0], None, r"times_s.shape=\(1,\), must be \(2,\)"),
        (np.zeros((2, 21, 3)), [1, 0], None, "times_s falls"),
        (np.zeros((2, 21, 3)), [0, np.nan], None, "not finite"),
        (np.zeros((2, 21, 3)), [0, 1], 0.0, "aspect=0.0"),
        (np.zeros((2, 21, 3)), [0, 1], float("nan"), "aspect=nan"),
    ],
)
def test_refuses_what_does_not_fit(points, times_s, aspect, message):
    with pytest.raises(ShapeError, match=message):
        LandmarkSequence(points, times_s, "HAND_21", aspect)


def test_refuses_an_unknown_skeleton():
    with pytest.raises(SkeletonMismatch, match="COCO_17"):
        LandmarkSequence(np.zeros((1, 17, 3)), [0], "COCO_17")


def test_times():
    clip = LandmarkSequence(np.zeros((4, 21, 3)), [1.0, 1.04, 1.08, 1.5], "HAND_21")
    assert clip.duration_s == 0.5
    assert clip.fps == pytest.approx(25)


def test_hand_rate_counts_frames_with_points_of_a_hand():
    points = np.full((4, 543, 3), np.nan)
    points[0, LEFT_HAND] = points[1, RIGHT_HAND] = points[2] = 0.5
    points[3, LEFT_HAND.start, :2] = 0.5
    points[1, LEFT_HAND.start, 0] = 0.5  # no place
    assert LandmarkSequence(points, range(4)).hand_rate == 1
    assert LandmarkSequence(points[:, LEFT_HAND], range(4), "HAND_21").hand_rate == 0.75
    assert LandmarkSequence(points[:0], []).hand_rate == 0


@given(st.integers(0, 5), st.sampled_from(["HAND_21", "HOLISTIC_543"]), st.integers(0, 100))
def test_mirror_twice_is_the_identity(frames, skeleton, seed):
    clip = made(frames, skeleton, seed)
    twice = clip.mirrored().mirrored()
    np.testing.assert_allclose(twice.points, clip.points, atol=1e-6)
    assert twice.skeleton is clip.skeleton and twice.aspect == clip.aspect


def test_mirror_exchanges_hands():
    clip = made()
    turned = clip.mirrored()
    np.testing.assert_array_equal(turned.part("left_hand")[..., 1:], clip.part("right_hand")[..., 1:])
    np.testing.assert_array_equal(turned.part("left_hand")[..., 0], 1 - clip.part("right_hand")[..., 0])


def test_part():
    clip = made()
    np.testing.assert_array_equal(clip.part("pose"), clip.points[:, 489:522])
    with pytest.raises(SkeletonMismatch, match="known: face, left_hand, pose, right_hand"):
        clip.part("hand")


@pytest.mark.parametrize(("side", "slot"), [("left", LEFT_HAND), ("right", RIGHT_HAND)])
def test_one_hand_goes_into_the_slot_of_its_side(side, slot):
    hand = made(skeleton="HAND_21")
    whole = hand.as_holistic(side)
    np.testing.assert_array_equal(whole.points[:, slot], hand.points)
    assert np.isnan(np.delete(whole.points, np.r_[slot], axis=1)).all()
    assert whole.skeleton is HOLISTIC_543 and whole.aspect == hand.aspect
    assert whole.as_holistic() is whole


def test_as_holistic_refuses_another_side():
    with pytest.raises(ShapeError, match="side='both'"):
        made(skeleton="HAND_21").as_holistic("both")


@given(st.integers(0, 8), st.integers(0, 8))
def test_cut_and_joined_is_the_whole(start, stop):
    clip = made(8, "HAND_21")
    parts = [clip[: min(start, stop)], clip[min(start, stop) : max(start, stop)], clip[max(start, stop) :]]
    whole = join_sequences(parts)
    np.testing.assert_array_equal(whole.points, clip.points)
    np.testing.assert_array_equal(whole.times_s, clip.times_s)
    assert whole.aspect == clip.aspect


def test_join_refuses_other_skeletons_and_nothing():
    with pytest.raises(SkeletonMismatch, match="HOLISTIC_543 cannot be joined to HAND_21"):
        join_sequences([made(skeleton="HAND_21"), made()])
    with pytest.raises(ShapeError, match="no sequences"):
        join_sequences([])


def test_survives_copy_and_pickle():
    clip = made()
    for twin in (copy.deepcopy(clip), pickle.loads(pickle.dumps(clip))):
        np.testing.assert_array_equal(twin.points, clip.points)
        np.testing.assert_array_equal(twin.times_s, clip.times_s)
        assert twin.skeleton is HOLISTIC_543 and twin.aspect == 1.5


def test_comparing_is_safe():
    assert made() != made()
    clip = made()
    assert clip == clip and len({clip, clip}) == 1


def test_real_clip(shared_data):
    (path,) = (shared_data / "gislr-two-signs/kaggle/train_landmark_files/4718").glob("*.parquet")
    clip = read_landmarks(path)
    assert len(clip) == 18 and clip.duration_s == pytest.approx(17 / 30) and clip.fps == pytest.approx(30)
    assert clip.hand_rate == pytest.approx(11 / 18)
    assert clip.mirrored().hand_rate == clip.hand_rate
