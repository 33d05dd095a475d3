"""Which integers stand behind the float values of an activation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx

from fat_fpga.network.datatypes import span_of
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.constants import uniform, whole
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.operators import QONNX_QUANTISERS

MAX_BITS = 16
"""Widest activations supported."""
MOST_LEVELS = 2**12
"""Of a MultiThreshold."""


@dataclass(frozen=True)
class Grid:
    """Activations are ``integer * scale``.

    Attributes:
        scale: float32 value of one integer step, positive.
        levels: which integers; None in front of the first layer, where the input table tells.
    """

    scale: float
    levels: Levels | None


def behind(node: Node, grid: Grid | str, graph: Graph) -> Grid | str:
    """The grid behind an element-wise node, or why its values lie on none that is common to all channels.

    Args:
        grid: in front of the node, or why there is none.
    """
    if node.op_type in QONNX_QUANTISERS:
        found = truncated(node, grid, graph) if node.op_type == "Trunc" else _quantised(node, graph)
        return found if isinstance(found, Grid) else f"after {label(node)} {found}"
    if node.op_type == "QuantizeLinear":
        return _stored(node, graph)
    if isinstance(grid, str):
        return grid
    found = _on_grid(node, grid, graph)
    return found if isinstance(found, Grid) else f"{label(node)} {found}"


def _quantised(node: Node, graph: Graph) -> Grid | str:
    return _multi_threshold(node, graph) if node.op_type == "MultiThreshold" else _quantiser(node, graph)


def _on_grid(node: Node, grid: Grid, graph: Graph) -> Grid | str:
    """The grid behind a node that is no quantiser, or what the node does to it."""
    constant = 1 if node.input[0] not in graph.constants else 0
    if node.op_type in ("Mul", "Div"):
        factor = uniform(graph.constant(node, constant))
        if factor is None:
            return "has factors that differ between the channels"
        if factor <= 0:
            return f"multiplies by {factor:g}, which is not positive"
        scale = np.float32(grid.scale) * np.float32(factor if node.op_type == "Mul" else 1.0)
        return replace(grid, scale=float(scale / np.float32(factor) if node.op_type == "Div" else scale))
    if node.op_type == "Add" or (node.op_type == "Sub" and constant == 1):
        shift = graph.constant(node, constant)
        steps = whole(shift, grid.scale * (1 if node.op_type == "Add" else -1))
        by = None if steps is None else uniform(steps)
        if by is None:
            return f"adds what is no multiple of the step {grid.scale:g}, common to all channels"
        return replace(grid, levels=grid.levels and _shifted(grid.levels, int(by)))
    if node.op_type == "DequantizeLinear":
        return _dequantised(node, grid, graph)
    if node.op_type in ("Relu", "Clip"):
        return _clipped(node, grid, graph)
    return "is neither a positive scale nor a shift by whole steps"


def _shifted(levels: Levels, by: int) -> Levels:
    """The levels moved; what is stored is then no longer of the quantiser's datatype."""
    return replace(levels, base=levels.base + by, datatype="") if by else levels


def _dequantised(node: Node, grid: Grid, graph: Graph) -> Grid | str:
    scale = uniform(graph.constant(node, 1))
    zero = uniform(graph.constant(node, 2)) if len(node.input) > 2 and node.input[2] else 0.0
    if scale is None or zero is None:
        return "has a scale or zero point that differs between the channels"
    if scale <= 0:
        raise refuse(node, f"its scale must be positive, got {scale:g}")
    levels = grid.levels and _shifted(grid.levels, -int(zero))
    return Grid(float(np.float32(scale)), levels)


def _clipped(node: Node, grid: Grid, graph: Graph) -> Grid | str:
    """The levels within the bounds of a Clip or Relu, where the bounds are levels themselves."""
    if grid.levels is None:
        return grid
    low, high = (0.0, None) if node.op_type == "Relu" else _bounds(node, graph)
    values: Sequence[int] = grid.levels.values
    for bound, least in ((low, True), (high, False)):
        if bound is None:
            continue
        step = whole(np.array(bound), grid.scale)
        if step is None:
            return f"cuts at {bound:g}, which is no multiple of the step {grid.scale:g}"
        kept = [value for value in values if (value >= step if least else value <= step)]
        if len(kept) < len(values) and int(step) not in kept:
            return f"cuts at {bound:g}, which is none of the levels {grid.levels}"
        values = kept
    if len(values) < 2:
        return f"leaves one of the levels {grid.levels} only"
    return replace(grid, levels=replace(grid.levels, base=values[0], count=len(values)))


def _bounds(node: Node, graph: Graph) -> tuple[float | None, float | None]:
    """Lower and upper bound of a Clip, as attributes up to version 6 or as inputs; None where there is none."""
    options = attributes(node)
    given = [
        float(graph.constant(node, i).ravel()[0]) if len(node.input) > i and node.input[i] else options.get(name)
        for i, name in ((1, "min"), (2, "max"))
    ]
    return given[0], given[1]


def _stored(node: Node, graph: Graph) -> Grid | str:
    """Behind a QuantizeLinear: integers of the type that it stores."""
    dtype = stored_type(node, graph)
    span = span_of(dtype.name.upper())
    if span is None or span[1] - span[0] >= 2**MAX_BITS:
        return f"{label(node)} stores {dtype}: only integers of at most {MAX_BITS} bits are supported"
    if not np.all(graph.constant(node, 1) > 0):
        raise refuse(node, "its scale must be positive")
    return Grid(1.0, Levels(span[0], 1, span[1] - span[0] + 1, dtype.name.upper()))


def stored_type(node: Node, graph: Graph) -> np.dtype[np.generic]:
    """The integer type of a QuantizeLinear's result."""
    if len(node.input) > 2 and node.input[2]:
        return graph.constant(node, 2).dtype
    given = attributes(node).get("output_dtype", 0)
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(given)) if given else np.dtype(np.uint8)


def _multi_threshold(node: Node, graph: Graph) -> Grid | str:
    values = attributes(node)
    scale, bias = float(values.get("out_scale", 1.0)), float(values.get("out_bias", 0.0))
    count = graph.constant(node, 1).shape[-1] + 1
    if not 0 < scale < math.inf or not math.isfinite(bias):
        raise refuse(node, f"out_scale must be positive, got {scale:g}")
    if count > MOST_LEVELS:
        raise refuse(node, f"at most {MOST_LEVELS:,} levels are supported, got {count:,}: quantise to fewer bits")
    if scale.is_integer() and bias.is_integer():
        return Grid(1.0, Levels(int(bias), int(scale), count, str(values.get("out_dtype", ""))))
    for step in (1, 2):  # levels may lie half a step off zero
        base = whole(np.array(bias), scale / step)
        if base is not None:
            return Grid(scale / step, Levels(int(base), step, count))
    return f"lie levels of scale {scale:g} and bias {bias:g}, which are no integers times one step"


def _quantiser(node: Node, graph: Graph) -> Grid | str:
    values = attributes(node)
    scales = graph.constant(node, 1)
    if not scales.size or not np.all((scales > 0) & np.isfinite(scales)):
        raise refuse(node, "its scale must be positive, and finite")
    scale = uniform(scales)
    differs = "lie levels of a scale that differs between the channels (scaling_per_output_channel=True in Brevitas)"
    if node.op_type == "BipolarQuant":
        return differs if scale is None else Grid(scale, Levels(-1, 2, 2, "BIPOLAR"))
    zero, bits = uniform(graph.constant(node, 2)), uniform(graph.constant(node, 3))
    if zero is None or not zero.is_integer() or bits is None or not bits.is_integer():
        raise refuse(node, "zero point and bit width must be integers common to all channels")
    if not 1 <= bits <= MAX_BITS:
        return f"lie levels of {bits:g} bits"
    if bits == 1 and values["signed"]:
        levels = Levels(-1 - int(zero), 2, 2, "" if zero else "BIPOLAR")
    else:
        low, high = integer_range(int(bits), bool(values["signed"]), bool(values["narrow"]))
        if high <= low:
            raise refuse(
                node, f"it has one level only: {int(bits)} bits, narrow range; take narrow_range=False, or more bits"
            )
        datatype = "" if zero else f"{'' if values['signed'] else 'U'}INT{int(bits)}"
        levels = Levels(low - int(zero), 1, high - low + 1, datatype)
    return differs if scale is None else Grid(scale, levels)


def integer_range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """Smallest and largest integer of a Quant node of more than one bit or without sign."""
    if signed:
        return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - narrow


def truncated(node: Node, grid: Grid | str, graph: Graph) -> Grid | str:
    """Behind a Trunc, which takes lower bits away: the first version keeps its scale, the second one gives another."""
    values = [uniform(graph.constant(node, position)) for position in range(1, len(node.input))]
    if any(value is None for value in values):
        return "lie levels of a scale or a width that differs between the channels"
    scale, zero, *more = (float(value) for value in values if value is not None)
    options = attributes(node)
    if zero != 0:
        return f"lie levels of the zero point {zero:g}: only 0 is supported in a Trunc"
    if len(more) == 3:
        _, made, bits = more
        if not bits.is_integer() or not 2 <= bits <= MAX_BITS or made <= 0:
            return f"lie levels of {bits:g} bits"
        low, high = integer_range(int(bits), bool(options.get("signed", 1)), bool(options.get("narrow", 0)))
        return Grid(float(np.float32(made)), Levels(low, 1, high - low + 1))
    if isinstance(grid, str) or grid.levels is None:
        return "lie levels whose ends are not known: it needs a quantiser in front"
    shift, span = more[0] - more[1], span_of(grid.levels.stored_as)  # it limits nothing: words under a fault count, too
    assert span is not None
    low, high = (int(np.floor(np.rint(end * grid.scale / scale) / 2**shift)) for end in span)
    return Grid(float(np.float32(scale)), Levels(low, 1, max(high - low, 1) + 1))
