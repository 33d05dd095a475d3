"""Float graphs with residual blocks, as Brevitas exports them, and integers from qonnx's execution to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from tests.designs.float_graph import Choose, GraphBuilder


@dataclass
class Residual:
    """A graph with what to look at.

    Attributes:
        sums: output of each addition, in order, and the real value of one step of it.
        accumulators: tensor behind the last product, and the real value of one step of it.
    """

    model: onnx.ModelProto
    sums: list[tuple[str, float]]
    accumulators: tuple[str, float]


def residual_graph(choose: Choose, rng: np.random.Generator) -> Residual:
    """A stem, one or two residual blocks, an average over the image or none, a fully connected layer.

    All scales are powers of two, so that float32 is exact.
    """
    builder = GraphBuilder([1, choose([1, 3]), 6, 6])
    builder.quant(2.0**-7, 8)
    step = 2.0**-7
    channels, size = builder.inputs[0].type.tensor_type.shape.dim[1].dim_value, 6
    step = _convolution(builder, choose, rng, step, channels, channels := choose([4, 6]), 3, 1)
    step = _activation(builder, choose, channels, rng, step)
    sums = []
    for _ in range(choose([1, 2])):
        start, start_step, before = builder.tensor, step, channels
        stride = choose([1, 2])
        channels = choose([before, 5])
        step = _convolution(builder, choose, rng, step, before, channels, 3, stride)
        common = float(2.0 ** choose([-2, -1, 0]))
        _norm(builder, rng, channels, step)
        main_step = common
        builder.quant(common, choose([2, 3, 4]))
        main = builder.tensor
        builder.tensor = start
        shortcut_step = start_step
        if stride > 1 or channels != before or choose([True, False]):
            if stride > 1 or channels != before:
                step = _convolution(builder, choose, rng, start_step, before, channels, 1, stride)
                _norm(builder, rng, channels, step)
            shortcut_step = common * choose([1, 2, 0.25])
            builder.quant(shortcut_step, choose([2, 3, 4]))
        pair = [main, builder.tensor] if choose([True, False]) else [builder.tensor, main]
        builder.tensor = pair[0]
        builder.node("Add", pair[1])
        step = min(main_step, shortcut_step)
        sums.append((builder.tensor, step))
        size = (size - 1) // stride + 1
        if choose([True, False]):
            if choose([True, False]):
                builder.node("Relu")
            step = float(2.0 ** choose([-1, 0, 1]))
            builder.quant(step, choose([2, 3, 4]), signed=0)
        if size > 3 and choose([False, True]):
            builder.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            size //= 2
    form = choose(["GlobalAveragePool", "ReduceMean", "AveragePool", ""])
    if form and size & (size - 1) == 0:  # a division that is exact
        forms: dict[str, dict[str, Any]] = {
            "AveragePool": {"kernel_shape": [size, size]},
            "ReduceMean": {"axes": [2, 3], "keepdims": 1},
        }
        builder.node(form, **forms.get(form, {}))
        step, size = step / size**2, 1
    builder.node("Flatten", axis=1)
    weights = builder.quant(0.5, 3, first=rng.normal(0, 1, (channels * size * size, choose([3, 10]))))
    builder.node("MatMul", weights)
    return Residual(builder.model(), sums, (builder.tensor, step * 0.5))


def _convolution(
    builder: GraphBuilder, choose: Choose, rng: np.random.Generator, step: float, before: int, behind: int, size: int,
    stride: int,
) -> float:  # fmt: skip
    """A convolution of the same size, but for its stride; the real value of a step of its sums."""
    scale = float(2.0 ** choose([-1, -2]))
    groups = choose([1, before]) if behind % before == 0 else 1
    floats = rng.normal(0, 0.6, (behind, before // groups, size, size))
    weights = builder.quant(scale, choose([2, 3]), narrow=1, first=floats)
    dilation = choose([1, 2]) if size == 3 else 1
    options = {"kernel_shape": [size] * 2, "strides": [stride] * 2, "pads": [size // 2 * dilation] * 4}
    builder.node("Conv", weights, group=groups, dilations=[dilation] * 2, **options)
    return step * scale


def _norm(builder: GraphBuilder, rng: np.random.Generator, channels: int, step: float) -> None:
    gain = rng.choice([-1.0, 1.0, 1.0], channels) * rng.uniform(0.5, 2, channels)
    mean, variance = rng.normal(0, 4 * step, channels), rng.uniform(0.5, 2, channels) * (8 * step) ** 2
    builder.node("BatchNormalization", gain, rng.normal(0, 0.3, channels), mean, variance, epsilon=1e-4)


def _activation(builder: GraphBuilder, choose: Choose, channels: int, rng: np.random.Generator, step: float) -> float:
    _norm(builder, rng, channels, step)
    builder.node("Relu")
    step = float(2.0 ** choose([-1, 0]))
    builder.quant(step, choose([2, 3]), signed=0)
    return step
