"""Networks of the frames of a clip: their size, what they drop out, and what of them is kept as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from signary.export.onnx import export_video_graph
from signary.graph import Graph
from signary.models.compact import CompactNet
from signary.models.video import Backbone, VideoReader
from signary.models.video_lstm import VideoNetwork, VideoRecurrent, VideoTransformer
from signary.models.weights import trainable

NETWORKS = {
    "lstm": lambda: VideoRecurrent(12, 5, width=16),
    "one lstm, dense": lambda: VideoRecurrent(12, 5, width=16, depth=1, dense=(9, 7)),
    "gru": lambda: VideoRecurrent(12, 5, width=16, cell="gru"),
    "transformer": lambda: VideoTransformer(12, 5, width=16, heads=2, relative=True),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> VideoNetwork:
    torch.manual_seed(0)
    return NETWORKS[request.param]()


def backbone(side: int = 32) -> Backbone:
    torch.manual_seed(0)
    trunk = CompactNet(3, 2, widths=(4, 12), depths=(0, 1))
    trunk.head = nn.Sequential()
    return Backbone("compact", trunk, side, torch.full((3,), 0.4), torch.full((3,), 0.2))


def test_the_published_stack_counts_as_in_keras() -> None:
    stack = VideoRecurrent(2048, 249)
    assert trainable(stack.parameters()) == 21_234_937
    frozen = [name for name, weight in stack.named_parameters() if not weight.requires_grad]
    assert frozen == ["layers.lstm1.bias_hh_l0", "layers.lstm2.bias_hh_l0"]
    assert not any(stack.state_dict()[name].any() for name in frozen)


def test_shapes_and_learning(network: VideoNetwork) -> None:
    clips, labels = torch.randn(40, 5, 12), torch.arange(40) % 5
    clips[:, 3:] += 3 * nn.functional.one_hot(labels, 12)[:, None]
    network.measure(clips)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(150):
        loss = nn.functional.cross_entropy(network(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert network.eval()(clips).shape == (40, 5)
    assert (network(clips).argmax(1) == labels).float().mean() > 0.9
    second = getattr(network.layers["lstm1"], "bias_hh_l0", None) if "lstm1" in network.layers else None
    assert second is None or not second.any()


def test_a_clip_reads_the_same_alone(network: VideoNetwork) -> None:
    clips = torch.randn(3, 7, 12)
    torch.testing.assert_close(network.eval()(clips)[1:2], network(clips[1:2]))


def test_dropout_acts_on_the_inputs_of_both_layers() -> None:
    stack = VideoRecurrent(30, 4, width=50, dropout=0.5).train()
    seen: list[torch.Tensor] = []
    for layer in stack.layers.values():
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    stack(torch.ones(8, 6, 30))
    for given in seen:
        gone = given == 0
        assert 0.3 < gone.float().mean() < 0.7
        assert (gone == gone[:, :1]).all()  # of a clip the same in all frames
    assert set(seen[0].unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(("what", "kept"), [("none", 0), ("backbone", 0), ("lstm1", 1), ("all", 2)])
def test_what_is_frozen(what: str, kept: int) -> None:
    stack = VideoRecurrent(12, 5, width=16)
    stack.freeze(what)
    learned = {name for name, weight in stack.named_parameters() if weight.requires_grad}
    for number in (1, 2):
        assert (f"layers.lstm{number}.weight_ih_l0" in learned) == (number > kept)
    assert {"head.weight", "head.bias"} <= learned


@pytest.mark.parametrize("kind", [VideoRecurrent, VideoTransformer])
def test_what_stays_in_all_frames_is_taken_off_beside(kind: type[VideoNetwork]) -> None:
    torch.manual_seed(0)
    clips, person = torch.randn(3, 7, 12), torch.randn(3, 1, 12)
    network = kind(12, 5, width=16, relative=True)
    read, other = network.scaled(clips), network.scaled(clips + person)
    assert read.shape == (3, 7, 24)
    torch.testing.assert_close(read[..., 12:], other[..., 12:])
    torch.testing.assert_close(other[..., :12] - read[..., :12], person.expand(3, 7, 12))
    assert network(clips).shape == (3, 5)


def test_measured_features_have_one_scale() -> None:
    stack = VideoRecurrent(12, 5, width=16)
    clips = 50 + 7 * torch.randn(30, 6, 12)
    stack.measure(clips)
    normal = ((clips - stack.mean) * stack.scale).flatten(0, 1)
    torch.testing.assert_close(normal.mean(0), torch.zeros(12), atol=1e-4, rtol=0)
    torch.testing.assert_close(normal.std(0, correction=0), torch.ones(12), atol=1e-4, rtol=0)


def test_a_backbone_is_known_by_its_weights() -> None:
    one, other = backbone(), backbone()
    assert one.sha256() == other.sha256() != backbone(side=40).sha256()
    with torch.no_grad():
        next(other.parameters()).view(-1)[0] += 1
    assert one.sha256() != other.sha256()


@pytest.mark.slow
def test_the_graph_takes_the_pictures_of_a_clip(network: VideoNetwork, tmp_path: Path) -> None:
    reader = VideoReader(backbone(), network, frames=4).eval()
    export_video_graph(reader, tmp_path / "model.onnx")
    pictures = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    said = Graph(tmp_path / "model.onnx").run(pictures=pictures.numpy())["logits"]
    torch.testing.assert_close(torch.from_numpy(said), reader(pictures).detach(), atol=1e-4, rtol=1e-3)
