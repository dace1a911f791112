"""The transformers of isolated signs: sizes, preprocessing against a slow reference, masks, mirrors, graphs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from made_points import (  # noqa: E402
    check_batch,
    check_gradients,
    check_graph,
    count,
    made,
    mirrored,
    unseen,
    without_what_is_not_read,
)
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND  # noqa: E402
from signary.models.blocks import Block, attend  # noqa: E402
from signary.models.point_network import SignNetwork  # noqa: E402
from signary.models.sign_transformer import PublishedSignTransformer, SignTransformer, drop_frames  # noqa: E402

SMALL = {"width": 32, "inner": 16, "heads": 2, "depth": 1}


def network(kind: str, classes: int = 7, **options: object) -> SignNetwork:
    """Return a small network, ready to read, in which everything has some effect."""
    torch.manual_seed(0)
    made_of = {"published": PublishedSignTransformer, "corrected": SignTransformer}[kind]
    reader: SignNetwork = made_of(classes, **(SMALL | options)).eval()
    with torch.no_grad():
        for parameter in reader.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    if isinstance(reader, PublishedSignTransformer):
        reader.measure([(reader.select(made(50)[None]), None)])
    return reader


def test_parameters_are_the_published_number() -> None:
    reader = PublishedSignTransformer(250)
    assert count(reader) == 5_315_965
    assert count(reader.embed) + count(reader.positions) == 986_243
    assert count(reader.blocks) == 4_201_472
    assert count(SignTransformer(250)) == 4_327_294


def test_statistics_come_from_the_training_data_and_are_kept() -> None:
    reader = network("published")
    clips = reader.select(torch.stack([made(40, seed=1), made(40, seed=2)])), torch.tensor([40, 10])
    reader.measure([clips])
    values, seen, _, _ = reader.features(*clips)
    torch.testing.assert_close(reader.standardize.mean[0], values[:, :, 0][seen[:, :, 0]].mean(0))
    kept = PublishedSignTransformer(7, **SMALL)
    kept.load_state_dict(reader.state_dict())
    torch.testing.assert_close(kept.standardize.std, reader.standardize.std)


def test_data_without_a_face_need_no_lips() -> None:
    assert count(SignTransformer(250, lips=False)) == 4_200_061
    reader, points = network("corrected", lips=False), made(20)
    others = points.clone()
    others[:, :468] = torch.nan
    torch.testing.assert_close(reader(points), reader(others), atol=0, rtol=0)


@pytest.mark.parametrize("kind", ["published", "corrected"])
@pytest.mark.parametrize("rest", [0.0, 7.0, float("nan")])
def test_a_clip_alone_is_read_as_in_a_padded_batch(kind: str, rest: float) -> None:
    reader = network(kind)
    clips = [made(frames, seed=frames) for frames in (1, 2, 20, 63, 64, 65, 130, 300)]
    check_batch(reader, [*clips, unseen(5)], rest)


@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_results_are_finite_whatever_is_missing(kind: str) -> None:
    reader = network(kind)
    no_hands = made(12)
    no_hands[:, LEFT_HAND] = no_hands[:, RIGHT_HAND] = torch.nan
    no_lips = made(12)
    no_lips[:, :468] = torch.nan
    still = made(1).expand(9, -1, -1)
    for points in (no_hands, no_lips, still, unseen(3), torch.zeros(4, 543, 3), made(5000)):
        assert torch.isfinite(reader(points)).all()


@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_points_that_are_not_read_and_depth_do_not_matter(kind: str) -> None:
    reader, points = network(kind), made(70)
    others = without_what_is_not_read(points, reader)
    torch.testing.assert_close(reader(points), reader(others), atol=0, rtol=0)


def test_the_corrected_network_reads_frames_without_a_hand() -> None:
    reader, points = network("corrected"), made(20)
    points[10:, LEFT_HAND] = points[10:, RIGHT_HAND] = torch.nan
    assert (reader(points) - reader(points[:10])).abs().max() > 1e-3


@pytest.mark.parametrize("frames", [1, 33, 64, 200])
def test_the_corrected_network_reads_mirrored_clips_alike(frames: int) -> None:
    reader, points = network("corrected"), made(frames, gaps=0.2 if frames > 1 else 0)
    if frames == 1:
        points[:, RIGHT_HAND] = torch.nan
    torch.testing.assert_close(reader(points), reader(mirrored(points)), atol=1e-4, rtol=0)


def test_place_and_size_do_not_matter_to_the_corrected_network() -> None:
    reader, points = network("corrected"), made(40)
    moved = points * torch.tensor([0.4, 0.7, 1]) + torch.tensor([0.3, 0.1, 0])
    torch.testing.assert_close(reader(points), reader(moved), atol=2e-3, rtol=0)


def test_positions_differ_between_all_frames() -> None:
    reader = network("corrected")
    times = torch.cat([torch.linspace(0, 1, 64), torch.tensor([0.001])])[None]
    places = reader._place(times)[0].detach()
    apart = torch.cdist(places, places) + torch.eye(65)
    assert apart.min() > 1e-4
    torch.testing.assert_close(places[:64], reader.positions.detach(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_gradients_reach_every_parameter(kind: str) -> None:
    reader = network(kind).train()
    batch = torch.stack([made(30, seed=seed, gaps=0.5) for seed in range(4)])
    batch[:, 3] = torch.nan
    batch[:, 4, LEFT_HAND] = torch.rand(4, 21, 3)
    batch[:, 4, :468] = batch[:, 4, 489:522] = torch.nan
    loss = torch.nn.functional.cross_entropy(reader(batch, torch.tensor([30, 8, 20, 1])), torch.arange(4))
    loss.backward()
    # kept frames have a hand, so the published network stands in for it in padding alone, which nothing attends to
    check_gradients(reader, ["embed.empty.hand"] if kind == "published" else [])


@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_half_precision_does_not_reach_the_preparation(kind: str) -> None:
    reader, points = network(kind), made(80)[None]
    exact = reader.features(reader.select(points))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for here, there in zip(exact, reader.features(reader.select(points)), strict=True):
            torch.testing.assert_close(here, there, atol=0, rtol=0)
        assert torch.isfinite(reader(points)).all()


def test_attention_is_that_of_torch() -> None:
    torch.manual_seed(0)
    block, frames = Block(32, heads=4, norm=False).eval(), torch.randn(2, 6, 32)
    keys = torch.tensor([[True] * 6, [True] * 2 + [False] * 4])
    query, key, value = (part.unflatten(-1, (4, 8)).transpose(1, 2) for part in block.qkv(frames).chunk(3, -1))
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=keys[:, None, None])
    found = attend(block.qkv(frames), 4, keys, scale=block.scale, drop=torch.nn.Identity())
    torch.testing.assert_close(found, expected.transpose(1, 2).flatten(2))


def test_masked_queries_look_at_all_frames_alike() -> None:
    qkv = torch.randn(1, 5, 24)
    queries = torch.tensor([[True, True, False, True, False]])
    mixed = attend(qkv, 2, None, scale=1.0, drop=torch.nn.Identity(), queries=queries)
    torch.testing.assert_close(mixed[0, 2], qkv[0, :, 16:].mean(0))
    torch.testing.assert_close(mixed[0, 2], mixed[0, 4])


def test_quirks_are_off_unless_asked_for() -> None:
    points = made(20)
    clean, queries = network("published"), network("published", mask_queries=True)
    hiding = network("published", hide_always=True, hidden=0.5)
    assert (clean(points) - queries(points)).abs().max() > 1e-4
    torch.testing.assert_close(clean(points), clean(points), atol=0, rtol=0)
    assert (hiding(points) - hiding(points)).abs().max() > 1e-4


def test_frames_are_hidden_but_never_all() -> None:
    torch.manual_seed(0)
    full = torch.rand(2000, 8) < 0.5
    shown = drop_frames(full, 0.25)
    assert not (shown & ~full).any() and (shown.any(1) == full.any(1)).all()
    assert abs(shown.sum() / full.sum() - 0.75) < 0.03
    assert torch.equal(drop_frames(full, 1.0), full)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_the_graph_says_what_the_network_says(kind: str) -> None:
    clips = [made(frames, seed=frames) for frames in (1, 2, 7, 63, 64, 65, 131, 400, 5000)]
    check_graph(network(kind), [*clips, unseen(4)])
