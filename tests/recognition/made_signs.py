"""A real recognizer of signs, whose graph averages over a clip what made points say, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bundle_maker import make_bundle, onnx_bytes
from made_reader import FIRST, LABELS, make_points
from onnx import TensorProto, helper, numpy_helper

from signary.bundles.bundle import Bundle
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.load import load
from signary.recognition.signs.recognizer import SignRecognizer

FPS = 30


def make_graph() -> bytes:
    """Make ``points (T, 543, 3) -> logits (7,)``: the mean of `made_reader.make_graph` over the frames with a hand."""
    nodes = [
        helper.make_node("IsNaN", ["points"], ["hidden"]),
        helper.make_node("Where", ["hidden", "nought", "points"], ["known"]),
        helper.make_node("Slice", ["known", "at2", "at9", "axis"], ["logit_points"]),
        helper.make_node("Gather", ["logit_points", "x"], ["rows"], axis=2),
        helper.make_node("ReduceSum", ["rows", "zero"], ["total"], keepdims=0),
        helper.make_node("Slice", ["known", "at1", "at2", "axis"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "x"], ["size"], axis=2),
        helper.make_node("Greater", ["size", "nought"], ["is_seen"]),
        helper.make_node("Cast", ["is_seen"], ["seen"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["seen", "both"], ["count"], keepdims=0),
        helper.make_node("Max", ["count", "one"], ["frames"]),
        helper.make_node("Div", ["total", "frames"], ["logits"]),
    ]
    numbers = {"zero": [0], "both": [0, 1], "axis": [1], "x": 0}
    places = {"at1": [FIRST + 1], "at2": [FIRST + 2], "at9": [FIRST + 2 + len(LABELS)]}
    constants = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (numbers | places).items()]
    constants += [
        numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("nought", 0), ("one", 1))
    ]
    inputs = [helper.make_tensor_value_info("points", TensorProto.FLOAT, ["frames", 543, 3])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [len(LABELS)])]
    return onnx_bytes(helper.make_graph(nodes, "made", inputs, outputs, constants))


def make_sign_bundle(folder: Path, **changes: Any) -> Bundle:
    """Write a bundle of signs with `make_graph`."""
    return make_bundle(folder, LABELS, {"model.onnx": make_graph()}, **({"task": "signs", "thresholds": {}} | changes))


def make_signer(folder: Path, **changes: Any) -> SignRecognizer:
    """Write a bundle of signs and load it."""
    reader = load(make_sign_bundle(folder, **changes).path, threads=1)
    assert isinstance(reader, SignRecognizer)
    return reader


def signed(*parts: tuple[str, float], fps: float = FPS, noise: float = 0.0, seed: int = 0) -> LandmarkSequence:
    """Make a clip of labels ("-" is no hand) and how many seconds each of them lasts."""
    labels = sign_labels(parts, fps)
    return LandmarkSequence(make_points(labels, noise=noise, seed=seed), np.arange(len(labels)) / fps, aspect=1.0)


def sign_labels(parts: Sequence[tuple[str, float]], fps: float = FPS) -> list[str]:
    """Return the label of each frame."""
    return [label for label, seconds in parts for _ in range(round(seconds * fps))]
