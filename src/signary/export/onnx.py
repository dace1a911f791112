"""Networks to ONNX graphs that take raw points."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path

import torch

from signary.export.verify import verify_graph
from signary.models.handshape import HandshapeReader


def export_graph(network: HandshapeReader, path: Path) -> None:
    """Write a graph: ``points`` (T, 543, 3) and ``aspect`` () to ``logits`` (T, V) and ``hand`` (T, 4).

    ``aspect`` may be left out: the graph holds 0, not known. The graph is compared with the network before it stays.

    Parameters
    ----------
    network : HandshapeReader
    path : Path

    Raises
    ------
    BundleError
        If the graph says something else than the network.
    """
    import onnx

    network = network.eval()
    example = (torch.rand(5, 543, 3), torch.tensor(1.0))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet_logs():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            input_names=["points", "aspect"],
            output_names=["logits", "hand"],
            dynamic_shapes=({0: torch.export.Dim("frames", min=1)}, {}),
        )
    assert program is not None
    graph = program.model_proto
    graph.graph.initializer.append(onnx.numpy_helper.from_array(torch.tensor(0.0).numpy(), "aspect"))
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString())
    verify_graph(network, path)


@contextlib.contextmanager
def _quiet_logs():  # type: ignore[no-untyped-def]
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
