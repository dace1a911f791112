"""Run an ONNX graph of a bundle with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import BundleError, InputError, ShapeError
from signary.jobs.worker import cores
from signary.privacy import import_onnxruntime

MAX_THREADS = 4
CPU = "CPUExecutionProvider"

Shape = tuple[int | str | None, ...]

_DTYPES: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "tensor(float16)": np.float16,
        "tensor(float)": np.float32,
        "tensor(double)": np.float64,
        "tensor(bool)": np.bool_,
        **{f"tensor({kind.__name__})": kind for kind in (np.int8, np.int16, np.int32, np.int64)},
        **{f"tensor({kind.__name__})": kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64)},
    }
)


class Graph:
    """One graph.

    Parameters
    ----------
    graph : Path
        An ONNX file, with any external data beside it.
    threads : int, optional
        Per operator; by default the number of cores, 4 at most.
    providers : sequence of str
        Execution providers of ONNX Runtime, the preferred one first.

    Raises
    ------
    BundleError
        If the graph is missing or cannot be loaded.
    InputError
        If ``threads`` is below 1 or a provider is not installed.
    """

    def __init__(self, graph: str | Path, *, threads: int | None = None, providers: Sequence[str] = (CPU,)) -> None:
        onnxruntime = import_onnxruntime()
        self.graph = Path(graph)
        _check_providers(providers, onnxruntime.get_available_providers())
        options = _session_options(threads)
        if not self.graph.is_file():
            raise BundleError(f"{self.graph}: no such graph", hint="fetch or export the bundle again")
        try:
            self._session = onnxruntime.InferenceSession(self.graph, sess_options=options, providers=list(providers))
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            hint = "fetch or export the bundle again; a newer onnxruntime may be needed"
            raise BundleError(f"{self.graph}: cannot be loaded ({_first_line(error)})", hint=hint) from error
        required, optional = self._session.get_inputs(), self._session.get_overridable_initializers()
        self._inputs = {put.name: put for put in (*required, *optional)}
        self._optional = frozenset(put.name for put in optional)
        self._outputs = [put.name for put in self._session.get_outputs()]
        self._run_options = onnxruntime.RunOptions()
        self._run_options.log_severity_level = 4  # errors are raised, not also printed

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of all inputs, optional ones last."""
        return tuple(self._inputs)

    @property
    def optional_names(self) -> frozenset[str]:
        """Names of the inputs with a default value in the graph."""
        return self._optional

    @property
    def input_shapes(self) -> dict[str, Shape]:
        """Shape of each input; an axis of any length is a name or None."""
        return {name: tuple(put.shape) for name, put in self._inputs.items()}

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return tuple(self._outputs)

    def run(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run the graph once; thread-safe.

        Parameters
        ----------
        **inputs : arrays
            By input name. A dtype is converted to the graph's if that loses at most precision (float64 to float32,
            integer to float).

        Returns
        -------
        dict of str to array
            By output name.

        Raises
        ------
        ShapeError
            If an array has another rank, length or dtype than the input.
        InputError
            If an input is missing or unknown, or the graph fails on these values.
        """
        self._check_names(inputs)
        feed = {name: _fitting(name, array, self._inputs[name]) for name, array in inputs.items()}
        try:
            results = self._session.run(self._outputs, feed, self._run_options)
        except Exception as error:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in feed.items())
            hint = f"takes {self.input_shapes}"
            raise InputError(f"{shapes}: {self.graph.name} fails ({_first_line(error)})", hint=hint) from error
        return dict(zip(self._outputs, results, strict=True))

    def _check_names(self, inputs: Mapping[str, object]) -> None:
        known = f"inputs of {self.graph.name}: {', '.join(self._inputs)}"
        if unknown := sorted(inputs.keys() - self._inputs.keys()):
            raise InputError(f"{', '.join(unknown)}: no such input", hint=known)
        if lacking := sorted(self._inputs.keys() - self._optional - inputs.keys()):
            raise InputError(f"{', '.join(lacking)}: not given", hint=known)


def _check_providers(providers: Sequence[str], available: Sequence[str]) -> None:
    for provider in providers:
        if provider not in available:
            raise InputError(f"{provider!r}: no such execution provider", hint=f"installed: {', '.join(available)}")


def _session_options(threads: int | None) -> Any:
    if threads is not None and threads < 1:
        raise InputError(f"threads={threads}, must be 1 or more", hint="leave it out for the number of cores")
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(MAX_THREADS, cores())
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    # separate add and normalize are faster: 6 ms instead of 26 in the encoder of fingerspelling
    options.add_session_config_entry("optimization.disable_specified_optimizers", "SkipLayerNormFusion")
    options.add_session_config_entry("session.dynamic_block_base", "4")  # idle threads take the remaining blocks
    # threads that sleep between operators wake late; those that spin between frames take the detector's cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def _fitting(name: str, array: NDArray[Any], put: Any) -> NDArray[Any]:
    array = np.asarray(array)
    expected: Shape = tuple(put.shape)
    fixed = [(length, given) for length, given in zip(expected, array.shape, strict=False) if isinstance(length, int)]
    if len(expected) != array.ndim or any(length != given for length, given in fixed):
        raise ShapeError(f"{name}.shape={array.shape}, must be {_shape_text(expected)}", hint="see input_shapes")
    dtype = _DTYPES.get(put.type)
    if dtype is None:
        return array
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ShapeError(f"{name}.dtype={array.dtype}, must be {np.dtype(dtype)}", hint="convert it on purpose")
    return np.ascontiguousarray(array, dtype) if array.ndim else array.astype(dtype)


def _shape_text(shape: Shape) -> str:
    names = ["any" if length is None else str(length) for length in shape]
    return f"({', '.join(names)}{',' * (len(names) == 1)})"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
