"""Averages and sums over windows: integers are added up, and the division becomes part of the scale."""

from __future__ import annotations

import numpy as np

from fat_fpga.network.layers import SumPool
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.pooling import reduces_to_image, windows
from fat_fpga.network.lowering.stream import Stream

AVERAGES = ("AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum", "SumPool")


def read_average(node: Node, graph: Graph, layout: Layout, stream: Stream, name: str) -> tuple[SumPool, Stream, Layout]:
    """The pool that a node on ``stream`` is, the stream of its sums, and their layout."""
    if not layout.is_image:
        raise refuse(node, "expected activations [N, C, H, W]")
    _, height, width = layout.shape
    options, flat = attributes(node), False
    if node.op_type == "SumPool":
        kernel, stride = tuple(options["kernel_shape"]), tuple(options["strides"])
    elif node.op_type == "AveragePool":
        kernel, stride = windows(node, layout)
    else:
        kernel = stride = (height, width)
        flat = node.op_type != "GlobalAveragePool" and not reduces_to_image(node, graph)
    pool = SumPool(name, (kernel[0], kernel[1]), (stride[0], stride[1]), node.name)
    levels = stream.grid.levels
    assert levels is not None
    sums = pool.output_levels(levels)
    assert sums is not None
    size = 1 if node.op_type in ("ReduceSum", "SumPool") else pool.size
    scale = float(np.float32(stream.scale) / np.float32(size))
    shape = pool.output_shape(layout.shape)
    return pool, Stream(name, stream.root, sums, scale), Layout.flat(shape) if flat else Layout.image(shape)
