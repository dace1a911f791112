"""Points by name, and clips turned to the left hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from made_points import mirrored  # noqa: E402
from signary.errors import ConfigError, ShapeError  # noqa: E402
from signary.features.select import (  # noqa: E402
    PARTS,
    LeftSigner,
    SelectPoints,
    flat_points,
    hand_path,
    valid_frames,
)
from signary.landmarks.skeleton import LEFT_HAND, POSE, RIGHT_HAND  # noqa: E402

SIDES = ("lips", "left_hand", "right_hand", "nose", "right_eye", "left_eye", "left_arm", "right_arm")


def clip(frames: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, frames, 543, 3, generator=torch.Generator().manual_seed(seed))


def test_parts_are_the_published_lists() -> None:
    assert [len(PARTS[name]) for name in SIDES] == [40, 21, 21, 4, 16, 16, 6, 6]
    assert PARTS["lips"][:7] == (0, 61, 185, 40, 39, 37, 267)
    assert PARTS["lips_ring"][:7] == (61, 185, 40, 39, 37, 0, 267)
    assert sorted(PARTS["lips"]) == sorted(PARTS["lips_ring"])
    assert PARTS["left_forearm"] == (502, 504, 506, 508, 510)
    assert PARTS["right_forearm"] == (503, 505, 507, 509, 511)
    assert PARTS["left_hand"] == tuple(range(468, 489))


def test_points_come_in_the_order_asked_for() -> None:
    select = SelectPoints(("pose_nose", "right_hand", "face_17"))
    points = clip()
    chosen = select(points)
    assert chosen.shape == (1, 6, 23, 3) and len(select) == 23
    torch.testing.assert_close(chosen[:, :, 0], points[:, :, POSE.start])
    torch.testing.assert_close(chosen[:, :, select.parts["right_hand"]], points[:, :, RIGHT_HAND])
    torch.testing.assert_close(chosen[:, :, 22], points[:, :, 17])
    assert select.names[1] == "right_hand_wrist"


def test_mirror_is_the_skeletons_and_an_involution() -> None:
    select = SelectPoints(SIDES)
    assert [select.mirror[place] for place in select.mirror] == list(range(130))
    assert list(select.mirror[:11]) == [0, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert list(select.mirror[40:43]) == [61, 62, 63]
    assert list(select.mirror[82:87]) == [82, 83, 85, 84, 102]
    assert list(select.mirror[118:120]) == [124, 125]


@pytest.mark.parametrize("parts", [("tail",), ("lips", "face_0")])
def test_wrong_names_are_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        SelectPoints(parts)


def test_one_side_alone_has_no_mirror() -> None:
    with pytest.raises(ConfigError, match="counterpart"):
        _ = SelectPoints(("left_hand",)).mirror


def test_a_wrong_number_of_points_is_refused() -> None:
    with pytest.raises(ShapeError, match="543"):
        SelectPoints(("lips",))(torch.zeros(2, 118, 3))


def test_not_seen_becomes_zero_and_padding_is_never_seen() -> None:
    points = torch.ones(2, 3, 4, 3)
    points[0, 0, 0] = torch.nan
    points[0, 0, 1, 2] = torch.nan  # z alone
    points[0, 0, 2, 0] = torch.inf
    values, seen = flat_points(points, valid_frames(points, torch.tensor([3, 1])))
    assert seen[0, 0].tolist() == [False, True, False, True]
    assert seen[1].any(-1).tolist() == [True, False, False]
    torch.testing.assert_close(values, seen[..., None].float().expand(-1, -1, -1, 2))


def test_paths_need_the_hand_in_two_frames_running() -> None:
    values = torch.zeros(1, 4, 21, 2)
    values[0, :, :, 0] = torch.tensor([0.0, 0.1, 0.3, 0.6])[:, None]
    seen = torch.ones(1, 4, 21, dtype=torch.bool)
    torch.testing.assert_close(hand_path(values, seen), torch.tensor([0.6]))
    seen[0, 2] = False
    torch.testing.assert_close(hand_path(values * seen[..., None], seen), torch.tensor([0.1]))


@pytest.mark.parametrize("hidden", [slice(0), LEFT_HAND, RIGHT_HAND])
def test_a_clip_and_its_mirror_image_turn_out_alike(hidden: slice) -> None:
    select = SelectPoints(SIDES)
    turn = LeftSigner(select)
    points = clip()
    points[:, 2:, hidden] = torch.nan
    frames = valid_frames(points, None)
    here, seen = turn(*flat_points(select(points), frames))
    there, other = turn(*flat_points(select(mirrored(points)), frames))
    torch.testing.assert_close(here, there)
    assert torch.equal(seen, other)


def test_the_hand_seen_more_often_becomes_the_left_and_the_lips_turn_with_it() -> None:
    select = SelectPoints(("lips", "left_hand", "right_hand"))
    points = clip()
    points[:, 0, LEFT_HAND] = torch.nan
    values, seen = LeftSigner(select)(*flat_points(select(points), valid_frames(points, None)))
    torch.testing.assert_close(values[:, :, select.parts["left_hand"], 0], 1 - points[:, :, RIGHT_HAND, 0])
    corner = select.names.index("face_61")
    torch.testing.assert_close(values[:, :, corner, 0], 1 - points[:, :, 291, 0])
    torch.testing.assert_close(values[:, :, corner, 1], points[:, :, 291, 1])
    assert not seen[:, 0, select.parts["right_hand"]].any()
