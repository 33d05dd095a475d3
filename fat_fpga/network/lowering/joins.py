"""Nodes that read several streams: sums, differences, concatenations, on a grid that is common to all of them."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

import numpy as np

from fat_fpga.network.datatypes import OPERAND, is_word
from fat_fpga.network.layers import Add, Concat, InputQuantiser
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.constants import ROUNDING
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.stream import Stream

JOINS = {"Add": "add", "Sub": "add", "Concat": "concat"}
"""Operators that read several streams, and what the layer is called."""
LARGEST_FACTOR = 2**12
"""Of factors by which grids have a common one. Larger ones are of scales that have nothing to do with each other."""


def read_join(node: Node, streams: list[Stream], graph: Graph, name: str) -> tuple[Add | Concat, float]:
    """The layer that a node is, and the real value of one step of its result.

    Raises:
        ModelError: there is no grid that holds the values of all streams.
    """
    factors, scale = _common_grid(node, streams)
    inputs, annotated = tuple(stream.name for stream in streams), graph.datatypes.get(node.output[0], "")
    datatype = annotated if is_word(annotated, OPERAND) else ""
    if node.op_type == "Concat":
        return Concat(name, inputs, factors, node.name, datatype), scale
    first, second = factors
    return Add(name, inputs, (first, -second if node.op_type == "Sub" else second), node.name, datatype), scale


def joined_layout(node: Node, layouts: list[Layout]) -> Layout:
    """Where the result of a node lies; ModelError where its inputs do not fit each other."""
    first = layouts[0]
    shapes = " and ".join(str(list(layout.index.shape)) for layout in layouts)
    if node.op_type != "Concat":
        if any(first.shape != other.shape or not np.array_equal(first.index, other.index) for other in layouts):
            raise refuse(node, f"expected two streams of the same shape and order, got {shapes}")
        return first
    axis = attributes(node)["axis"] % (first.index.ndim + 1)
    if axis == first.index.ndim > 1 and all(
        layout.channels_last and np.array_equal(layout.pointwise(1).index, first.pointwise(1).index)
        for layout in layouts
    ):
        return first.pointwise(sum(layout.shape[0] for layout in layouts))
    flat = all(layout.is_flat and layout.shape[1:] == (1, 1) for layout in layouts)
    if not flat and not all(layout.is_image for layout in layouts):
        raise refuse(node, f"expected streams [N, C, H, W] or [N, C, L], or [N, C] of one pixel each, got {shapes}")
    if axis != 1 or any(layout.shape[1:] != first.shape[1:] for layout in layouts):
        raise refuse(node, f"expected streams of the same height and width, and axis 1, got axis {axis} of {shapes}")
    shape = (sum(layout.shape[0] for layout in layouts), *first.shape[1:])
    return Layout.flat(shape) if flat and first.index.ndim == 1 else first.like(shape)


def levels_of(stream: Stream) -> Levels:
    """What the integers of a stream can be."""
    return stream.source.levels if isinstance(stream.source, InputQuantiser) else stream.source


def _common_grid(node: Node, streams: list[Stream]) -> tuple[tuple[int, ...], float]:
    """How many steps of a grid that is common to all streams one step of each is, and the real value of one."""
    scales = [float(np.float32(stream.scale)) for stream in streams]
    ratios = [Fraction(scale / scales[0]).limit_denominator(LARGEST_FACTOR) for scale in scales]
    exact = all(
        ratio and abs(scale / scales[0] / float(ratio) - 1) <= 2 * ROUNDING
        for scale, ratio in zip(scales, ratios, strict=True)
    )
    whole = lcm(*(ratio.denominator for ratio in ratios)) if exact else 1
    factors = [int(ratio * whole) for ratio in ratios]
    common = gcd(*factors) or 1
    if not exact or max(factors) // common > LARGEST_FACTOR:
        shown = " and of ".join(f"{scale:g}" for scale in scales)
        raise refuse(
            node,
            f"it joins multiples of {shown}, which have no grid in common: "
            "give all branches one scale (in Brevitas, one quantiser for all), or powers of two",
        )
    return tuple(factor // common for factor in factors), float(np.float32(scales[0] * common / whole))
