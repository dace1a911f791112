"""Made clips of points, and what every network that reads them must keep to."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest

from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, RIGHT_HAND

torch = pytest.importorskip("torch")

FRAMES = {0: torch.export.Dim("frames", min=1)}


def made(
    frames: int,
    seed: int = 0,
    *,
    gaps: float = 0.3,
    hands: Sequence[slice] = (LEFT_HAND, RIGHT_HAND),
    empty: float = 0.0,
) -> torch.Tensor:
    """Return a clip (T, 543, 3) without points here and there, shares of each hand and of whole frames."""
    random = torch.Generator().manual_seed(seed)
    points = torch.rand(frames, 543, 3, generator=random)
    points[torch.rand(frames, 543, generator=random) < 0.1] = torch.nan
    for hand in hands:
        points[torch.rand(frames, generator=random) < gaps, hand] = torch.nan
    if empty and frames > 2:
        points[torch.rand(frames, generator=random) < empty] = torch.nan
    return points


def unseen(frames: int) -> torch.Tensor:
    """Return a clip in which nothing was seen."""
    return torch.full((frames, 543, 3), torch.nan)


def mirrored(points: torch.Tensor) -> torch.Tensor:
    """Return what a detector says of the mirrored picture."""
    swapped = points[..., list(HOLISTIC_543.mirror), :]
    return swapped * torch.tensor([-1.0, 1, 1]) + torch.tensor([1.0, 0, 0])


def padded(clips: Sequence[torch.Tensor], rest: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return clips as a batch, with ``rest`` behind them, and their lengths."""
    batch = torch.nn.utils.rnn.pad_sequence(list(clips), batch_first=True, padding_value=rest)
    return batch, torch.tensor([len(clip) for clip in clips])


def without_what_is_not_read(points: torch.Tensor, network: Any) -> torch.Tensor:
    """Return points without those that a network does not read, and without depth."""
    others = points.clone()
    others[:, sorted(set(range(543)) - set(network.select.index.tolist()))] = torch.nan
    others[..., 2] = torch.nan
    return others


def count(module: torch.nn.Module) -> int:
    """Return the number of a network's parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def check_batch(network: Any, clips: Sequence[torch.Tensor], rest: float) -> None:
    """Check that a clip alone is read as in a padded batch."""
    with torch.no_grad():
        alone = torch.stack([network(clip) for clip in clips])
        torch.testing.assert_close(network(*padded(clips, rest)), alone, atol=1e-5, rtol=0)


def check_gradients(network: torch.nn.Module, unused: Collection[str] = ()) -> None:
    """Check that a gradient reached every parameter but some."""
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0 or name in unused, name


def session(network: torch.nn.Module, example: tuple[torch.Tensor, ...], names: Sequence[str], axes: Any) -> Any:
    """Return an ONNX session of a network; axes: those of each input that vary."""
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(network, example, dynamo=True, input_names=names, dynamic_shapes=axes)
    return runtime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])


def check_graph(network: Any, clips: Sequence[torch.Tensor]) -> None:
    """Check that the graph of a network that reads signs says what the network says."""
    graph = session(network, (made(5),), ["points"], (FRAMES,))
    for points in clips:
        (found,) = graph.run(None, {"points": points.numpy()})
        expected = network(points).detach().numpy()
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-4)
