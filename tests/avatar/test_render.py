"""Landmarks to pictures."""

from __future__ import annotations

import numpy as np
import pytest
from made_signer import STILL, held

from signary.avatar.flesh import flesh_of, hand_length, palm_frame
from signary.avatar.look import Look
from signary.avatar.motion import plan_spelling
from signary.avatar.render import Painter, render
from signary.errors import InputError
from signary.landmarks.mediapipe import HandsDetector
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.video.frame import Frame

PLAIN = Look(background="plain", light=(0.0, -0.5, -1.0))


def test_frames_come_one_by_one() -> None:
    clip = plan_spelling("A").sequence()
    frames = render(clip, size=(96, 64))
    first = next(frames)
    assert (first.image.shape, first.image.dtype) == ((64, 96, 3), np.uint8)
    assert len(list(frames)) == len(clip) - 1


def test_what_is_not_there_is_not_drawn() -> None:
    nothing = np.full((543, 3), np.nan, np.float32)
    painter = Painter((80, 80), PLAIN)
    assert (painter.exposed(nothing) == PLAIN.backdrop).all()
    hand = nothing.copy()
    hand[RIGHT_HAND] = held()[RIGHT_HAND]
    assert (painter.exposed(hand) != PLAIN.backdrop).any(-1).mean() > 0.01


def test_a_mirrored_clip_gives_the_mirror_image() -> None:
    clip = plan_spelling("L", STILL).sequence()[30:31]
    (one,), (other,) = (list(render(each, size=(200, 200), look=PLAIN)) for each in (clip, clip.mirrored()))
    apart = np.abs(one.image.astype(int) - other.image[:, ::-1].astype(int)).max(-1)
    assert (apart > 40).mean() < 0.02


def test_what_is_nearer_hides_what_is_behind() -> None:
    painter = Painter((200, 200), PLAIN)
    points = held("B")
    seen = painter.exposed(points)
    behind = points.copy()
    behind[LEFT_HAND] = points[RIGHT_HAND] + np.array([0, 0, 0.5], np.float32)
    covered = np.abs(painter.exposed(behind).astype(int) - seen.astype(int)).max(-1) > 60
    assert covered.mean() < 0.02


def test_skin_goes_from_light_to_dark() -> None:
    points = np.full((543, 3), np.nan, np.float32)
    points[RIGHT_HAND] = held("S")[RIGHT_HAND]
    mask = (Painter((120, 120), PLAIN).exposed(points) != PLAIN.backdrop).any(-1)
    looks = [Look(skin=skin, background="plain", light=PLAIN.light) for skin in (1, 4, 6, 8, 10)]
    means = [Painter((120, 120), look).exposed(points)[mask].mean() for look in looks]
    assert means == sorted(means, reverse=True)
    assert means[0] > means[-1] + 40


def test_the_palm_looks_where_it_should() -> None:
    points = Painter((200, 200), PLAIN).placed(held("B"))
    right, left = points[RIGHT_HAND], points[RIGHT_HAND] * np.array([-1, 1, 1], np.float32)
    assert palm_frame(right, right=True)[2, 2] > 0.5  # the back looks away from the camera
    assert palm_frame(left, right=False)[2, 2] > 0.5
    assert hand_length(right) == pytest.approx(0.48 * 0.52 * 200, rel=0.15)
    cones = flesh_of(right, right=True)
    assert (cones.start_radius > 0).all()
    assert cones.last.sum() == 5


def test_motion_blur_and_noise() -> None:
    clip = plan_spelling("Z", STILL).sequence()
    sharp, blurred, noisy = (
        [frame.image for frame in render(clip[36:40], size=(120, 120), look=look)]
        for look in (PLAIN, Look(background="plain", shutter=0.5), Look(background="plain", noise=5.0))
    )
    assert np.abs(sharp[-1].astype(int) - blurred[-1].astype(int)).max() > 20
    assert sharp[0][:20].std() < noisy[0][:20].std()


@pytest.mark.parametrize("letter", list("BGMPX5"))
def test_the_detector_finds_the_hand(letter: str) -> None:
    points = held(letter)
    painter = Painter((480, 480), Look())
    with HandsDetector() as detector:
        found = [detector.detect(Frame(painter.exposed(points), k, k / 30))[RIGHT_HAND] for k in range(4)]
    assert np.isfinite(found[-1]).all()
    truth = painter.placed(points)[RIGHT_HAND]
    off = np.linalg.norm(found[-1][:, :2] * 480 - truth[:, :2], axis=1).mean() / hand_length(truth)
    assert off < 0.15


@pytest.mark.parametrize("size", [(8, 100), (480, 5000)])
def test_wrong_sizes(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="size"):
        Painter(size, Look())


def test_wrong_looks() -> None:
    for wrong in ({"skin": 0}, {"background": "beach"}, {"zoom": 0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            Look(**wrong)
    drawn = Look.random(np.random.default_rng(3), skin=7)
    assert drawn.skin == 7
    assert drawn == Look.random(np.random.default_rng(3), skin=7)
