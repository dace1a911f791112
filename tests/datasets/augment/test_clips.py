"""Augmentation of clips: what it keeps, how often it applies and how far it goes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from signary.datasets.augment.clips import ClipAugment, NoSign, take_times
from signary.datasets.augment.strengths import ClipStrengths as Strengths
from signary.features.select import SelectPoints

POINTS = SelectPoints(("upper_body", "left_hand", "right_hand"))
LEFT, RIGHT = POINTS.parts["left_hand"], POINTS.parts["right_hand"]


def clips_of(count: int, frames: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(count, frames, len(POINTS), 3), torch.full((count,), frames)


def changed(count: int = 2000, frames: int = 20, **strengths: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    clips, lengths = clips_of(count, frames)
    return clips, *ClipAugment(Strengths(**strengths), POINTS)(clips, lengths)


def test_nothing_asked_changes_nothing() -> None:
    clips, after, lengths = changed(5)
    torch.testing.assert_close(after, clips)
    assert lengths.tolist() == [20] * 5


def test_lengths_change_by_half_at_most_and_for_four_in_five() -> None:
    _, after, lengths = changed(resample=0.8, speed=0.5)
    assert 10 <= int(lengths.min()) <= 11
    assert 29 <= int(lengths.max()) <= 30
    assert after.shape[1] == lengths.max()
    assert abs((lengths != 20).float().mean() - 0.8 * 0.95) < 0.04  # 5 % of the draws round to 20 again


def test_the_ends_are_kept_however_the_speed_changes() -> None:
    clips, after, lengths = changed(200, resample=1, speed=0.5, warp=0.9)
    torch.testing.assert_close(after[:, 0], clips[:, 0])
    last = after[torch.arange(200), lengths - 1]
    torch.testing.assert_close(last, clips[:, -1], atol=1e-4, rtol=0)


def test_time_goes_forward() -> None:
    clips = torch.arange(30.0)[None, :, None, None].expand(500, 30, len(POINTS), 3)
    strengths = Strengths(resample=1, speed=0.5, warp=1, trim=0.2)
    after, lengths = ClipAugment(strengths, POINTS)(clips, torch.full((500,), 30))
    steps = after[:, 1:, 0, 0] - after[:, :-1, 0, 0]
    inside = torch.arange(1, after.shape[1])[None] < lengths[:, None]
    assert (steps[inside] >= -1e-4).all()
    assert (after[:, 0, 0, 0] <= 0.2 * 29 + 1e-4).all()
    assert (after[:, 0, 0, 0] > 1).any()


def test_long_clips_are_cut_somewhere() -> None:
    clips = torch.arange(100.0)[None, :, None, None].expand(300, 100, len(POINTS), 3)
    after, lengths = ClipAugment(Strengths(), POINTS, max_frames=40)(clips, torch.full((300,), 100))
    assert after.shape[1] == 40
    assert (lengths == 40).all()
    first = after[:, 0, 0, 0]
    assert first.min() < 5 and first.max() > 55
    torch.testing.assert_close(after[:, -1, 0, 0] - first, torch.full((300,), 39.0))


def test_half_are_mirrored_with_their_sides() -> None:
    clips, after, _ = changed(flip=0.5)
    turned = torch.cat([1 - clips[:, :, LEFT, :1], clips[:, :, LEFT, 1:]], -1)
    mirrored = torch.isclose(after[:, :, RIGHT], turned, atol=1e-5).flatten(1).all(1)
    same = torch.isclose(after, clips, atol=1e-5).flatten(1).all(1)
    assert (mirrored ^ same).all()
    assert abs(mirrored.float().mean() - 0.5) < 0.04


def test_a_camera_keeps_lines_and_what_is_not_seen() -> None:
    clips, lengths = clips_of(300)
    clips[:, :, 2, :2] = (clips[:, :, 0, :2] + clips[:, :, 1, :2]) / 2
    clips[:, 3, 5] = torch.nan
    after, _ = ClipAugment(Strengths(affine=0.75), POINTS)(clips, lengths)
    middle = (after[:, :, 0, :2] + after[:, :, 1, :2]) / 2
    torch.testing.assert_close(after[:, :, 2, :2], middle, atol=1e-5, rtol=0)
    assert after[:, 3, 5, 0].isnan().all()
    assert after.isnan().sum() == clips.isnan().sum()
    kept = torch.isclose(after, clips, atol=1e-5, equal_nan=True).flatten(1).all(1)
    assert abs(kept.float().mean() - 0.25) < 0.08


def test_a_hand_is_changed_about_its_wrist_alone() -> None:
    clips, after, _ = changed(300, hand_turn_deg=20, hand_size=0.2)
    torch.testing.assert_close(after[:, :, LEFT.start], clips[:, :, LEFT.start])
    torch.testing.assert_close(after[:, :, : LEFT.start], clips[:, :, : LEFT.start])
    before, now = (
        (each[:, :, LEFT, :2] - each[:, :, LEFT.start : LEFT.start + 1, :2])[:, :, 1:].norm(dim=-1)
        for each in (clips, after)
    )
    factor = (now / before).flatten(1)
    torch.testing.assert_close(factor.amin(1), factor.amax(1), atol=1e-3, rtol=0)
    assert 0.8 < factor.min() < 0.9 and 1.1 < factor.max() < 1.25


@pytest.mark.parametrize(("field", "share"), [("frames_lost", 0.5), ("hand_lost", 0.3), ("box_lost", 0.5)])
def test_points_are_lost_as_often_as_asked(field: str, share: float) -> None:
    clips, after, _ = changed(3000, **{field: share})
    lost = after[..., 0].isnan()
    some = lost[:, :, RIGHT].flatten(1).any(1)
    assert abs(some.float().mean() - share) < 0.04
    torch.testing.assert_close(after[~lost], clips[~lost])
    if field == "frames_lost":
        gone = lost.all(2).float().mean(1)[some]
        assert 0.15 < gone.min() < 0.26 and 0.34 < gone.max() < 0.45
    if field == "hand_lost":
        assert not lost[:, :, : LEFT.start].any()


def test_hands_are_gone_again_and_again() -> None:
    _, after, _ = changed(3000, frames=60, hands_gone=0.5)
    lost = after[..., 0].isnan()
    assert not lost[:, :, : LEFT.start].any()
    gone = lost[:, :, RIGHT].all(2)
    torch.testing.assert_close(gone, lost[:, :, LEFT].all(2))
    share = gone.float().mean(1)
    assert abs((share > 0).float().mean() - 0.5) < 0.06
    assert abs(share.mean() - 0.5 * 0.45) < 0.02
    turns = (gone[:, 1:] != gone[:, :-1]).sum(1)[share > 0].float()
    assert turns.max() > 20 and turns.median() > 3


@settings(max_examples=20, deadline=None)
@given(frames=st.integers(1, 9), wanted=st.integers(1, 20))
def test_moments_between_frames_are_means(frames: int, wanted: int) -> None:
    clips = torch.arange(float(frames))[None, :, None, None].expand(2, frames, 3, 2)
    times = torch.linspace(0, frames - 1, wanted).expand(2, wanted)
    after, _ = take_times(clips, times, torch.tensor([wanted, wanted]))
    torch.testing.assert_close(after[:, :, 0, 0], times)


def test_between_seen_and_unseen_the_nearer_counts() -> None:
    clips = torch.tensor([1.0, torch.nan])[None, :, None, None]
    after, _ = take_times(clips, torch.tensor([[0.2, 0.8]]), torch.tensor([2]))
    assert after.flatten().tolist()[0] == 1
    assert after.flatten()[1].isnan()


def test_ends_and_beginnings_are_no_sign() -> None:
    clips, lengths = clips_of(2000, 40)
    clips[...] = torch.arange(40.0)[None, :, None, None]
    labels = torch.arange(2000) % 7 + 1
    after, now, said = NoSign(0, POINTS, share=0.4)(clips.clone(), lengths, labels)
    none = said == 0
    assert abs(none.float().mean() - 0.4) < 0.04
    assert (said[~none] == labels[~none]).all()
    bare = after[:, :, LEFT, 0].isnan().flatten(1).all(1)
    assert abs(bare.float().mean() - 0.1) < 0.03
    joined = none & ~bare
    assert (now[joined] <= 24).all() and (now[joined] >= 8).all()
    assert (after[joined, 0, 0, 0] >= 28).all()  # in its last 30 %
    last = after[joined, now[joined] - 1, 0, 0]
    assert (last <= 11).all()
    assert (now[~joined] == 40).all()
