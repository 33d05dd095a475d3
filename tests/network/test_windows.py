"""Signals (one axis of pixels), padded pools, averages over one axis, channels last: against qonnx's execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.errors import ModelError
from fat_fpga.network import MaxPool
from fat_fpga.network.layers import SumPool
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    """The same numbers in a test whatever runs before it."""
    RNG.bit_generator.state = np.random.default_rng(1).bit_generator.state


def start(*shape: int) -> GraphBuilder:
    builder = GraphBuilder([1, *shape])
    builder.quant(2.0**-7, 8)
    return builder


def weights(builder: GraphBuilder, *shape: int) -> str:
    return builder.quant(0.5, 3, first=RNG.normal(0, 1, shape))


def relu(builder: GraphBuilder, scale: float = 0.5) -> None:
    builder.node("Relu")
    builder.quant(scale, 3, signed=0)


def dense(builder: GraphBuilder, inputs: int) -> None:
    builder.node("Flatten", axis=1)
    builder.node("MatMul", weights(builder, inputs, 4))


def signals(builder: GraphBuilder) -> None:
    builder.node("Conv", weights(builder, 4, 2, 3), pads=[1, 0])
    relu(builder)
    builder.node("MaxPool", kernel_shape=[2], strides=[2])
    builder.node("Conv", weights(builder, 4, 1, 3), group=4, strides=[2], auto_pad="SAME_UPPER")
    relu(builder)
    builder.node("AveragePool", kernel_shape=[2], strides=[1])
    builder.node("Conv", weights(builder, 4, 4, 2), dilations=[1])
    relu(builder)
    dense(builder, 8)


def pool(operator: str, size: int = 64, relu_first: bool = False, **options: Any) -> Callable[[GraphBuilder], None]:
    def build(builder: GraphBuilder) -> None:
        builder.node("Conv", weights(builder, 4, 2, 3, 3), pads=[1, 1, 1, 1])
        relu(builder) if relu_first else builder.quant(0.5, 3)
        if "pad" in options:
            builder.node("Pad", builder.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
        builder.node(operator, **{key: value for key, value in options.items() if key != "pad"})
        builder.quant(0.5, 4)
        dense(builder, size)

    return build


def one_axis(builder: GraphBuilder) -> None:
    builder.node("Conv", weights(builder, 4, 2, 1, 1))
    relu(builder)
    builder.node("ReduceMean", axes=[-2], keepdims=0)
    builder.node("ReduceMax", axes=[2], keepdims=1)
    dense(builder, 4)


def channels_last(builder: GraphBuilder) -> None:
    builder.node("Conv", weights(builder, 4, 2, 1, 1))
    builder.node("Transpose", perm=[0, 2, 3, 1])
    relu(builder)
    builder.node("Pad", builder.constant([0, 1, 0, 0, 0, 0, 2, 0], np.int64))
    builder.node("Transpose", perm=[0, 3, 1, 2])
    builder.node("Conv", weights(builder, 5, 4, 2, 2))
    builder.node("Transpose", perm=[0, 2, 3, 1])
    relu(builder)
    builder.node("MatMul", weights(builder, 5, 6))
    builder.node("Add", RNG.normal(0, 1, 6))
    relu(builder)
    builder.node("ReduceMean", axes=[1, 2], keepdims=0)
    builder.node("MatMul", weights(builder, 6, 3))


CASES: dict[str, tuple[tuple[int, ...], Callable[[GraphBuilder], None]]] = {
    "signals": ((2, 16), signals),
    "padded maximum": ((2, 7, 7), pool("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    "uneven padding": ((2, 8, 8), pool("MaxPool", kernel_shape=[2, 3], strides=[2, 2], pads=[0, 2, 1, 0])),
    "same": ((2, 7, 7), pool("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_LOWER")),
    "ceiled": ((2, 7, 7), pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)),
    "zeros around a maximum": (
        (2, 7, 7),
        pool("MaxPool", relu_first=True, pad=True, kernel_shape=[3, 3], strides=[2, 2]),
    ),
    "zeros around an average": ((2, 6, 6), pool("AveragePool", pad=True, kernel_shape=[2, 2], strides=[2, 2])),
    "padding counts": (
        (2, 7, 7),
        pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1),
    ),
    "padding does not count": (
        (2, 7, 7),
        pool("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    ),
    "ceiled average": ((2, 7, 7), pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)),
    "one axis": ((2, 8, 4), one_axis),
    "channels last": ((2, 8, 4), channels_last),
}


@pytest.mark.parametrize("case", CASES)
def test_against_qonnx(case: str) -> None:
    shape, build = CASES[case]
    builder = start(*shape)
    build(builder)
    check_file(builder.model())


@pytest.mark.parametrize("version", [1, 2])
def test_truncated_averages_of_brevitas(version: int) -> None:
    builder = start(2, 8, 8)
    builder.node("Conv", weights(builder, 4, 2, 1, 1))
    relu(builder)
    builder.node("AveragePool", kernel_shape=[4, 4], strides=[4, 4])
    if version == 1:
        builder.node("Mul", 16.0)
        builder.node("Trunc", 0.5, 0.0, 7.0, 3.0, rounding_mode="FLOOR")
    else:
        builder.node("Trunc", 0.5 / 16, 0.0, 7.0, 0.5, 3.0, rounding_mode="FLOOR", signed=0, narrow=0)
    builder.nodes[-1].domain = "qonnx.custom_op.general"
    dense(builder, 16)
    model = builder.model()
    next(entry for entry in model.opset_import if entry.domain).version = version
    names = [layer.name for layer in check_file(model).layers]
    assert names == ["conv0", "conv0.sum", f"conv0.{'table' if version == 1 else 'thresholding'}", "fc1"]


@st.composite
def windows(draw: st.DrawFn) -> tuple[MaxPool, SumPool, tuple[int, int]]:
    kernel, stride = (draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for _ in range(2))
    top, left, bottom, right = (draw(st.integers(0, kernel[axis % 2] - 1)) for axis in range(4))
    sizes = (draw(st.integers(3, 5)), draw(st.integers(3, 5)))
    multiple = draw(st.sampled_from([0, 36]))
    padding = (top, left, bottom, right)
    return MaxPool("p", kernel, stride, padding=padding), SumPool("s", kernel, stride, "", (), padding, multiple), sizes


@given(windows(), st.integers(0, 2**32 - 1))
def test_pools_by_plain_loops(case: tuple[MaxPool, SumPool, tuple[int, int]], seed: int) -> None:
    maximum, total, (height, width) = case
    x = np.random.default_rng(seed).integers(-9, 9, (1, 2, height, width)).astype(np.int32)
    (down, right), (top, left, _, _) = maximum.stride, maximum.padding
    maxima, sums = maximum.output(x), total.output(x)
    assert maxima.shape == sums.shape == (1, *maximum.output_shape((2, height, width)))
    for n, c, i, j in np.ndindex(*maxima.shape):
        values = [
            x[n, c, y, z]
            for y in range(i * down - top, i * down - top + maximum.kernel[0])
            for z in range(j * right - left, j * right - left + maximum.kernel[1])
            if 0 <= y < height and 0 <= z < width
        ]
        assert maxima[n, c, i, j] == max(values)
        assert sums[n, c, i, j] == sum(values) * (total.multiple // len(values) if total.multiple else 1)


REFUSED: dict[str, tuple[Callable[[GraphBuilder], None], str]] = {
    "dilated": (pool("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]), "dilations are not supported in a pool"),
    "all padding": (pool("MaxPool", kernel_shape=[2, 2], pads=[2, 0, 0, 0]), "is as large as its window"),
    "zeros among negative": (pool("MaxPool", pad=True, kernel_shape=[2, 2]), "of values that may be below 0"),
    "ceiled and counted": (
        pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, count_include_pad=1),
        "ceil_mode with count_include_pad is not supported",
    ),
    "two sizes": (pool("MaxPool", kernel_shape=[2]), "expected a window of 2 sizes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    build, reason = REFUSED[case]
    builder = start(2, 7, 7)
    build(builder)
    with pytest.raises(ModelError, match=reason):
        lower(builder.model(), "network")
