from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError
from signary.landmarks.files import read_landmarks
from signary.landmarks.repair import Sides, fill_gaps, keep_sides, repair
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import HAND_21, HOLISTIC_543, LEFT_HAND, RIGHT_HAND

FPS = 30
HAND = np.random.default_rng(5).uniform(-0.05, 0.05, (21, 3)).astype(np.float32)  # about 0.14 from corner to corner


def moving(frames: int = 30, gap: float = 0.5, speed: float = 0.2) -> LandmarkSequence:
    """Two hands side by side, ``gap`` picture widths apart, moving up at ``speed`` picture heights a second."""
    times = np.arange(frames) / FPS
    points = np.full((frames, 543, 3), np.nan, np.float32)
    for slot, x in ((LEFT_HAND, 0.5 + gap / 2), (RIGHT_HAND, 0.5 - gap / 2)):
        path = np.stack([np.full(frames, x), 0.8 - speed * times, np.zeros(frames)], axis=1)
        points[:, slot] = HAND + path[:, None]
    return LandmarkSequence(points, times)


def with_points(clip: LandmarkSequence, points: np.ndarray) -> LandmarkSequence:
    return LandmarkSequence(points, clip.times_s, clip.skeleton, clip.aspect)


def without(clip: LandmarkSequence, part: str, frames: slice | list[int]) -> LandmarkSequence:
    points = clip.points.copy()
    points[frames, clip.skeleton.parts[part]] = np.nan
    return with_points(clip, points)


def exchanged(clip: LandmarkSequence, frames: slice | list[int]) -> LandmarkSequence:
    points = clip.points.copy()
    points[frames, LEFT_HAND] = clip.points[frames, RIGHT_HAND]
    points[frames, RIGHT_HAND] = clip.points[frames, LEFT_HAND]
    return with_points(clip, points)


def same(a: LandmarkSequence, b: LandmarkSequence, **tolerance: float) -> None:
    np.testing.assert_allclose(a.points, b.points, **({"rtol": 0, "atol": 0} | tolerance))
    np.testing.assert_array_equal(a.times_s, b.times_s)
    assert a.skeleton is b.skeleton and a.aspect == b.aspect


@st.composite
def gappy(draw) -> LandmarkSequence:
    """Clips of random points in which parts come and go, at uneven times."""
    frames = draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    points = rng.random((frames, 543, 3), np.float32)
    for part in HOLISTIC_543.parts.values():
        points[rng.random(frames) < 0.5, part] = np.nan
    points[rng.random((frames, 543)) < draw(st.sampled_from([0, 0.3]))] = np.nan
    return LandmarkSequence(points, np.cumsum(rng.choice([0, 0.03, 0.08], frames)), aspect=draw(st.just(None)))


@pytest.mark.parametrize("part", ["left_hand", "right_hand"])
@pytest.mark.parametrize("lost", [[4], [4, 5, 6], [2, 3, 10, 11, 12, 20]])
def test_constant_velocity_is_restored(part, lost):
    clip = moving()
    same(fill_gaps(without(clip, part, lost)), clip, atol=1e-6)


def test_face_and_body_are_filled_too_and_so_is_a_single_hand():
    clip = with_points(moving(), np.linspace(0, 1, 30)[:, None, None] * np.ones((30, 543, 3)))
    holes = without(without(clip, "face", [3, 4]), "pose", [8])
    same(fill_gaps(holes), clip, atol=1e-6)
    hand = LandmarkSequence(clip.points[:, LEFT_HAND], clip.times_s, "HAND_21")
    same(fill_gaps(without(hand, "hand", [7, 8])), hand, atol=1e-6)


def test_uneven_times_count():
    points = np.full((3, 21, 3), np.nan)
    points[0], points[2] = 0, 1
    clip = LandmarkSequence(points, [0, 0.03, 0.12], "HAND_21")
    np.testing.assert_allclose(fill_gaps(clip).points[1], 0.25, atol=1e-6)


def test_the_limit_is_the_time_between_two_sightings():
    clip = moving()
    five, six = (without(clip, "left_hand", slice(10, 10 + lost)) for lost in (5, 6))
    assert np.isfinite(fill_gaps(five, max_gap_s=0.2).part("left_hand")).all()  # 6 steps of 1/30 s
    same(fill_gaps(six, max_gap_s=0.2), six)
    assert np.isfinite(fill_gaps(six, max_gap_s=0.25).part("left_hand")).all()
    same(fill_gaps(five, max_gap_s=0), five)


def test_ends_stay_open():
    clip = without(without(moving(), "left_hand", [0, 1]), "left_hand", [29])
    same(fill_gaps(clip), clip)
    empty = with_points(clip, np.full_like(clip.points, np.nan))
    same(fill_gaps(empty), empty)


def test_points_seen_only_once_stay_missing():
    clip = without(moving(), "left_hand", [5])
    points = clip.points.copy()
    points[6, LEFT_HAND.start] = np.nan
    filled = fill_gaps(with_points(clip, points))
    assert np.isnan(filled.points[5, LEFT_HAND.start]).all() and np.isnan(filled.points[6, LEFT_HAND.start]).all()
    assert np.isfinite(filled.points[5, LEFT_HAND.start + 1 : LEFT_HAND.stop]).all()


def test_the_given_clip_is_left_as_it_was():
    clip = exchanged(without(moving(), "left_hand", [5]), [10])
    before = clip.points.copy()
    repair(clip)
    np.testing.assert_array_equal(clip.points, before)


@given(gappy(), st.sampled_from([0, 0.05, 0.2, np.inf]))
def test_filling_twice_changes_nothing_more(clip, max_gap_s):
    once = fill_gaps(clip, max_gap_s=max_gap_s)
    same(fill_gaps(once, max_gap_s=max_gap_s), once)
    seen = np.isfinite(clip.points)
    np.testing.assert_array_equal(once.points[seen], clip.points[seen])


@given(gappy())
def test_mirroring_commutes(clip):
    same(fill_gaps(clip.mirrored()), fill_gaps(clip).mirrored(), atol=1e-6)
    same(keep_sides(clip.mirrored()), keep_sides(clip).mirrored(), atol=1e-6)
    same(repair(clip.mirrored()), repair(clip).mirrored(), atol=1e-6)


@given(gappy())
def test_keeping_sides_twice_changes_nothing_more(clip):
    once = keep_sides(clip)
    same(keep_sides(once), once)
    hands = [np.sort(c.points[:, [LEFT_HAND.start, RIGHT_HAND.start]], axis=1) for c in (clip, once)]
    np.testing.assert_array_equal(*hands)


@pytest.mark.parametrize("bad", [-0.1, float("nan")])
def test_refuses_a_negative_gap(bad):
    with pytest.raises(InputError, match="max_gap_s="):
        fill_gaps(moving(), max_gap_s=bad)


def test_without_gaps_and_flips_nothing_changes():
    clip = moving()
    same(repair(clip), clip)
    same(fill_gaps(clip), clip)
    same(keep_sides(clip), clip)


@pytest.mark.parametrize(
    "frames", [[7], slice(7, 12), [0, 1, 2], slice(25, 30), [3, 4, 9, 10, 11], slice(1, 30, 2)], ids=str
)
def test_hands_that_jump_to_each_others_place_are_put_back(frames):
    clip = moving()
    same(keep_sides(exchanged(clip, frames)), clip)


@pytest.mark.parametrize("part", ["left_hand", "right_hand"])
@pytest.mark.parametrize("frames", [[7], slice(7, 12), [0, 1, 2], slice(25, 30), [3, 4, 9]], ids=str)
def test_one_hand_that_changes_slot_is_put_back(part, frames):
    clip = without(moving(), part, slice(None))
    same(keep_sides(exchanged(clip, frames)), clip)


@pytest.mark.parametrize("part", ["left_hand", "right_hand"])
def test_a_hand_lost_while_the_sides_are_exchanged(part):
    clip = without(moving(), part, slice(8, 11))
    same(keep_sides(exchanged(clip, slice(6, 13))), clip)
    same(keep_sides(exchanged(clip, slice(8, 11))), clip)
    same(repair(exchanged(clip, slice(6, 13))), moving(), atol=1e-6)


def followed(clip: LandmarkSequence) -> LandmarkSequence:
    sides = Sides()
    rows = [sides.of(points, time_s) for points, time_s in zip(clip.points, clip.times_s.tolist(), strict=True)]
    return with_points(clip, np.stack(rows))


@pytest.mark.parametrize("frames", [[7], slice(7, 12), slice(25, 30), [3, 4, 9, 10, 11], slice(1, 30, 2)], ids=str)
@pytest.mark.parametrize("lost", [None, "left_hand", "right_hand"])
def test_sides_are_kept_frame_by_frame_as_over_the_whole(frames, lost):
    clip = without(moving(), lost, slice(None)) if lost else moving()
    same(followed(exchanged(clip, frames)), clip)


def test_frame_by_frame_what_the_whole_leaves_alone_is_left_alone():
    away = without(without(moving(), "left_hand", slice(15, 30)), "right_hand", slice(0, 15))
    near = without(without(moving(gap=0.05), "left_hand", slice(10, 14)), "right_hand", slice(14, 18))
    later = without(moving(90), "left_hand", slice(None))
    later = exchanged(without(later, "right_hand", slice(10, 60)), slice(60, 90))
    for clip in (moving(), away, near, later):
        same(followed(clip), clip)


def test_flips_across_a_short_pause():
    clip = without(without(moving(), "left_hand", slice(10, 13)), "right_hand", slice(10, 13))
    same(keep_sides(exchanged(clip, slice(13, 20))), clip)
    same(repair(exchanged(clip, slice(13, 20))), moving(), atol=1e-6)


def test_sides_after_a_long_pause_are_believed():
    hand = without(moving(90), "left_hand", slice(None))
    clip = exchanged(without(hand, "right_hand", slice(10, 60)), slice(60, 90))
    same(keep_sides(clip), clip)


def test_a_long_exchange_is_left_alone():
    clip = exchanged(moving(150, speed=0.05), slice(50, 100))
    same(keep_sides(clip), clip)


def test_a_hand_that_takes_over_elsewhere_is_left_alone():
    clip = without(without(moving(), "left_hand", slice(15, 30)), "right_hand", slice(0, 15))
    same(keep_sides(clip), clip)


def test_hands_that_touch_and_vanish_in_turn_are_left_alone():
    clip = moving(gap=0.05)
    clip = without(without(clip, "left_hand", slice(10, 14)), "right_hand", slice(14, 18))
    same(keep_sides(clip), clip)


def test_hands_that_cross_are_left_alone():
    times = np.arange(60) / FPS
    points = np.full((60, 543, 3), np.nan, np.float32)
    for slot, way in ((LEFT_HAND, -1), (RIGHT_HAND, 1)):
        path = np.stack([0.5 + way * 0.3 * np.sin(np.pi * (times - 1)), np.full(60, 0.5), np.zeros(60)], axis=1)
        points[:, slot] = HAND + path[:, None]
    clip = LandmarkSequence(points, times)
    same(keep_sides(clip), clip)


def test_the_shape_of_the_picture_counts():
    """On a wide picture a hand's step to the side is longer than its numbers say."""
    clip = exchanged(moving(gap=0.2), [7])
    wide = LandmarkSequence(clip.points, clip.times_s, aspect=2.0)
    np.testing.assert_array_equal(keep_sides(wide).points, moving(gap=0.2).points)


def test_one_hand_skeleton_and_no_frames():
    hand = LandmarkSequence(moving().points[:, LEFT_HAND], moving().times_s, HAND_21)
    assert keep_sides(hand) is hand
    none = moving()[:0]
    assert len(repair(none)) == 0


def test_real_clips_keep_their_sides_and_gain_frames(shared_data):
    files = sorted((shared_data / "gislr-two-signs/kaggle/train_landmark_files").glob("*/*.parquet"))
    clips = [read_landmarks(file) for file in files]
    before, after = (sum(clip.hand_rate * len(clip) for clip in some) for some in (clips, map(repair, clips)))
    assert after > before
    for clip in clips:
        same(keep_sides(clip), clip)


@pytest.mark.parametrize("seed", range(5))
def test_flips_made_in_a_real_clip_are_undone(shared_data, seed):
    (path,) = (shared_data / "gislr-two-signs/kaggle/train_landmark_files/22343").glob("*.parquet")
    clip = read_landmarks(path)
    start = int(np.random.default_rng(seed).integers(5, 50))
    same(keep_sides(exchanged(clip, slice(start, start + 6))), clip)
