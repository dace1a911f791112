"""What a graph has learned, back as the weights of its network, to learn on from."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCOPES = "pkg.torch.onnx.name_scopes"  # the layers that an operator comes from, the innermost last but one


def graph_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Return weights by the names of the network's parameters.

    The exporter keeps those names, but for the weights of linear layers: it turns these over and numbers them.

    Parameters
    ----------
    path : Path
        A graph that torch's exporter wrote. Of a network that was changed before, such as by
        `signary.export.fold.folded`, some weights are those of the changed one.
    """
    import onnx

    graph = onnx.load(path).graph
    weights = {one.name: np.array(onnx.numpy_helper.to_array(one)) for one in graph.initializer}
    for node in graph.node:
        scopes = {said.key: said.value for said in node.metadata_props}.get(SCOPES)
        if node.op_type == "MatMul" and node.input[1] in weights and scopes:
            weights[f"{ast.literal_eval(scopes)[-2]}.weight"] = weights[node.input[1]].T
    return weights
