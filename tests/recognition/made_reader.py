"""A real recognizer whose graph reads what made points say, and sources and detectors that hand on made points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from bundle_maker import make_bundle, onnx_bytes
from onnx import TensorProto, helper, numpy_helper

from signary.landmarks.sequence import Points
from signary.landmarks.skeleton import RIGHT_HAND
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer
from signary.video.frame import Frame

LABELS = ("A", "B", "I", "J", "D", "Z", "nothing")
FIRST = RIGHT_HAND.start


def make_graph() -> bytes:
    """Make ``points (T, 543, 3) -> logits (T, 7), hand (T, 4)``.

    Of the right hand, x and y of point 0 are its center, x of point 1 its size, x of points 2 to 8 the logits.
    """
    nodes = [
        helper.make_node("IsNaN", ["points"], ["hidden"]),
        helper.make_node("Where", ["hidden", "nought", "points"], ["known"]),
        helper.make_node("Slice", ["known", "at2", "at9", "axis"], ["logit_points"]),
        helper.make_node("Gather", ["logit_points", "x"], ["logits"], axis=2),
        helper.make_node("Slice", ["known", "at0", "at1", "axis"], ["center_point"]),
        helper.make_node("Squeeze", ["center_point", "axis"], ["center3"]),
        helper.make_node("Slice", ["center3", "zero", "two", "axis"], ["center"]),
        helper.make_node("Slice", ["known", "at1", "at2", "axis"], ["size_point"]),
        helper.make_node("Squeeze", ["size_point", "axis"], ["size3"]),
        helper.make_node("Slice", ["size3", "zero", "one", "axis"], ["size"]),
        helper.make_node("Greater", ["size", "nought"], ["is_seen"]),
        helper.make_node("Cast", ["is_seen"], ["seen"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["center", "size", "seen"], ["hand"], axis=1),
    ]
    numbers = {"zero": [0], "one": [1], "two": [2], "axis": [1], "x": 0}
    places = {"at0": [FIRST], "at1": [FIRST + 1], "at2": [FIRST + 2], "at9": [FIRST + 2 + len(LABELS)]}
    constants = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (numbers | places).items()]
    constants.append(numpy_helper.from_array(np.array(0, np.float32), "nought"))
    inputs = [
        helper.make_tensor_value_info("points", TensorProto.FLOAT, ["frames", 543, 3]),
        helper.make_tensor_value_info("aspect", TensorProto.FLOAT, []),
    ]
    nodes.append(helper.make_node("Identity", ["aspect"], ["unused"]))
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["frames", len(LABELS)]),
        helper.make_tensor_value_info("hand", TensorProto.FLOAT, ["frames", 4]),
        helper.make_tensor_value_info("unused", TensorProto.FLOAT, []),
    ]
    return onnx_bytes(helper.make_graph(nodes, "made", inputs, outputs, constants))


def make_reader(folder: Path) -> Recognizer:
    """Write a bundle with `make_graph` and load it."""
    return load(make_bundle(folder, LABELS, {"model.onnx": make_graph()}).path, threads=1)


def make_points(
    labels: Sequence[str], centers: np.ndarray | None = None, *, noise: float = 0.0, seed: int = 0
) -> Points:
    """Make points float32 (T, 543, 3) of a hand that shows one label a frame; "-" is no hand."""
    random = np.random.default_rng(seed)
    points = np.full((len(labels), 543, 3), np.nan, np.float32)
    for frame, label in enumerate(labels):
        if label == "-":
            continue
        hand = np.zeros((21, 3), np.float32)
        hand[0, :2] = (0.5, 0.5) if centers is None else centers[frame]
        hand[1, 0] = 0.1
        hand[2 : 2 + len(LABELS), 0] = noise * random.standard_normal(len(LABELS))
        hand[2 + LABELS.index(label), 0] += 6
        points[frame, RIGHT_HAND] = hand
    return points


class MadeFrames:
    """A source of black frames, as many as there are made points."""

    name, is_still, is_live = "made", False, False

    def __init__(self, count: int, fps: float) -> None:
        self.frame_count: int | None = count
        self.fps, self.warnings = fps, list[str]()

    def __iter__(self) -> Iterator[Frame]:
        image = np.zeros((4, 4, 3), np.uint8)
        for index in range(self.frame_count or 0):
            yield Frame(image, index, index / self.fps)

    def close(self) -> None:
        """Hold nothing."""

    def __enter__(self) -> MadeFrames:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class MadeDetector:
    """A detector that finds made points, float32 (T, 543, 3)."""

    def __init__(self, points: Points) -> None:
        self.points, self.resets = points, 0

    def detect(self, frame: Frame) -> Points:
        """Return the points of that frame."""
        return self.points[frame.index]

    def looks(self, frame: Frame) -> Points:
        """Return one view of a photo."""
        return self.detect(frame)[None]

    def reset(self) -> None:
        """Count."""
        self.resets += 1

    def close(self) -> None:
        """Hold nothing."""

    def __enter__(self) -> MadeDetector:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
