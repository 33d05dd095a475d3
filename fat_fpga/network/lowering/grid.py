"""Which integers stand behind the float values of an activation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.constants import TOLERANCE, uniform, whole
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.operators import QUANTISERS

MAX_BITS = 8
"""Widest activations supported."""


@dataclass(frozen=True)
class Grid:
    """Activations are ``integer * scale``.

    Attributes:
        scale: float32 value of one integer step, positive.
        levels: which integers; None in front of the first layer, where the input table tells.
    """

    scale: float
    levels: Levels | None


def behind(node: Node, grid: Grid | None, graph: Graph) -> Grid | None:
    """The grid behind an element-wise node; None where its values lie on no grid that is common to all channels."""
    if node.op_type in QUANTISERS:
        return _quantiser(node, graph)
    if grid is None:
        return None
    if node.op_type in ("Mul", "Div"):
        factor = uniform(graph.constant(node, 1 if node.input[0] not in graph.constants else 0))
        if factor is None or factor <= 0:
            return None
        scale = np.float32(grid.scale) * np.float32(factor if node.op_type == "Mul" else 1.0)
        return replace(grid, scale=float(scale / np.float32(factor) if node.op_type == "Div" else scale))
    if node.op_type == "Add" or (node.op_type == "Sub" and node.input[1] in graph.constants):
        shift = graph.constant(node, 1 if node.input[0] not in graph.constants else 0)
        steps = whole(shift, grid.scale * (1 if node.op_type == "Add" else -1))
        by = None if steps is None else uniform(steps)
        if by is None:
            return None
        if grid.levels is None or by == 0:
            return grid
        return replace(grid, levels=Levels(grid.levels.base + int(by), grid.levels.step, grid.levels.count))
    return None


def _quantiser(node: Node, graph: Graph) -> Grid | None:
    values = attributes(node)
    if node.op_type == "MultiThreshold":
        scale, bias = float(values.get("out_scale", 1.0)), float(values.get("out_bias", 0.0))
        count = graph.constant(node, 1).shape[-1] + 1
        if scale <= 0:
            raise refuse(node, f"out_scale must be positive, got {scale:g}")
        if count > 2**MAX_BITS:
            raise refuse(node, f"activations of at most {MAX_BITS} bits are supported, got {count} levels")
        if scale.is_integer() and bias.is_integer():
            return Grid(1.0, Levels(int(bias), int(scale), count, str(values.get("out_dtype", ""))))
        for step in (1, 2):  # levels may lie half a step off zero
            base = bias / scale * step
            if abs(base - round(base)) < TOLERANCE:
                return Grid(scale / step, Levels(round(base), step, count))
        return None
    scales = graph.constant(node, 1)
    if np.any(scales <= 0):
        raise refuse(node, "its scale must be positive")
    scale_of_all = uniform(scales)
    if node.op_type == "BipolarQuant":
        return None if scale_of_all is None else Grid(scale_of_all, Levels(-1, 2, 2, "BIPOLAR"))
    zero, bits = uniform(graph.constant(node, 2)), uniform(graph.constant(node, 3))
    if zero is None or not zero.is_integer() or bits is None or not bits.is_integer():
        raise refuse(node, "zero point and bit width must be integers common to all channels")
    if not 1 <= bits <= MAX_BITS:
        return None
    if bits == 1 and values["signed"]:
        levels = Levels(-1 - int(zero), 2, 2, "" if zero else "BIPOLAR")
    else:
        low, high = integer_range(int(bits), bool(values["signed"]), bool(values["narrow"]))
        if high <= low:
            raise refuse(node, f"it has one level only: {int(bits)} bits, narrow range")
        datatype = "" if zero else f"{'' if values['signed'] else 'U'}INT{int(bits)}"
        levels = Levels(low - int(zero), 1, high - low + 1, datatype)
    return None if scale_of_all is None else Grid(scale_of_all, levels)


def integer_range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """Smallest and largest integer of a Quant node of more than one bit or without sign."""
    if signed:
        return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - narrow
