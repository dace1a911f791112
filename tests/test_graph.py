"""Graphs run, and errors name the inputs that do not fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from signary.errors import BundleError, InputError, ShapeError
from signary.graph import Graph


def save(path: Path, graph: onnx.GraphProto) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def value(name: str, shape: list[int | str | None], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


@pytest.fixture
def scaled(tmp_path: Path) -> Path:
    """``scaled = points * scale`` and ``total = sum(points)``; ``scale`` is 2 unless given."""
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["points", "scale"], ["scaled"]),
            helper.make_node("ReduceSum", ["points"], ["total"], keepdims=0),
        ],
        "scaled",
        [value("points", ["frames", None, 3]), value("scale", [1])],
        [value("scaled", ["frames", None, 3]), value("total", [])],
        [numpy_helper.from_array(np.array([2], np.float32), "scale")],
    )
    return save(tmp_path / "scaled.onnx", graph)


@pytest.fixture
def points() -> np.ndarray:
    return np.arange(12, dtype=np.float32).reshape(2, 2, 3)


def test_run_returns_every_output_by_name(scaled: Path, points: np.ndarray) -> None:
    results = Graph(scaled).run(points=points)
    assert list(results) == ["scaled", "total"]
    np.testing.assert_array_equal(results["scaled"], points * 2)
    assert results["total"] == 66
    assert results["scaled"].dtype == np.float32


def test_an_input_with_a_value_in_the_graph_may_be_left_out_or_given(scaled: Path, points: np.ndarray) -> None:
    backend = Graph(scaled)
    assert backend.input_names == ("points", "scale")
    assert backend.optional_names == {"scale"}
    np.testing.assert_array_equal(backend.run(points=points, scale=np.float32([5]))["scaled"], points * 5)
    np.testing.assert_array_equal(backend.run(points=points)["scaled"], points * 2)


def test_names_and_shapes_of_the_graph(scaled: Path) -> None:
    backend = Graph(str(scaled))
    assert backend.graph == scaled
    assert backend.input_shapes == {"points": ("frames", None, 3), "scale": (1,)}
    assert backend.output_names == ("scaled", "total")


def test_nan_goes_through(scaled: Path, points: np.ndarray) -> None:
    points[0] = np.nan
    np.testing.assert_array_equal(Graph(scaled).run(points=points)["scaled"], points * 2)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64, np.uint8, np.bool_])
def test_numbers_are_brought_to_the_dtype_of_the_graph(scaled: Path, dtype: type) -> None:
    points = np.ones((1, 2, 3), dtype)
    assert Graph(scaled).run(points=points)["total"] == 6


def test_views_and_empty_clips_run(scaled: Path, points: np.ndarray) -> None:
    backend = Graph(scaled)
    np.testing.assert_array_equal(backend.run(points=points[::-1, :, ::-1])["scaled"], points[::-1, :, ::-1] * 2)
    assert backend.run(points=points[:0])["scaled"].shape == (0, 2, 3)


def test_scalars_stay_scalars(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Neg", ["step"], ["back"])],
        "scalar",
        [value("step", [], TensorProto.INT64)],
        [value("back", [], TensorProto.INT64)],
    )
    back = Graph(save(tmp_path / "scalar.onnx", graph)).run(step=np.array(3))["back"]
    assert (back.shape, back) == ((), -3)


@pytest.mark.parametrize("shape", [(2, 3), (2, 2, 2), (1, 2, 2, 3), ()])
def test_wrong_shape_names_both(scaled: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as caught:
        Graph(scaled).run(points=np.zeros(shape, np.float32))
    assert caught.value.message == f"points.shape={shape}, must be (frames, any, 3)"


def test_wrong_shape_of_an_optional_input(scaled: Path, points: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"scale\.shape=\(2,\), must be \(1,\)"):
        Graph(scaled).run(points=points, scale=np.zeros(2, np.float32))


@pytest.mark.parametrize("dtype", [np.complex64, np.str_, np.object_])
def test_wrong_dtype(scaled: Path, dtype: type) -> None:
    with pytest.raises(ShapeError, match=r"points\.dtype=.*, must be float32"):
        Graph(scaled).run(points=np.zeros((1, 2, 3), dtype))


def test_floats_are_not_cut_to_whole_numbers(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["tokens"], ["same"])],
        "tokens",
        [value("tokens", ["length"], TensorProto.INT64)],
        [value("same", ["length"], TensorProto.INT64)],
    )
    backend = Graph(save(tmp_path / "tokens.onnx", graph))
    assert backend.run(tokens=np.int32([4, 2]))["same"].tolist() == [4, 2]
    with pytest.raises(ShapeError, match=r"tokens\.dtype=float64, must be int64"):
        backend.run(tokens=np.array([0.5]))


def test_inputs_of_the_wrong_name(scaled: Path, points: np.ndarray) -> None:
    backend = Graph(scaled)
    with pytest.raises(InputError, match="pints: no such input") as caught:
        backend.run(pints=points)
    assert caught.value.hint == "inputs of scaled.onnx: points, scale"
    with pytest.raises(InputError, match="points: not given"):
        backend.run(scale=np.float32([1]))


def test_a_graph_that_fails_says_on_what(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["points", "sevens"], ["rows"])],
        "sevens",
        [value("points", ["count"])],
        [value("rows", [7, None])],
        [numpy_helper.from_array(np.array([7, -1]), "sevens")],
    )
    backend = Graph(save(tmp_path / "sevens.onnx", graph))
    assert backend.run(points=np.zeros(14, np.float32))["rows"].shape == (7, 2)
    with pytest.raises(InputError, match=r"points \(6,\): sevens\.onnx fails") as caught:
        backend.run(points=np.zeros(6, np.float32))
    assert "\n" not in caught.value.message
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"junk", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_file_that_is_no_graph(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.onnx: cannot be loaded") as caught:
        Graph(tmp_path / "model.onnx")
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert capfd.readouterr().err == ""


def test_a_graph_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "model.onnx", tmp_path):
        with pytest.raises(BundleError, match="no such graph"):
            Graph(path)


def test_external_weights_lie_beside_the_graph(tmp_path: Path) -> None:
    weights = np.arange(600, dtype=np.float32).reshape(3, 200)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        "external",
        [value("x", ["frames", 3])],
        [value("y", ["frames", 200])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    x = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(Graph(tmp_path / "model.onnx").run(x=x)["y"], weights)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(BundleError, match=r"weights\.bin"):
        Graph(tmp_path / "model.onnx")


@pytest.mark.parametrize(("threads", "expected"), [(None, range(1, 5)), (1, [1]), (3, [3])])
def test_threads(scaled: Path, threads: int | None, expected: list[int]) -> None:
    options = Graph(scaled, threads=threads)._session.get_session_options()
    assert options.intra_op_num_threads in expected
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "1"
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    assert options.log_severity_level == 3
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


@pytest.mark.parametrize("threads", [0, -1])
def test_too_few_threads(scaled: Path, threads: int) -> None:
    with pytest.raises(InputError, match=f"threads={threads}"):
        Graph(scaled, threads=threads)


def test_unknown_provider_lists_the_installed_ones(scaled: Path) -> None:
    with pytest.raises(InputError, match="'WarpDriveExecutionProvider'") as caught:
        Graph(scaled, providers=["WarpDriveExecutionProvider"])
    assert "CPUExecutionProvider" in caught.value.hint


def test_import_waits_for_the_first_graph() -> None:
    program = "import sys, signary.graph; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "onnx", "onnxruntime", "cv2", "av", "mediapipe"} & set(loaded)
