"""Averages and sums over windows: integers are added up, and the division becomes part of the scale."""

from __future__ import annotations

from math import lcm

import numpy as np

from fat_fpga.network.layers import SumPool
from fat_fpga.network.lowering.geometry import NONE, Padding
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.pooling import pool_windows, reduction
from fat_fpga.network.lowering.stream import Stream

AVERAGES = ("AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum", "SumPool")


def read_average(
    node: Node, graph: Graph, layout: Layout, stream: Stream, name: str, zeros: Padding = NONE
) -> tuple[SumPool, Stream, Layout]:
    """The pool that a node on ``stream`` is, the stream of its sums, and their layout.

    Args:
        zeros: what a Pad in front has added.
    """
    if node.op_type in ("AveragePool", "SumPool"):
        pool = _windows(node, layout, name, zeros)
        behind = layout.like(pool.output_shape(layout.shape))
    else:
        kernel, behind = reduction(node, graph, layout)
        pool = SumPool(name, kernel, kernel, node.name)
    sums = pool.output_levels(stream.levels)
    assert sums is not None
    size = 1 if node.op_type in ("ReduceSum", "SumPool") else pool.size
    scale = float(np.float32(stream.step) / np.float32(size))
    return pool, Stream(name, stream.root, sums, scale), behind


def _windows(node: Node, layout: Layout, name: str, zeros: Padding) -> SumPool:
    options = attributes(node)
    windows, ceiled = pool_windows(node, layout, zeros)
    multiple, padding = int(options.get("multiple", 0)), windows.padding
    if node.op_type == "AveragePool" and any(padding):
        if options.get("count_include_pad"):
            if ceiled:
                raise refuse(node, "ceil_mode with count_include_pad is not supported: take ceil_mode=False")
        elif any(zeros):
            if padding != zeros:
                raise refuse(node, "it averages padding of its own and a Pad's: take one of them")
        else:
            counts = SumPool(name, windows.kernel, windows.stride, padding=padding).places(layout.shape)
            multiple = lcm(*np.unique(counts).tolist())
    return SumPool(name, windows.kernel, windows.stride, node.name, padding=padding, multiple=multiple)
