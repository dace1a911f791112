"""Export of networks to ONNX graphs that take raw points or raw pictures."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from signary.bundles.weights import SCOPES
from signary.export.verify import verify_landmark_graph, verify_picture_graph, verify_sign_graph, verify_video_graph
from signary.models.handshape import HandshapeReader
from signary.models.picture import PictureReader
from signary.models.video import VideoReader
from signary.privacy import keep_caches_apart


def export_landmark_graph(network: HandshapeReader, path: Path) -> None:
    """Write a graph: ``points`` (T, 543, 3) and ``aspect`` () to ``logits`` (T, V) and ``hand`` (T, 4).

    ``aspect`` is optional, by default 0, not known. A graph that computes something else than the network is deleted.

    Parameters
    ----------
    network : HandshapeReader
    path : Path

    Raises
    ------
    BundleError
        If the graph computes something else than the network.
    """
    import onnx

    example = (torch.rand(5, 543, 3), torch.tensor(1.0))
    shapes: Any = ({0: torch.export.Dim("frames", min=1)}, {})
    model = traced(network, example, ["points", "aspect"], ["logits", "hand"], shapes)
    model.graph.initializer.append(onnx.numpy_helper.from_array(torch.tensor(0.0).numpy(), "aspect"))
    with verified(model, path):
        verify_landmark_graph(network, path)


def export_picture_graph(network: PictureReader, path: Path) -> None:
    """Write a graph: ``pictures`` uint8 (B, S, S, 3) to ``logits`` (B, V).

    Parameters
    ----------
    network : PictureReader
    path : Path

    Raises
    ------
    BundleError
        If the graph computes something else than the network.
    """
    side = network.side
    example = (torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8),)
    shapes = ({0: torch.export.Dim("pictures", min=1)},)
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    model = traced(network, example, ["pictures"], ["logits"], shapes)
    with verified(model, path):
        verify_picture_graph(network, path)


def export_sign_graph(network: nn.Module, path: Path) -> None:
    """Write a graph: ``points`` (T, 543, 3), T 1 or more, to ``logits`` (V,).

    Parameters
    ----------
    network : Module
        From points float32 (T, 543, 3) to logits float32 (V,): a `SignNetwork`, or the mean of several.
    path : Path

    Raises
    ------
    BundleError
        If the graph computes something else than the network.
    """
    shapes = ({0: torch.export.Dim("frames", min=1)},)
    model = traced(network, (torch.rand(70, 543, 3),), ["points"], ["logits"], shapes)
    with verified(model, path):
        verify_sign_graph(network, path)


def export_video_graph(network: VideoReader, path: Path) -> None:
    """Write a graph: ``pictures`` uint8 (T, S, S, 3), with the network's number of frames T, to ``logits`` (V,).

    Parameters
    ----------
    network : VideoReader
    path : Path

    Raises
    ------
    BundleError
        If the graph computes something else than the network.
    """
    side = network.backbone.side
    example = (torch.randint(0, 256, (network.frames, side, side, 3), dtype=torch.uint8),)
    with verified(traced(network, example, ["pictures"], ["logits"], None), path):
        verify_video_graph(network, path)


def traced(
    network: nn.Module,
    example: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    shapes: Any,
    *,
    opset: int | None = None,
) -> Any:
    """Return the ONNX model of a network, without this machine's file paths; parameters as of ``torch.onnx.export``."""
    keep_caches_apart()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet_logs():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network.eval(),
            example,
            dynamo=True,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            opset_version=opset,
        )
    assert program is not None
    return without_traces(program.model_proto)


def without_traces(model: Any) -> Any:
    """Remove from an ONNX model, in place, all that says which code made it, but for the names of layers."""
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info):
        kept = [entry for entry in part.metadata_props if entry.key == SCOPES]
        del part.metadata_props[:]
        part.metadata_props.extend(kept)
    return model


@contextlib.contextmanager
def verified(model: Any, path: Path) -> Iterator[None]:
    """Write a graph, and delete it again if the body fails."""
    import onnx

    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    try:
        yield
    except BaseException:
        path.unlink()
        raise


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
