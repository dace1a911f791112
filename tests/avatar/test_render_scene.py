"""The body behind the hands, and camera effects."""

from __future__ import annotations

import numpy as np
import pytest
from made_signer import held

from signary.avatar.look import Look
from signary.avatar.outline import capsule, ellipse
from signary.avatar.render import Painter, render
from signary.avatar.scene import cuff_of, draw_body, point_of
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import FACE, LEFT_HAND, POSE, POSE_NAMES, RIGHT_HAND

PLAIN = Look(background="plain", backdrop=(0, 255, 0), light=(0.0, -0.5, -1.0))
SIZE = (240, 240)


def body_of(points: np.ndarray, look: Look = PLAIN) -> np.ndarray:
    """Return the body alone on green, float32 (H, W, 3)."""
    painter = Painter(SIZE, look)
    return draw_body(look.backdrop_image(SIZE), painter.placed(points), look)


def is_green(image: np.ndarray) -> np.ndarray:
    """Return where the backdrop is seen, bool (H, W)."""
    return np.asarray((np.abs(image - PLAIN.backdrop) < 2).all(-1))


def test_head_and_shirt_are_joined_by_a_neck() -> None:
    points = held()
    placed = Painter(SIZE, PLAIN).placed(points)
    chin, collar = placed[FACE][152], (point_of(placed, "left_shoulder") + point_of(placed, "right_shoulder")) / 2
    column = round(float(chin[0]))
    between = is_green(body_of(points))[round(float(chin[1])) : round(float(collar[1])), column - 2 : column + 3]
    assert between.size > 0
    assert not between.any()


@pytest.mark.parametrize(
    ("gone", "row"), [(FACE, "head"), (slice(POSE.start + 11, POSE.start + 13), "shirt")], ids=["face", "shoulders"]
)
def test_parts_without_points_are_left_out(gone: slice, row: str) -> None:
    points = held()
    placed = Painter(SIZE, PLAIN).placed(points)
    x, y = placed[FACE][4][:2] if row == "head" else point_of(placed, "left_shoulder")[:2] + np.array([-20, 60])
    assert not is_green(body_of(points))[round(float(y)), round(float(x))]
    points[gone] = np.nan
    left = is_green(body_of(points))
    assert left[round(float(y)), round(float(x))]
    assert not left.all()


def test_an_arm_without_its_elbow_is_not_drawn() -> None:
    points = held()
    points[POSE.start + POSE_NAMES.index("right_elbow")] = np.nan
    assert np.isnan(cuff_of(points, "right")).all()
    assert is_green(body_of(points)).sum() > is_green(body_of(held())).sum()


def test_points_far_outside_do_not_hurt() -> None:
    points = held()
    points[POSE, 1] += 1e5
    assert body_of(points).shape == (240, 240, 3)
    points[FACE] = 0.5  # a face without any size
    assert np.isfinite(body_of(points)).all()


def test_the_side_toward_the_light_is_brighter() -> None:
    left, right = (body_of(held(), Look(background="plain", light=(x, 0.0, -1.0))) for x in (-1.0, 1.0))
    placed = Painter(SIZE, PLAIN).placed(held())
    x, y = placed[FACE][205][:2].round().astype(int)  # the cheek on the left of the picture
    assert left[y, x].mean() > right[y, x].mean() + 3


def test_the_forearm_ends_in_the_sleeve() -> None:
    points = held()
    placed = Painter(SIZE, PLAIN).placed(points)
    wrist, elbow, cuff = placed[RIGHT_HAND][0], point_of(placed, "right_elbow"), cuff_of(placed, "right")
    picture = Painter(SIZE, PLAIN).exposed(points).astype(int)
    red_less_blue = picture[..., 0] - picture[..., 2]  # skin is red, the shirt is blue
    for place, skin in ((0.5 * wrist + 0.5 * cuff, True), (0.75 * cuff + 0.25 * elbow, False)):
        x, y = place[:2].round().astype(int)
        assert (red_less_blue[y, x] > 0) == skin


def test_outlines() -> None:
    round_ = ellipse(np.array([5.0, 7.0]), 2.0, 3.0, np.array([0.0, -1.0]))
    assert np.ptp(round_, axis=0) == pytest.approx([4, 6])
    assert round_.mean(0) == pytest.approx([5, 7])
    limb = capsule(np.array([0.0, 0.0]), np.array([10.0, 0.0]), 2.0, 1.0)
    assert (limb[:, 0].min(), limb[:, 0].max()) == pytest.approx((-2, 11), abs=0.05)


def test_noise_is_as_strong_as_asked_and_moves() -> None:
    nothing = np.full((1, 543, 3), np.nan, np.float32)
    clip = LandmarkSequence(np.repeat(nothing, 2, 0), [0.0, 0.1])
    look = Look(background="plain", backdrop=(128, 128, 128), noise=6.0)
    first, second = (frame.image.astype(float) for frame in render(clip, size=SIZE, look=look))
    assert first.std() == pytest.approx(6, rel=0.05)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.1
    again = next(render(clip, size=SIZE, look=look)).image
    assert (again == first).all()


def test_a_hand_that_comes_while_the_shutter_is_open_is_drawn() -> None:
    points = held()
    before = points.copy()
    before[RIGHT_HAND] = np.nan
    blurred = Painter(SIZE, Look(background="plain", shutter=0.5))
    sharp = Painter(SIZE, Look(background="plain"))
    apart = np.abs(blurred.exposed(points, before).astype(int) - sharp.exposed(points).astype(int))
    assert apart.max() <= 2
    assert np.isnan(points[LEFT_HAND]).all()
