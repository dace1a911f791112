"""Text to movement."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.avatar.keys import smooth_step
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.errors import InputError
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, POSE, POSE_NAMES, RIGHT_HAND

texts = st.text("ABJLXZ 07", min_size=1, max_size=8).filter(str.strip)


@given(texts, st.floats(0.5, 9))
def test_letters_come_in_order(text: str, speed: float) -> None:
    plan = plan_spelling(text, SpellOptions(speed=speed))
    (letters,) = plan.letters
    assert "".join(letter.text for letter in letters) == "".join(text.split())
    assert all(letter.start_s < letter.end_s for letter in letters)
    assert all(one.end_s < other.start_s for one, other in pairwise(letters))
    assert letters[-1].end_s < plan.duration_s
    assert (np.diff(plan.times_s) > 0).all()


def test_speed_is_letters_a_second() -> None:
    (letters,) = plan_spelling("ABCDEFGHIKLM", SpellOptions(speed=4)).letters
    starts = [letter.start_s for letter in letters]
    np.testing.assert_allclose(np.diff(starts), 0.25, atol=1e-6)


def test_a_batch_is_its_texts_alone() -> None:
    options = SpellOptions(variation=0, drift=0)
    both = plan_spelling(["HI", "JAZZ"], options)
    times = np.arange(0, 2, 0.04)
    for row, text in enumerate(("HI", "JAZZ")):
        alone = plan_spelling(text, options).points(times)[0]
        np.testing.assert_allclose(both.points(times)[row], alone, atol=1e-5)


def test_chunks_are_the_whole() -> None:
    plan = plan_spelling("HELLO WORLD", SpellOptions(speed=1))
    clip = plan.sequence(fps=60)
    assert len(clip) == plan.frame_count(60) > 256
    np.testing.assert_allclose(clip.points[:, RIGHT_HAND], plan.points(clip.times_s)[0][:, RIGHT_HAND], atol=1e-6)


def test_the_left_hand_is_the_mirror_image() -> None:
    right, left = (plan_spelling("KG", SpellOptions(hand=hand)).sequence() for hand in ("right", "left"))
    np.testing.assert_allclose(left.mirrored().points, right.points, atol=1e-6)
    assert np.isnan(right.points[:, LEFT_HAND]).all()
    assert np.isnan(left.points[:, RIGHT_HAND]).all()


def test_held_letters_are_still_and_doubles_slide() -> None:
    plan = plan_spelling("LL", SpellOptions(drift=0, variation=0))
    one, two = plan.letters[0]
    wrist = plan.points(np.array([one.start_s, one.end_s, two.start_s, two.end_s]))[0][:, RIGHT_HAND.start, :2]
    np.testing.assert_allclose(wrist[0], wrist[1], atol=1e-5)
    np.testing.assert_allclose(wrist[2], wrist[3], atol=1e-5)
    assert np.linalg.norm(wrist[2] - wrist[1]) > 0.05


def test_z_goes_to_and_fro_and_j_turns() -> None:
    plan = plan_spelling("ZJ", SpellOptions(drift=0, variation=0))
    z, j = plan.letters[0]
    x = plan.points(np.linspace(z.start_s, z.end_s, 60))[0][:, RIGHT_HAND.start, 0]
    turns = np.flatnonzero(np.diff(np.sign(np.diff(x)[np.abs(np.diff(x)) > 1e-5])))
    assert len(turns) == 2
    shape = plan.points(np.array([j.start_s, j.end_s]))[0][:, RIGHT_HAND, :2]
    turned = [hand[20] - hand[0] for hand in shape]
    cosine = turned[0] @ turned[1] / np.linalg.norm(turned[0]) / np.linalg.norm(turned[1])
    assert cosine < 0.9


def test_the_hand_comes_from_below_and_goes_back() -> None:
    clip = plan_spelling("A").sequence()
    assert clip.points[0, RIGHT_HAND, 1].min() > 1
    assert clip.points[-1, RIGHT_HAND, 1].min() > 1


def test_a_body_goes_with_it() -> None:
    clip = plan_spelling("B").sequence()
    assert clip.points.shape[1] == len(HOLISTIC_543)
    pose = clip.points[30, POSE]
    names = {name: pose[POSE_NAMES.index(name)] for name in ("nose", "left_shoulder", "right_shoulder", "right_wrist")}
    assert names["nose"][1] < names["left_shoulder"][1]
    assert names["right_shoulder"][0] < names["left_shoulder"][0]
    np.testing.assert_allclose(names["right_wrist"][:2], clip.points[30, RIGHT_HAND.start, :2], atol=1e-5)


def test_fast_spelling_undershoots() -> None:
    def reached(speed: float) -> float:
        plan = plan_spelling("AYA", SpellOptions(speed=speed, variation=0, drift=0))
        letter = plan.letters[0][1]
        hand = plan.points(np.array([(letter.start_s + letter.end_s) / 2]))[0, 0, RIGHT_HAND, :2]
        return float(np.linalg.norm(hand[20] - hand[4]))

    assert reached(8) < reached(2)


def test_minimum_jerk() -> None:
    share = np.linspace(0, 1, 101)
    step = smooth_step(share)
    assert (step[0], step[-1]) == (0, 1)
    assert step[50] == pytest.approx(0.5)
    assert np.gradient(step)[0] < 0.001 < np.gradient(step)[50]


@pytest.mark.parametrize("wrong", [{"speed": 0}, {"speed": -2}, {"hand": "both"}, {"zoom": 0}, {"aspect": -1}])
def test_wrong_options(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        SpellOptions(**wrong)
