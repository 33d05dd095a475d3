"""qonnx's execution of a graph, with onnxruntime sessions that are kept and its checks of values taken at once.

``qonnx.core.onnx_exec.execute_onnx`` makes an onnxruntime session for each node of each execution, with a thread for
each core, and drops it at once. A campaign executes graphs that differ in few nodes hundreds of times. So here a
session is kept by the bytes of its node, and has one thread: nodes of such graphs are too small for several. What
computes is the same as before, qonnx and onnxruntime.

In front of and behind each node qonnx looks how far integers are from whole numbers, with Python's ``max`` over the
elements of an array one by one, which takes longer than all nodes together. `largest` is the same number from numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import onnx

KEPT = 1024
"""Sessions that are kept: those used last. A session of one small node takes some 100 kB."""


def execute(model: onnx.ModelProto, values: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Execute a graph node by node, as ``execute_onnx`` does.

    Args:
        model: with the shapes of all tensors, in topological order.
        values: the inputs by name, of exactly their shapes.

    Returns:
        Every tensor of the execution by name, also constants and inputs.

    Raises:
        Exception: qonnx raises what it likes.
    """
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    with kept_sessions():
        tensors: dict[str, npt.NDArray[np.generic]] = execute_onnx(ModelWrapper(model), dict(values), True)
    return tensors


@contextmanager
def kept_sessions() -> Iterator[None]:
    """While it lasts, all executions by qonnx in this process take kept sessions, and `largest` for ``max``."""
    from qonnx.core import onnx_exec
    from qonnx.util import basic

    runtime = SimpleNamespace(InferenceSession=_session)
    with patch.object(onnx_exec, "rt", runtime), patch.object(basic, "max", largest, create=True):
        yield


def largest(*values: Any) -> Any:
    """What ``max`` gives, also where it is asked for the largest element of an array.

    Python keeps the first element until one is greater, which nothing is than NaN, and NaN is than nothing.

    Raises:
        ValueError: the array is empty, as ``max`` says of it.
    """
    if len(values) != 1 or not isinstance(values[0], np.ndarray) or values[0].ndim != 1:
        return max(*values)
    (elements,) = values
    return elements[0] if len(elements) and np.isnan(elements[0]) else np.fmax.reduce(elements)


@lru_cache(maxsize=KEPT)
def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
