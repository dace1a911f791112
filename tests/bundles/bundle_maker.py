"""A small real bundle for tests: its graph runs, its manifest is whole, and nothing had to be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from signary.bundles.bundle import Bundle
from signary.bundles.manifest import BundleManifest, Calibration, Score, TrainingSource
from signary.bundles.write import write_bundle

TRAINED_ON = ("0" * 64, "a" * 64, "f" * 64)


def make_graph(points: int = 543, labels: int = 3) -> bytes:
    """Make a graph ``points (T, points, 3) -> logits (T, labels)``.

    The logits are the coordinates of the first point: label 0 is read where its x is the largest, 1 where its y is,
    2 where its z is; further labels stay at 0.
    """
    weights = np.eye(3, labels, dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["points", "first"], ["point"], axis=1),
            helper.make_node("MatMul", ["point", "weights"], ["logits"]),
        ],
        "first point",
        [helper.make_tensor_value_info("points", TensorProto.FLOAT, ["frames", points, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["frames", labels])],
        [numpy_helper.from_array(np.array(0), "first"), numpy_helper.from_array(weights, "weights")],
    )
    return onnx_bytes(graph)


def onnx_bytes(graph: onnx.GraphProto) -> bytes:
    """Wrap a graph as a checked model of an operator set that every supported ONNX Runtime reads."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def make_manifest(labels: Sequence[str] = ("A", "B", "nothing"), **changes: Any) -> BundleManifest:
    """Make a whole manifest of a letters model; ``changes`` replaces fields."""
    fields: dict[str, Any] = {
        "name": "demo",
        "version": "1.0",
        "task": "letters",
        "input": "landmarks",
        "skeleton": "HOLISTIC_543",
        "graphs": {"model": "model.onnx"},
        "vocabulary": list(labels),
        "silent": [label for label in labels if label == "nothing"],
        "aliases": {},
        "sign_language": "ase",
        "region": "United States",
        "thresholds": {"confidence": 0.5},
        "calibration": Calibration(temperature=1.5, fitted_on="fold 0", ece=0.01),
        "scores": [
            Score(
                data="made up",
                split="left out",
                n=40,
                metrics={"balanced_accuracy": 0.8, "accuracy": 0.9},
                command="signary evaluate demo DATA",
            )
        ],
        "parameters": 9,
        "training": [
            TrainingSource(name="one", licence="CC0-1.0", files=2, sha256="1" * 64),
            TrainingSource(name="two", licence="MIT", files=1, sha256="2" * 64),
            TrainingSource(name="three", licence="CC0-1.0", files=0, sha256="3" * 64),
        ],
        "training_files": "training_files.txt",
        "recipe": {"name": "demo", "trainer": {"max_steps": 3, "lr": 1e-3}, "sources": ["one", None]},
        "created_with": "signary 0.1.0",
    }
    return BundleManifest(**{**fields, **changes})


def make_bundle(
    folder: Path,
    labels: Sequence[str] = ("A", "B", "nothing"),
    files: Mapping[str, Path | bytes | str] | None = None,
    force: bool = False,
    **changes: Any,
) -> Bundle:
    """Write a bundle with the graph of `make_graph` into ``folder``; ``files`` adds to or replaces its files."""
    contents: dict[str, Path | bytes | str] = {
        "model.onnx": make_graph(labels=len(labels)),
        "README.md": "# Demo\n\nReads nothing of use; für Tests.\n",
        "training_files.txt": "\n".join(TRAINED_ON) + "\n",
    }
    return write_bundle(folder, make_manifest(labels, **changes), {**contents, **(files or {})}, force=force)
