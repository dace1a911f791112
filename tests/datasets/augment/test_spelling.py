"""Augmentation of spelling clips: how often it applies, how far it goes, and what it keeps."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from pydantic import ValidationError  # noqa: E402

from signary.datasets.augment.spelling import FINGERS, SIDES, SpellingAugment, take  # noqa: E402
from signary.datasets.augment.strengths import SMALL_AUGMENT  # noqa: E402
from signary.datasets.augment.strengths import SpellingStrengths as Strengths  # noqa: E402
from signary.features.spelling import SpellingPoints, point_seen  # noqa: E402

FEATURES = SpellingPoints()
POINTS = FEATURES.select
FACE, POSE, LEFT, RIGHT = (FEATURES.groups[part] for part in ("face", "pose", "left_hand", "right_hand"))
FINGER_POINTS = [
    [place for place, name in enumerate(POINTS.names) if name.startswith(f"{side}_{finger}_")]
    for side in SIDES
    for finger in FINGERS
]
NAMED = SpellingPoints(("left_hand", "right_hand", "left_arm", "right_arm"))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def clips_of(count: int, frames: int, points: int = len(POINTS)) -> torch.Tensor:
    """Return clips of which every point is seen."""
    return torch.randn(count, frames, points, 3)


def only(**strengths: object) -> SpellingAugment:
    return SpellingAugment(Strengths.only(**strengths), POINTS)


def times(count: int, frames: int, **strengths: object) -> tuple[torch.Tensor, torch.Tensor]:
    return only(**strengths).times(torch.full((count,), frames))


def near(found: torch.Tensor, share: float, error: float = 0.02) -> bool:
    return abs(float(found.float().mean()) - share) < error


def test_nothing_asked_changes_nothing() -> None:
    clips = clips_of(3, 9)
    clips[1, 2:5, LEFT] = 0
    clips[2, 6:] = 0
    after, lengths = only()(clips, torch.tensor([9, 9, 6]))
    assert torch.equal(after, clips)
    assert lengths.tolist() == [9, 9, 6]


def test_strengths_are_the_published_ones() -> None:
    one_of = 0.5 / 0.55 * 0.5  # body or face is chosen before hands, and then kept in half of the cases
    final = Strengths()
    assert final.pose_lost == pytest.approx(one_of * 0.7 / 1.2, abs=1e-3)
    assert final.face_lost == pytest.approx(one_of * 0.5 / 1.2, abs=1e-3)
    assert final.hands_lost == pytest.approx(0.05 / 0.55, abs=1e-3)
    assert final.fingers_lost == 0.75**2
    assert (SMALL_AUGMENT.shortest, SMALL_AUGMENT.longest, SMALL_AUGMENT.holes) == (0.5, 1.5, [1])


def test_impossible_strengths_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"shortest=3.*must be at most longest=2"):
        Strengths(shortest=3)
    with pytest.raises(ValidationError, match=r"pose_lost \+ face_lost \+ hands_lost = 1.18"):
        Strengths(pose_lost=0.9)
    with pytest.raises(ValidationError, match="flipped"):
        Strengths.only(flipped=1)


def test_four_in_five_are_stretched() -> None:
    source, lengths = times(5000, 100, stretch=0.8)
    assert near(lengths != 100, 0.8)
    assert int(lengths.min()) == 30 and int(lengths.max()) == 199
    assert near(lengths[lengths < 100] < 65, 0.5, 0.03)  # all factors are equally likely
    assert source.shape[1] == 199
    assert (source[:, 0] <= 1).all()
    assert (source[torch.arange(5000), lengths - 1] >= 98).all()
    halved = times(500, 100, stretch=1, shortest=0.5, longest=0.5)[0]
    assert halved[0].tolist() == list(range(1, 100, 2))


def test_one_in_four_is_warped_and_keeps_about_its_length() -> None:
    source, lengths = times(5000, 200, warp=0.25)
    moved = (source[:, :200] != torch.arange(200)[: source.shape[1]]).any(1)
    assert near(moved, 0.25)
    assert int(lengths.min()) >= 188 and int(lengths.max()) <= 212
    assert abs(float(lengths.float().mean()) - 200) < 0.2
    steps = source[:, 1:] - source[:, :-1]
    inside = torch.arange(1, source.shape[1]) < lengths[:, None]
    assert set(steps[inside].tolist()) == {0, 1, 2}
    assert (source[torch.arange(5000), lengths - 1] >= 198).all()


def test_half_begin_later_or_earlier() -> None:
    source, lengths = times(5000, 40, begin=0.5)
    late = lengths - 40
    assert near(late != 0, 0.5 * 19 / 20)
    assert int(late.min()) == -10 and int(late.max()) == 9
    row = int(late.argmax())
    assert source[row].tolist() == [-1] * 9 + list(range(40))
    row = int(late.argmin())
    assert source[row].tolist() == list(range(10, 40)) + [-1] * 19
    assert (times(2000, 5, begin=1)[1] > 2).all()  # little is left of short ones


def test_what_is_put_before_is_not_seen() -> None:
    after, lengths = only(begin=1)(clips_of(100, 12), torch.full((100,), 12))
    later = lengths > 12
    assert later.any()
    first = (after[later] != 0).flatten(2).any(2).long().argmax(1)
    assert (first == lengths[later] - 12).all()


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_any_lengths_give_finite_clips_that_are_0_in_padding(lengths: list[int]) -> None:
    real = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    clips = clips_of(len(lengths), max(lengths)) * real[..., None, None]
    after, found = SpellingAugment(Strengths(), POINTS)(clips, torch.tensor(lengths))
    assert after.isfinite().all()
    assert (found >= 1).all() and after.shape[1] == found.max()
    assert not after[torch.arange(after.shape[1]) >= found[:, None]].any()


def test_half_are_mirrored_with_their_sides() -> None:
    clips = clips_of(3000, 2)
    after = only(flip=0.5).look(clips)
    mirrored = torch.cat([-clips[..., :1], clips[..., 1:]], -1)[:, :, list(POINTS.mirror)]
    turned = (after == mirrored).flatten(1).all(1)
    assert (turned ^ (after == clips).flatten(1).all(1)).all()
    assert near(turned, 0.5, 0.03)
    assert torch.equal(only(flip=1).look(only(flip=1).look(clips)), clips)


def camera(clips: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return the matrix of each clip's plane, (B, 2, 2), and below it the shift, (B, 1, 2)."""
    plane = torch.cat([clips[..., :2], torch.ones_like(clips[..., :1])], -1).flatten(1, 2)
    return torch.linalg.lstsq(plane, after[..., :2].flatten(1, 2)).solution


@pytest.mark.parametrize(
    ("strengths", "scale", "shear", "shift"), [(Strengths(), 0.3, 0.2, 0.15), (SMALL_AUGMENT, 0.2, 0.15, 0.1)]
)
def test_a_camera_turns_scales_shears_and_moves(strengths: Strengths, scale: float, shear: float, shift: float) -> None:
    clips = clips_of(3000, 1).double()
    after = SpellingAugment(strengths.model_copy(update={"flip": 0}), POINTS).look(clips)
    assert torch.equal(after[..., 2], clips[..., 2])
    found = camera(clips, after)
    same = (after == clips).flatten(1).all(1)
    assert near(~same, 0.75, 0.03)
    change, way = found[~same, :2], found[~same, 2]
    size = change.det().sqrt()  # shear along one axis keeps areas
    assert 1 - scale <= size.min() < 1 - scale + 0.01 and 1 + scale - 0.01 < size.max() <= 1 + scale
    torch.testing.assert_close(way[:, 0], way[:, 1])
    assert shift - 0.01 < way.abs().max() <= shift + 1e-6
    # rotation keeps the length of the axis that is not sheared
    length = (change / size[:, None, None]).norm(dim=2)
    assert ((length - 1).abs().amin(1) < 1e-5).all()
    along = (length[:, 0] - 1).abs() > (length[:, 1] - 1).abs()
    assert near(along, 0.5, 0.04)
    assert math.sqrt(1 + (shear - 0.01) ** 2) < length.max() <= math.sqrt(1 + shear**2) + 1e-6
    kept = torch.where(along[:, None], change[:, 1].flip(1) * torch.tensor([1, -1.0]), change[:, 0])
    angle = torch.rad2deg(torch.atan2(kept[:, 1], kept[:, 0]))
    assert -30 <= angle.min() < -29 and 29 < angle.max() <= 30


def test_points_not_seen_stay_so_whatever_the_camera_does() -> None:
    clips = clips_of(200, 4)
    clips[:, 1, LEFT] = 0
    clips[:, 2, RIGHT, 2] = 0
    after = only(affine=1).look(clips)
    assert torch.equal(point_seen(after), point_seen(clips))


def test_the_plane_alone_will_do() -> None:
    clips = clips_of(5, 6)
    changing = SpellingAugment(Strengths(), POINTS)
    torch.manual_seed(1)
    both, _ = changing(clips, torch.full((5,), 6))
    torch.manual_seed(1)
    plane, _ = changing(clips[..., :2].contiguous(), torch.full((5,), 6))
    torch.testing.assert_close(plane, both[..., :2])


def runs(when: torch.Tensor) -> torch.Tensor:
    """Return the number of runs of True along the last axis."""
    return (when[..., 1:] & ~when[..., :-1]).sum(-1) + when[..., 0]


def test_two_to_six_fingers_are_lost_twice_for_a_quarter_to_half() -> None:
    when, which = only(fingers_lost=0.5625).lose_fingers(torch.full((5000,), 200), 200)
    some = when.any(2)
    assert (some[:, 0] == some[:, 1]).all()
    assert near(some[:, 0], 0.5625)
    share = when[some].float().mean(1)
    assert 0.24 <= share.min() < 0.26 and 0.49 < share.max() <= 0.51
    assert (runs(when[some]) == 1).all()
    fingers = torch.stack([which[..., points].all(2) for points in FINGER_POINTS], 2)
    assert (which.sum(2) == 4 * fingers.sum(2)).all()  # whole fingers, and nothing else
    assert fingers.sum(2).unique().tolist() == [2, 3, 4, 5, 6]
    assert near(fingers, 0.4, 0.01)
    for finger in range(10):
        assert near(fingers[:, :, finger], 0.4, 0.03)


def test_the_published_draw_loses_seven_fingers() -> None:
    _, which = only(fingers_lost=1, fingers_redrawn=True).lose_fingers(torch.full((5000,), 10), 10)
    fingers = which.sum(2).float() / 4
    assert abs(float(fingers.mean()) - 10 * (1 - 0.9**12)) < 0.05
    assert fingers.max() > 8


def test_body_face_or_hands_are_lost_as_often_as_asked() -> None:
    when, which = SpellingAugment(Strengths(), POINTS).lose_part(torch.full((20000,), 5), 5)
    assert (when.all(2) | ~when.any(2)).all()
    lost = which[:, 0] & when.all(2)
    assert near(lost[:, POSE].any(1), 0.265, 0.01)
    assert near(lost[:, FACE].all(1), 0.189, 0.01)
    assert near(lost[:, LEFT + RIGHT].all(1), 0.091, 0.01)
    assert near(lost.any(1), 0.545, 0.01)
    assert (lost[:, FACE].all(1) == lost[:, FACE].any(1)).all()
    kept = {" ".join(sorted({POINTS.names[place].split("_")[-1] for place in POSE if not row[place]})) for row in lost}
    everything = "elbow index pinky shoulder thumb wrist"
    assert kept == {"", "shoulder", "elbow shoulder", "elbow shoulder wrist", everything}
    assert torch.equal(lost[:, list(POINTS.mirror)][:, POSE], lost[:, POSE])  # the same on both sides
    assert near(lost[lost[:, POSE].any(1)][:, POSE].all(1), 0.25, 0.03)


@pytest.mark.parametrize("holes", [1, 2, 4])
def test_frames_are_lost_in_one_two_or_four_stretches(holes: int) -> None:
    when, which = only(frames_lost=0.5, holes=[holes]).lose_frames(torch.full((3000,), 400), 400)
    assert which.all() and when.shape[1] == holes
    some = when.flatten(1).any(1)
    assert near(some, 0.5, 0.03)
    share = when[some].float().mean(2)
    assert 0.2 / holes - 0.003 <= share.min() < 0.2 / holes + 0.01
    assert 0.4 / holes - 0.01 < share.max() <= 0.4 / holes + 0.003
    assert (runs(when[some]) == 1).all()


def test_each_number_of_stretches_is_as_likely() -> None:
    when, _ = only(frames_lost=0.5).lose_frames(torch.full((6000,), 400), 400)
    count = when.any(2).sum(1)
    for holes in (1, 2, 4):
        assert near(count == holes, 1 / 6)


def test_stretches_follow_each_clips_length() -> None:
    lengths = torch.tensor([50, 200]).repeat(500)
    when, _ = only(frames_lost=1, holes=[1]).lose_frames(lengths, 200)
    assert not when[::2, 0, 50:].any()
    assert when[::2, 0].sum(1).max() <= 21 and when[1::2, 0].sum(1).min() >= 39


def test_a_box_hides_what_lies_in_it_in_half_of_the_clips() -> None:
    clips = torch.rand(600, 100, len(POINTS), 3) - 0.5
    after = only(box_lost=0.5).cover(clips)
    lost = ~point_seen(after)[..., 0]
    some = lost.flatten(1).any(1)
    assert near(some, 0.5, 0.07)
    assert torch.equal(after[~lost], clips[~lost])
    width = []
    for clip, hidden in zip(clips[some], lost[some], strict=True):
        low, high = clip[hidden][:, :2].aminmax(dim=0)
        assert torch.equal(((clip[..., :2] >= low) & (clip[..., :2] <= high)).all(-1), hidden)
        width.append(high - low)
    sides = torch.stack(width)
    assert 0.03 < sides.min() < 0.055 and 0.095 < sides.max() <= 0.1
    assert abs(float(sides.mean()) - 0.075) < 0.005


def test_a_batch_without_boxes_or_face_is_changed_too() -> None:
    points = NAMED.select
    clips = clips_of(50, 8, len(points))
    after, lengths = SpellingAugment(Strengths(box_lost=0), points)(clips, torch.full((50,), 8))
    assert after.shape[2] == len(points) and len(lengths) == 50


def test_frames_are_taken_and_points_lost() -> None:
    clips = torch.arange(1.0, 5)[None, :, None, None].expand(1, 4, 2, 3)
    lost = torch.tensor([[[False, True, True]]]), torch.tensor([[[True, False]]])
    after = take(clips, torch.tensor([[3, 3, 0]]), [lost, lost])
    assert after[0, :, :, 1].tolist() == [[4, 4], [0, 4], [0, 1]]
