"""FINN's hardware layers that join, move and rescale streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import helper

from fat_fpga.network.datatypes import span_of
from fat_fpga.network.lowering.forms.options import option
from fat_fpga.network.lowering.forms.rewriting import QONNX, Rewriter, Rule, Unfolded
from fat_fpga.network.lowering.graph import Node, refuse

ELEMENT_WISE = {
    **{name: name for name in ("Add", "Sub", "Mul", "Div", "And", "Or", "Xor", "Equal", "Less", "LessOrEqual")},
    **{name: name for name in ("Greater", "GreaterOrEqual", "Max")},
    "Maximum": "Max",
    "Minimum": "Min",
}
"""What follows ``Elementwise`` in a layer's name, and the standard operator that it is."""


def _same_as(operator: str) -> Rule:
    def rule(node: Node, rewriter: Rewriter) -> None:
        rewriter.emit(node, operator, node.input, node.output[0])

    return rule


def _concatenated(node: Node, rewriter: Rewriter) -> None:
    rewriter.emit(node, "Concat", node.input, node.output[0], axis=-1)


def _of_two(node: Node, rewriter: Rewriter) -> None:
    """StreamingEltwise."""
    kind = option(node, "eltwiseOp")
    if kind in ("Add", "Sub"):
        rewriter.emit(node, kind, node.input, node.output[0])
        return
    if kind != "AbsDiff":
        raise refuse(node, f"unknown eltwiseOp {kind}")
    rewriter.emit(node, "Abs", [rewriter.emit(node, "Sub", node.input)], node.output[0])


def _split(node: Node, rewriter: Rewriter) -> None:
    """StreamingSplit: along the channels, which are last."""
    sizes = [int(size) for size in option(node, "ChannelsPerStream")]
    inputs, options = [str(node.input[0])], dict[str, Any](axis=-1)
    if rewriter.opset < 13:
        options["split"] = sizes
    else:
        inputs.append(rewriter.store(sizes, node.output[0], dtype=np.int64))
    rewriter.add(helper.make_node("Split", inputs, list(node.output), name=node.name, **options))


def _cropped(node: Node, rewriter: Rewriter) -> None:
    """Crop: rows and columns at the edges are left out."""
    height, width = (int(size) for size in option(node, "ImgDim"))
    north, south, west, east = (int(option(node, f"Crop{side}", 0)) for side in ("North", "South", "West", "East"))
    starts, ends, axes = [north, west], [height - south, width - east], [1, 2]
    if rewriter.opset < 10:
        rewriter.emit(node, "Slice", [node.input[0]], node.output[0], starts=starts, ends=ends, axes=axes)
        return
    stored = [rewriter.store(values, node.output[0], dtype=np.int64) for values in (starts, ends, axes)]
    rewriter.emit(node, "Slice", [node.input[0], *stored], node.output[0])


def _reshaped(node: Node, rewriter: Rewriter) -> None:
    """Reshape, Squeeze and Unsqueeze: the same values in the same order."""
    _reshape(node, rewriter, node.input[0], option(node, "out_shape"), node.output[0])


def _reshape(node: Node, rewriter: Rewriter, tensor: str, shape: Sequence[int], output: str = "") -> str:
    stored = rewriter.store([int(size) for size in shape], node.output[0], dtype=np.int64)
    return rewriter.emit(node, "Reshape", [tensor, stored], output)


def _shuffled(node: Node, rewriter: Rewriter) -> None:
    """Shuffle, OuterShuffle: a transposition between two reshapes."""
    before = _reshape(node, rewriter, node.input[0], option(node, "transpose_in_shape"))
    made = rewriter.emit(node, "Transpose", [before], perm=[int(axis) for axis in option(node, "perm")])
    _reshape(node, rewriter, made, option(node, "out_shape"), node.output[0])


def _swapped(node: Node, rewriter: Rewriter) -> None:
    """InnerShuffle: the last two axes change places."""
    axes = list(range(rewriter.axes_of(node.input[0]) or len(option(node, "in_shape"))))
    axes[-2:] = axes[-1], axes[-2]
    rewriter.emit(node, "Transpose", [node.input[0]], node.output[0], perm=axes)


def _sampled(node: Node, rewriter: Rewriter) -> None:
    """DownSampler: every so many rows and columns, for a product with a window of one pixel."""
    stride = int(option(node, "Stride"))
    strides = (1 if option(node, "is1D", 0) else stride, stride)
    rewriter.unfolded[node.output[0]] = Unfolded(node.input[0], (1, 1), strides, (1, 1))


def _rescaled(node: Node, rewriter: Rewriter) -> None:
    """Requant: ``clip(floor(scale * x + bias + 0.5))``, with numbers for the tensor or for each channel."""
    datatype = str(option(node, "outputDataType"))
    if span_of(datatype) is None:
        raise refuse(node, f"its outputDataType {datatype} is none of integers")
    made = str(node.input[0])
    for operator, position in (("Mul", 1), ("Add", 2)):
        if len(node.input) > position and node.input[position]:
            numbers = rewriter.constant(node, position).ravel()
            made = rewriter.emit(node, operator, [made, rewriter.store(numbers, node.input[position])])
    made = rewriter.emit(node, "Add", [made, rewriter.store(0.5, node.output[0])])
    width = float(datatype.removeprefix("U").removeprefix("INT"))
    parameters = [rewriter.store(value, node.output[0]) for value in (1.0, 0.0, width)]
    rewriter.emit(
        node, "Quant", [made, *parameters], node.output[0], QONNX, signed=int(not datatype.startswith("U")),
        narrow=int(option(node, "narrow", 0)), rounding_mode="FLOOR",
    )  # fmt: skip


STREAMS: dict[str, Rule] = {
    "AddStreams": _same_as("Add"),
    "StreamingConcat": _concatenated,
    "StreamingEltwise": _of_two,
    "StreamingSplit": _split,
    "Crop": _cropped,
    "Reshape": _reshaped,
    "Squeeze": _reshaped,
    "Unsqueeze": _reshaped,
    "Shuffle": _shuffled,
    "OuterShuffle": _shuffled,
    "InnerShuffle": _swapped,
    "DownSampler": _sampled,
    "Requant": _rescaled,
    **{f"Elementwise{name}": _same_as(operator) for name, operator in ELEMENT_WISE.items()},
}
"""How each of them becomes standard operators."""
