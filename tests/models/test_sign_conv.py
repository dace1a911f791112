"""The convolutional network of isolated signs: sizes, features against a slow reference, padding, graph."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_points import (  # noqa: E402
    check_batch,
    check_gradients,
    check_graph,
    count,
    mirrored,
    padded,
    unseen,
    without_what_is_not_read,
)
from made_points import made as made_points  # noqa: E402
from signary.errors import ConfigError  # noqa: E402
from signary.landmarks.skeleton import LEFT_HAND, POSE, RIGHT_HAND  # noqa: E402
from signary.models.blocks import FrameNorm  # noqa: E402
from signary.models.sign_conv import (  # noqa: E402
    BODY_AND_HANDS,
    SHOULDERS,
    AttentionBlock,
    ConvBlock,
    DropPath,
    SignConv,
)

BODY = {"points": BODY_AND_HANDS, "center": SHOULDERS}
TURNED = BODY | {"left_signer": True}
WRISTS = ("left_hand_wrist", "right_hand_wrist")
HANDS = {"points": ("left_hand", "right_hand"), "center": WRISTS, "left_signer": True, "shapes": True, "bins": 40}


made = partial(made_points, gaps=0.2, hands=(RIGHT_HAND,), empty=0.2)


def network(**options: object) -> SignConv:
    """Return a small network that has seen some data, ready to read."""
    torch.manual_seed(0)
    reader = SignConv(7, **({"width": 32, "depth": 1} | options))
    reader(torch.stack([made(40, seed) for seed in range(4)]), torch.tensor([40, 30, 20, 10]))
    return reader.eval()


def test_parameters_are_the_published_numbers() -> None:
    reader = SignConv(250)
    assert count(reader) == 1_830_040
    assert count(reader.stem) + count(reader.norm) == 136_320
    assert [count(block) for block in reader.blocks] == [*[155_333] * 3, 295_680] * 2
    assert (count(reader.top), count(reader.head)) == (74_112, 96_250)
    assert count(SignConv(250, width=384, depth=4)) == 12_752_182


def test_points_and_size_can_be_chosen() -> None:
    assert count(SignConv(250, **BODY)) == 1_771_288
    reader = SignConv(30, width=64, depth=3, kernel=9, heads=8, **BODY)
    assert reader.stem.in_features == 6 * 67 and len(reader.blocks) == 12
    with pytest.raises(ConfigError, match="center"):
        SignConv(30, points=BODY_AND_HANDS)


@pytest.mark.parametrize("options", [{}, TURNED, HANDS])
@pytest.mark.parametrize("rest", [-100.0, float("nan")])
def test_a_clip_alone_is_read_as_in_a_padded_batch(options: dict[str, object], rest: float) -> None:
    reader = network(**options)
    clips = [made(frames, seed=frames) for frames in (1, 2, 5, 33, 100, 383, 384, 500)]
    check_batch(reader, [*clips, unseen(5)], rest)


def test_padding_does_not_leak_in_training_either() -> None:
    torch.manual_seed(0)
    reader = SignConv(7, width=32, depth=1, drop_path=0.0).train()
    batch, lengths = padded([made(frames, seed=frames) for frames in (3, 12, 20)])
    longer = torch.cat([batch, torch.rand(3, 30, 543, 3)], 1)
    torch.testing.assert_close(reader(batch, lengths), reader(longer, lengths), atol=1e-4, rtol=0)


def test_only_the_first_frames_of_a_long_clip_are_read() -> None:
    reader = network(max_frames=16)
    points = torch.rand(30, 543, 3)
    order, valid = reader.features.keep(torch.ones(1, 30, dtype=torch.bool))
    assert order.tolist() == [list(range(16))] and valid.all()
    assert reader.features(reader.select(points[None]))[0].shape == (1, 16, 708)


@pytest.mark.parametrize("options", [{}, BODY, TURNED, HANDS])
def test_results_are_finite_whatever_is_missing(options: dict[str, object]) -> None:
    reader = network(**options)
    no_hands, no_pose = made(12), made(12)
    no_hands[:, LEFT_HAND] = no_hands[:, RIGHT_HAND] = torch.nan
    no_pose[:, POSE] = torch.nan
    still = made(1).expand(9, -1, -1)
    for points in (no_hands, no_pose, still, unseen(3), torch.zeros(4, 543, 3), made(5000)):
        assert torch.isfinite(reader(points)).all()
    assert torch.isfinite(reader.train()(unseen(3).repeat(2, 1, 1, 1))).all()
    assert torch.isfinite(reader(made(1)[None])).all()


@pytest.mark.parametrize("options", [{}, BODY, HANDS])
def test_points_that_are_not_read_and_depth_do_not_matter(options: dict[str, object]) -> None:
    reader, points = network(**options), made(70)
    others = without_what_is_not_read(points, reader)
    torch.testing.assert_close(reader(points), reader(others), atol=0, rtol=0)


def test_mirrored_clips_are_read_alike_if_turned_to_the_left_hand() -> None:
    points = made(50)
    reader, other = network(**TURNED), network(**BODY)
    torch.testing.assert_close(reader(points), reader(mirrored(points)), atol=1e-4, rtol=0)
    assert (other(points) - other(mirrored(points))).abs().max() > 1e-3


def test_convolutions_look_back_only() -> None:
    torch.manual_seed(0)
    block, frames = ConvBlock(8, kernel=3).eval(), torch.randn(1, 10, 8)
    hidden = torch.nn.functional.silu(block.widen(frames))[0].detach().numpy()
    kernel = block.back.weight[:, 0].detach().numpy()
    padded = np.concatenate([np.zeros((2, 16)), hidden])
    by_hand = np.stack([sum(kernel[:, k] * padded[t + k] for k in range(3)) for t in range(10)])
    normal = by_hand / np.sqrt(1 + 1e-3)
    mean = np.pad(normal.mean(0), 2)
    neighbors = block.neighbors.weight[0, 0].detach().numpy()
    weights = 1 / (1 + np.exp(-np.array([neighbors @ mean[c : c + 5] for c in range(16)])))
    narrow = (normal * weights) @ block.narrow.weight.detach().numpy().T + block.narrow.bias.detach().numpy()
    found = block(frames, torch.ones(1, 10, dtype=torch.bool))[0].detach().numpy()
    np.testing.assert_allclose(found, frames[0].numpy() + narrow, atol=1e-5)


def test_scores_are_scaled_by_the_whole_width() -> None:
    torch.manual_seed(0)
    block, frames = AttentionBlock(16, heads=4).eval(), torch.randn(1, 5, 16)
    normal = frames / (1 + 1e-3) ** 0.5
    query, key, value = (part.unflatten(-1, (4, 4)).transpose(1, 2) for part in block.qkv(normal).chunk(3, -1))
    shares = torch.softmax(query @ key.transpose(-1, -2) * 16**-0.5, -1)
    middle = frames + block.mix((shares @ value).transpose(1, 2).flatten(2))
    expected = middle + block.narrow(torch.nn.functional.silu(block.widen(middle / (1 + 1e-3) ** 0.5)))
    torch.testing.assert_close(block(frames, torch.ones(1, 5, dtype=torch.bool)), expected)


def test_normalization_counts_valid_frames_only() -> None:
    torch.manual_seed(0)
    frames, valid = torch.randn(3, 6, 4), torch.rand(3, 6) < 0.6
    norm, plain = FrameNorm(4), torch.nn.BatchNorm1d(4, eps=1e-3, momentum=0.05)
    found = norm(torch.where(valid[..., None], frames, 1e6), valid)
    torch.testing.assert_close(found[valid], plain(frames[valid]))
    assert (found[~valid] == 0).all()
    torch.testing.assert_close(norm.running_var, plain.running_var)
    torch.testing.assert_close(norm.eval()(frames, valid)[valid], plain.eval()(frames[valid]))


def test_branches_are_left_out_for_whole_clips() -> None:
    torch.manual_seed(0)
    drop, branch = DropPath(0.25), torch.ones(4000, 2, 3)
    dropped = drop(branch)
    assert set(dropped.flatten(1).std(1).tolist()) == {0.0}
    assert abs(float(dropped.mean()) - 1) < 0.05
    assert drop.eval()(branch) is branch


def test_dropout_starts_late() -> None:
    reader = SignConv(7, width=32, depth=1)
    assert reader.drop.p == 0
    reader.start_dropout()
    assert reader.drop.p == 0.8


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    reader = SignConv(7, width=32, depth=1).train()
    batch = torch.stack([made(30, seed) for seed in range(4)])
    loss = torch.nn.functional.cross_entropy(reader(batch, torch.tensor([30, 8, 20, 1])), torch.arange(4))
    loss.backward()
    check_gradients(reader)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, TURNED, HANDS])
def test_the_graph_says_what_the_network_says(options: dict[str, object]) -> None:
    clips = [made(frames, seed=frames) for frames in (1, 2, 7, 100, 384, 385, 5000)]
    check_graph(network(**options), [*clips, unseen(4)])
