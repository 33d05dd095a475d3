"""Nodes that read several streams: sums, differences, concatenations, on a grid that is common to all of them."""

from __future__ import annotations

import math
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from fat_fpga.network.datatypes import OPERAND, is_word
from fat_fpga.network.layers import Add, Concat
from fat_fpga.network.lowering.constants import ROUNDING
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.monotone import JOINING
from fat_fpga.network.lowering.real import Interpolated, Real
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.stream import PendingStream, Stream

JOINS = {"Add": "add", "Sub": "add", "Concat": "concat"}
"""Operators that read several streams, and what the layer is called."""
SIMPLE = 2**6
"""Largest factor of grids that are taken to have a common one by intent."""
MOST_PAIRS = 2**22
"""Pairs of integers of two streams that are compared in the file's own arithmetic."""
LARGEST_FACTOR = 2**12
"""Of factors by which grids have a common one. Larger ones are of scales that have nothing to do with each other."""


def read_join(node: Node, streams: list[Stream], graph: Graph, name: str) -> tuple[Add | Concat, Stream]:
    """The layer that a node is, and the stream of its result.

    Raises:
        ModelError: there is no grid that holds the values of all streams.
    """
    real: Real | None = None
    scale: float | None = None
    common = _common_grid(streams)
    if common is not None:
        factors, scale = common
        if (
            max(factors) > SIMPLE
        ):  # a ratio of such numbers is hardly meant: the sums are those of the file, pair by pair
            real = _pairs(node, streams, factors)
    else:
        factors, real = _in_order(node, streams)
    layer = _layer(node, streams, graph, name, factors)
    levels = layer.output_levels(*(stream.levels for stream in streams))
    assert levels is not None
    why = f"{label(node)}: {_nothing_in_common(streams)}"
    return layer, Stream(name, name, levels, scale, real, why=why)


def _layer(node: Node, streams: list[Stream], graph: Graph, name: str, factors: tuple[int, ...]) -> Add | Concat:
    inputs, annotated = tuple(stream.name for stream in streams), graph.datatypes.get(node.output[0], "")
    datatype = annotated if is_word(annotated, OPERAND) else ""
    if node.op_type == "Concat":
        return Concat(name, inputs, factors, node.name, datatype)
    first, second = factors
    return Add(name, inputs, (first, -second if node.op_type == "Sub" else second), node.name, datatype)


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


def functions_of_one(node: Node, strands: list[Strand]) -> bool:
    """Whether a node reads tensors that are functions of one stream, value by value, so that its result is, too."""
    if len(strands) < 2 or node.op_type not in JOINING:
        return False
    first, index = strands[0].head, strands[0].layout.index
    for strand in strands:
        head = strand.head
        if not isinstance(first, PendingStream) or not isinstance(head, PendingStream) or head.origin != first.origin:
            return False
        if head.behind or not np.array_equal(strand.layout.index, index):
            return False
    return node.op_type not in JOINS or not all(isinstance(strand.grid, Grid) for strand in strands)


def _common_grid(streams: list[Stream]) -> tuple[tuple[int, ...], float] | None:
    """How many steps of a grid that is common to all streams one step of each is, and the real value of one; None where
    there is no such grid."""
    scales = [float(np.float32(stream.step)) for stream in streams]
    ratios = [Fraction(scale / scales[0]).limit_denominator(LARGEST_FACTOR) for scale in scales]
    exact = all(
        ratio and abs(scale / scales[0] / float(ratio) - 1) <= 2 * ROUNDING
        for scale, ratio in zip(scales, ratios, strict=True)
    )
    whole = lcm(*(ratio.denominator for ratio in ratios)) if exact else 1
    factors = [int(ratio * whole) for ratio in ratios]
    common = gcd(*factors) or 1
    if not exact or max(factors) // common > LARGEST_FACTOR:
        return None
    return tuple(factor // common for factor in factors), float(np.float32(scales[0] * common / whole))


def _in_order(node: Node, streams: list[Stream]) -> tuple[tuple[int, ...], Interpolated]:
    """Factors for two streams so that their sums are in the order of the real sums, and which real sums these are.

    The ratio of the scales is replaced by a fraction between the same two neighbours among all fractions of differences
    that the streams can have. So every comparison of two sums is as before, and a quantiser only compares. The real
    sums are the file's, pair by pair.
    """
    scales = [np.float32(stream.step) for stream in streams]
    refusal = refuse(node, _nothing_in_common(streams))
    sizes = [high - low + 1 for low, high in (stream.words for stream in streams)]
    ratio = _convergent(Fraction(float(scales[0])) / Fraction(float(scales[1])), max(sizes))
    factors = ratio.numerator, ratio.denominator
    real = _pairs(node, streams, factors)
    if real is None:
        raise refusal
    return factors, real


def _pairs(node: Node, streams: list[Stream], factors: tuple[int, ...]) -> Interpolated | None:
    """Which real sums the integers of a sum of two streams stand for; None where their order is another one, or where
    there are too many."""
    if node.op_type == "Concat" or len(streams) != 2:
        return None
    spans = [stream.words for stream in streams]
    if math.prod(high - low + 1 for low, high in spans) > MOST_PAIRS:
        return None
    scales = [np.float32(stream.step) for stream in streams]
    sign = -1 if node.op_type == "Sub" else 1
    a, b = (np.arange(low, high + 1, dtype=np.int64) for low, high in spans)
    sums = (factors[0] * a[:, None] + sign * factors[1] * b[None]).ravel()
    one, other = a.astype(np.float32) * scales[0], np.float32(sign) * (b.astype(np.float32) * scales[1])
    real = (one[:, None] + other[None]).ravel()
    order = np.argsort(sums, kind="stable")
    sums, real = sums[order], real[order].astype(np.float64)
    if np.any(np.diff(real) < 0) or np.any((np.diff(sums) == 0) & (np.diff(real) != 0)):
        return None
    once = np.r_[True, np.diff(sums) > 0]
    return Interpolated(sums[once], real[once])


def _convergent(ratio: Fraction, least: int) -> Fraction:
    """The first convergent of a ratio whose numerator and denominator are above ``least``, or the ratio itself."""
    (p0, q0), (p1, q1) = (0, 1), (1, 0)
    rest = ratio
    while True:
        digit = rest.numerator // rest.denominator
        (p0, q0), (p1, q1) = (p1, q1), (digit * p1 + p0, digit * q1 + q0)
        if (p1 > least and q1 > least) or rest == digit:
            return Fraction(p1, q1)
        rest = 1 / (rest - digit)


def _nothing_in_common(streams: list[Stream]) -> str:
    shown = " and of ".join(f"{np.float32(stream.step):g}" for stream in streams)
    return (
        f"it joins multiples of {shown}, which have no grid in common: put a quantiser behind an addition, or give all "
        "branches one scale (in Brevitas, one quantiser for all), or powers of two"
    )
