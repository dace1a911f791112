"""The network that spells from hands: the same of either hand, wherever and however large, alone or in a batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from made_points import count, mirrored, padded, unseen  # noqa: E402
from signary.errors import ConfigError  # noqa: E402
from signary.landmarks.skeleton import LEFT_HAND  # noqa: E402
from signary.models.hand_speller import HandSpeller  # noqa: E402

TEN = [f"hand_{name}" for name in ("thumb_cmc", "thumb_tip", "index_mcp", "index_tip", "middle_mcp", "middle_tip")]


def network(**options: object) -> HandSpeller:
    torch.manual_seed(0)
    return HandSpeller(8, **({"width": 16, "inner": 24, "depth": 2} | options)).eval()  # type: ignore[arg-type]


def made(frames: int, seed: int = 0, *, both: bool = True) -> Tensor:
    points = torch.rand(frames, 543, 3, generator=torch.Generator().manual_seed(seed))
    points[frames // 3 : frames // 2] = torch.nan
    if not both:
        points[:, LEFT_HAND] = torch.nan
    return points


def said(reader: HandSpeller, points: Tensor, lengths: Tensor | None = None) -> Tensor:
    with torch.no_grad():
        table: Tensor = reader(points, lengths)[0]
    return table


def test_it_is_small() -> None:
    reader = HandSpeller()
    assert count(reader) == 1_270_073
    assert (reader.blank, reader.head.out_features, reader.look_ahead) == (59, 60, 69)


def test_a_clip_alone_is_read_as_in_a_padded_batch() -> None:
    reader, clips = network(), [made(frames, frames) for frames in (1, 2, 7, 40, 41)]
    together = said(reader, *padded([*clips, torch.rand(50, 543, 3)], 7.0))
    for row, clip in zip(together, clips, strict=False):
        torch.testing.assert_close(row[: len(clip)], said(reader, clip)[0], atol=1e-5, rtol=0)
    assert together[:, 0].std(0).max() > 1e-3


@pytest.mark.parametrize("both", [True, False])
def test_a_left_hander_is_read_as_a_right_hander_in_a_mirror(both: bool) -> None:
    reader, clip = network(), made(30, both=both)
    torch.testing.assert_close(said(reader, mirrored(clip)), said(reader, clip), atol=1e-5, rtol=0)
    assert not torch.allclose(said(reader, clip.flip(0)), said(reader, clip), atol=1e-3)


def test_place_and_distance_of_the_hands_do_not_count() -> None:
    reader, clip = network(), made(30)
    far = clip * 0.25
    far[..., :2] += torch.tensor([0.6, 0.1])
    torch.testing.assert_close(said(reader, far), said(reader, clip), atol=1e-4, rtol=0)


def test_nothing_and_one_frame_are_read() -> None:
    reader = network()
    for clip in (unseen(5), made(1), unseen(1)):
        assert torch.isfinite(said(reader, clip)).all()


def test_any_points_that_both_hands_have_will_do() -> None:
    points = [f"{side}_{name}" for side in ("left", "right") for name in TEN]
    reader = network(points=points, coordinates=2)
    assert said(reader, made(20)).shape == (1, 20, 9)
    with pytest.raises(ConfigError, match="not the same of both hands"):
        network(points=points[:-1])
    with pytest.raises(ConfigError, match="not the same of both hands"):
        network(points=["pose"])
