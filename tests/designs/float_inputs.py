"""Graphs of float nodes whose inputs are no pixels: features, signals, integers, channels last; with a scale, bias,
norm or thresholds of their own for each channel or each position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.designs.float_graph import Choose, GraphBuilder

DATATYPES = ("", "INT8", "UINT4", "INT3", "BIPOLAR", "TERNARY", "BINARY", "INT16", "UINT8")
SPANS = {
    "INT8": (-128, 127), "UINT4": (0, 15), "INT3": (-4, 3), "BIPOLAR": (-1, 1), "TERNARY": (-1, 1), "BINARY": (0, 1),
    "INT16": (-32768, 32767), "UINT8": (0, 255),
}  # fmt: skip


@dataclass
class InputGraph:
    """A file and rows for it, as the file has them.

    Attributes:
        rows: of the file's own shape, [N, ...].
        pixels: how the file has to be read.
    """

    model: onnx.ModelProto
    rows: np.ndarray[Any, np.dtype[Any]]
    pixels: Any


def random_input_graph(choose: Choose, rng: np.random.Generator, rows: int = 4) -> InputGraph:
    """A random file with one or two products."""
    datatype = choose(DATATYPES)
    form = choose(["features", "image", "last", "flat image"])
    c, h, w = choose([1, 3]), choose([2, 3]), choose([3, 4])
    shape = {"features": (c * h * w,), "image": (c, h, w), "last": (h, w, c), "flat image": (c * h * w,)}[form]
    builder = GraphBuilder([1, *shape], datatype or None)
    if datatype == "INT8" and choose([True, False]):
        builder.inputs = [helper.make_tensor_value_info("image", TensorProto.INT8, [1, *shape])]
        builder.node("Cast", to=TensorProto.FLOAT)
    axes = {"features": (1, -1), "image": (1, -1, 1, 1), "last": (1, 1, 1, -1), "flat image": (1, -1)}[form]
    parameters = {"features": c * h * w, "flat image": c * h * w, "image": c, "last": c}[form]
    wide = datatype in ("", "INT16") or choose([True, False])
    if wide:
        _prepare(builder, choose, rng, axes, parameters, 300.0 if datatype == "INT16" else 1.0)
        if form in ("features", "flat image") and choose([True, False]):
            _thresholds(builder, rng, parameters, choose([1, 3, 15]))
        elif choose([False, True]):
            builder.node("BipolarQuant", 0.5)
        else:
            builder.quant(float(2.0 ** choose([-2, -4, 0])), choose([2, 3, 8]), choose([1, 0]))
    elif choose([True, False]):
        builder.node("Mul", choose([0.25, 1.0, 2.0]))  # which only scales
    if form == "last":
        builder.node("Transpose", perm=[0, 3, 1, 2])
    elif form == "flat image":
        builder.node("Reshape", builder.constant([1, c, h, w], np.int64))
    if form != "features":
        builder.node("Conv", builder.node("BipolarQuant", 1.0, first=rng.normal(0, 1, (4, c, 2, 2))))
        builder.quant(1.0, 3)
        builder.node("Flatten", axis=1)
    inputs = c * h * w if form == "features" else 4 * (h - 1) * (w - 1)
    builder.node("MatMul", builder.node("BipolarQuant", 1.0, first=rng.normal(0, 1, (inputs, 3))))
    return InputGraph(builder.model(), random_rows(rng, datatype, (rows, *shape)), "auto" if datatype else "none")


def random_rows(rng: np.random.Generator, datatype: str, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[Any]]:
    """Rows of a datatype; real ones for none, some of them exactly between two steps."""
    if datatype:
        low, high = SPANS[datatype]
        found = rng.integers(low, high + 1, shape)
        return np.where(found == 0, 1, found) if datatype == "BIPOLAR" else found
    real = rng.normal(0, 1.5, shape)
    return np.where(rng.random(shape) < 0.5, np.rint(real * 32) / 32, real).astype(rng.choice(["f4", "f8"]))


def _prepare(
    builder: GraphBuilder, choose: Choose, rng: np.random.Generator, axes: tuple[int, ...], count: int, size: float
) -> None:
    """A scale and bias for each channel, also negative ones, or a batch norm."""
    gamma = rng.choice([-1.0, 1.0, 1.0], count) * rng.uniform(0.5, 2, count) / size
    if choose([True, False]):
        builder.node("Sub", rng.normal(0, 0.3, count).reshape(axes))
    if axes[1] == -1 and choose([True, False]):
        builder.node(
            "BatchNormalization", gamma * size, rng.normal(0, 0.3, count), rng.normal(0, 0.3, count),
            rng.uniform(0.5, 2, count) * size**2, epsilon=1e-4,
        )  # fmt: skip
    else:
        builder.node("Mul", gamma.reshape(axes))


def _thresholds(builder: GraphBuilder, rng: np.random.Generator, rows: int, count: int) -> None:
    """A MultiThreshold with thresholds of its own for each feature."""
    values = np.sort(rng.normal(0, 1, (rows, count)), axis=1)
    options = {"out_dtype": "INT8", "out_bias": -1.0, "out_scale": 2.0 if count == 1 else 1.0, "data_layout": "NC"}
    builder.node("MultiThreshold", values, **options)
