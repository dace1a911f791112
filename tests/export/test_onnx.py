"""Exported graphs say what the network says, and a graph of another network is found out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxscript")

import torch

from signary.bundles.weights import SCOPES
from signary.errors import BundleError
from signary.export.onnx import export_landmark_graph, export_sign_graph
from signary.export.verify import verify_landmark_graph, verify_sign_graph
from signary.graph import Graph
from signary.landmarks.skeleton import RIGHT_HAND
from signary.models.handshape import HandshapeReader
from signary.models.sign_conv import BODY_AND_HANDS, SHOULDERS, SignConv
from signary.models.sign_transformer import SignTransformer


def make_network(seed: int) -> HandshapeReader:
    torch.manual_seed(seed)
    return HandshapeReader(3, width=8, members=1).eval()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_landmark_graph(make_network(0), path)
    return path


@pytest.mark.slow
def test_a_graph_names_layers_and_no_file_of_this_machine(graph: Path) -> None:
    raw = graph.read_bytes()
    assert b".py" not in raw and str(Path(__file__).parents[2]).encode() not in raw
    assert SCOPES.encode() in raw


@pytest.mark.slow
def test_a_graph_is_its_network_and_no_other(graph: Path) -> None:
    assert verify_landmark_graph(make_network(0), graph) < 1e-4
    with pytest.raises(BundleError, match=r"model\.onnx: differs from the network by 0\.\d+") as caught:
        verify_landmark_graph(make_network(1), graph)
    assert caught.value.hint
    assert verify_landmark_graph(make_network(1), graph, atol=2.0) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("frames", [1, 2, 31])
def test_a_graph_takes_any_length_and_no_aspect(graph: Path, frames: int) -> None:
    backend = Graph(graph, threads=1)
    assert (backend.input_names, backend.optional_names) == (("points", "aspect"), {"aspect"})
    points = np.full((frames, 543, 3), np.nan, np.float32)
    points[1:, RIGHT_HAND] = np.random.default_rng(0).random((frames - 1, 21, 3))
    said = backend.run(points=points)
    known = backend.run(points=points, aspect=np.asarray(0.0, np.float32))
    assert said["logits"].shape == (frames, 3)
    assert said["hand"].shape == (frames, 4)
    assert said["hand"][:, 3].tolist() == [0.0] + [1.0] * (frames - 1)
    for name in ("logits", "hand"):
        np.testing.assert_array_equal(said[name], known[name])
    assert np.exp(said["logits"]).sum(1) == pytest.approx(np.ones(frames), abs=1e-4)


class Mean(torch.nn.Module):
    """Networks of signs whose log probabilities are averaged."""

    def __init__(self, members: list[torch.nn.Module]) -> None:
        super().__init__()
        self.members = torch.nn.ModuleList(members)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Return float32 (V,) for points (T, 543, 3)."""
        return torch.stack([torch.log_softmax(member(points), -1) for member in self.members]).mean(0)


def make_signs(seed: int) -> Mean:
    torch.manual_seed(seed)
    conv = SignConv(5, points=BODY_AND_HANDS, center=SHOULDERS, width=16, depth=1)
    return Mean([conv, SignTransformer(5, width=16, inner=16, depth=1, heads=2, lips=False)]).eval()


@pytest.mark.slow
def test_a_graph_of_signs_is_its_networks_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_sign_graph(make_signs(0), path)
    assert verify_sign_graph(make_signs(0), path) < 1e-4
    with pytest.raises(BundleError, match=r"model\.onnx: differs from the network by 0\.\d+") as caught:
        verify_sign_graph(make_signs(1), path)
    assert caught.value.hint
    assert verify_sign_graph(make_signs(1), path, atol=1.0) > 1e-3
    backend = Graph(path, threads=1)
    assert (backend.input_names, backend.output_names) == (("points",), ("logits",))
    points = np.random.default_rng(0).random((3, 543, 3), np.float32)
    assert backend.run(points=points)["logits"].shape == (5,)
