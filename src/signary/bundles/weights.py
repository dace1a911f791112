"""The weights of a network from its graph, to continue training."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCOPES = "pkg.torch.onnx.name_scopes"  # the layers of an operator, the innermost last but one


def graph_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Return the weights in a graph of torch's exporter by the names of the network's parameters.

    The exporter transposes and renames the weights of linear layers. If the network was changed before the export, as
    by `signary.export.fold.folded`, some weights are those of the changed one.
    """
    import onnx

    graph = onnx.load(path).graph
    weights = {one.name: np.array(onnx.numpy_helper.to_array(one)) for one in graph.initializer}
    for node in graph.node:
        scopes = {said.key: said.value for said in node.metadata_props}.get(SCOPES)
        if node.op_type == "MatMul" and node.input[1] in weights and scopes:
            weights[f"{ast.literal_eval(scopes)[-2]}.weight"] = weights[node.input[1]].T
    return weights
