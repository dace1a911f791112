"""Graphs of fingerspelling: folded networks say the same, and what says something else is not kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from signary.errors import BundleError  # noqa: E402
from signary.export.fold import AddNorm, Unchanged, folded  # noqa: E402
from signary.export.spelling import SpellerEncoder, SpellerStep, export_ctc_graph, export_speller  # noqa: E402
from signary.export.verify import verify_speller  # noqa: E402
from signary.graph import Graph  # noqa: E402
from signary.models.blocks import FrameNorm  # noqa: E402
from signary.models.speller import Speller, SpellerCTC  # noqa: E402
from signary.models.squeezeformer import PostNorm  # noqa: E402

SMALL: dict[str, Any] = {"points": ("left_hand", "right_arm"), "width": 16, "depth": 2, "heads": 2, "kernel": 9}


def used(network: Any) -> Any:
    """Return a network none of whose weights are as they were at first."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.3, 0.3)
    for norm in network.modules():
        if isinstance(norm, FrameNorm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize("options", [{}, {"attention": "relative", "parts": False}])
def test_a_folded_network_says_the_same_in_fewer_steps(options: dict[str, Any]) -> None:
    speller, points = used(Speller(12, hidden=32, **(SMALL | options))), torch.rand(40, 543, 3)
    light = folded(speller)
    kinds = [type(module) for module in light.modules()]
    assert FrameNorm not in kinds
    assert PostNorm not in kinds
    assert kinds.count(AddNorm) == 8
    assert Unchanged in kinds
    with torch.no_grad():
        torch.testing.assert_close(light.encode(points)[0], speller.encode(points)[0], atol=1e-4, rtol=1e-4)
    assert any(isinstance(module, PostNorm) for module in speller.modules())


def test_the_graph_of_several_streaming_networks_averages_them(tmp_path: Path) -> None:
    readers = [used(SpellerCTC(8, past=8, **SMALL)), SpellerCTC(8, past=8, **SMALL).eval()]
    export_ctc_graph(readers, tmp_path / "model.onnx")
    points = torch.rand(30, 543, 3)
    found = Graph(tmp_path / "model.onnx").run(points=points.numpy())["log_probabilities"]
    with torch.no_grad():
        expected = (readers[0](points)[0][0] + readers[1](points)[0][0]) / 2
    torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_the_graphs_of_several_spellers_average_them_for_several_texts(tmp_path: Path) -> None:
    spellers = [Speller(12, hidden=32, **(SMALL | {"depth": 1})).eval() for _ in range(2)]
    export_speller(spellers, tmp_path)
    encoder, step = SpellerEncoder(spellers), SpellerStep(spellers)
    with torch.no_grad():
        keys, values, _ = encoder(torch.rand(30, 543, 3))
        memory = [each.repeat(1, 1, 3, 1, 1, 1) for each in (keys, values)]
        token, past = torch.tensor([9, 1, 2]), [each[..., :0, :] for each in memory]
        expected, *_ = step(token, *past, *memory)
    assert expected.shape == (3, 12)
    names = ("token", "keys", "values", "memory_keys", "memory_values")
    given = {name: each.numpy() for name, each in zip(names, (token, *past, *memory), strict=True)}
    found = Graph(tmp_path / "step.onnx").run(**given)
    torch.testing.assert_close(torch.from_numpy(found["logits"]), expected, atol=1e-4, rtol=1e-4)
    assert found["keys_after"].shape == (2, 2, 3, 2, 1, 8)
    other = [used(Speller(12, hidden=32, **(SMALL | {"depth": 1}))) for _ in range(2)]
    with pytest.raises(BundleError, match="differs from the network"):
        verify_speller(SpellerEncoder(other), SpellerStep(other), tmp_path, symbols=12)
