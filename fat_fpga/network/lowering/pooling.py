"""Maxima over windows, and why they may be moved behind the activation quantiser.

In the integer network a pool follows the thresholds, as FINN has it. Where a file has it in front of them, the chain
between the pool and the quantiser must not decrease: then the maximum of the results is the result of the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.network.layers import MaxPool
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import padding_of

REDUCED = {"ReduceMax": "maximum", "ReduceMean": "average", "ReduceSum": "sum"}
POOLS = ("MaxPool", "GlobalMaxPool", "ReduceMax")


@dataclass(frozen=True, eq=False)
class PendingPool:
    """A pool whose unit has no thresholds yet.

    Attributes:
        node: of the file.
        position: how many nodes of the chain lie in front of it.
    """

    node: Node
    position: int


def read_pool(node: Node, graph: Graph, layout: Layout, name: str) -> tuple[MaxPool, Layout]:
    """The pool that a node is, and the layout behind it."""
    if not layout.is_image:
        raise refuse(node, "expected activations [N, C, H, W]")
    channels, height, width = layout.shape
    if node.op_type == "MaxPool":
        kernel, stride = windows(node, layout)
        pool = MaxPool(name, kernel, stride, node.name)
        return pool, Layout.image(pool.output_shape(layout.shape))
    pool = MaxPool(name, (height, width), (height, width), node.name)
    flat = node.op_type == "ReduceMax" and not reduces_to_image(node, graph)
    return pool, Layout.flat((channels, 1, 1)) if flat else Layout.image((channels, 1, 1))


def windows(node: Node, layout: Layout) -> tuple[tuple[int, int], tuple[int, int]]:
    """Kernel and stride of a MaxPool or AveragePool."""
    options = attributes(node)
    kernel, strides = options["kernel_shape"], options.get("strides", [1, 1])
    if len(kernel) != 2:
        raise refuse(
            node,
            f"expected a two-dimensional window, got {kernel}: take height 1 for a one-dimensional one",
        )
    _, *sizes = layout.shape
    if kernel[0] > sizes[0] or kernel[1] > sizes[1]:
        raise refuse(node, f"its window {list(kernel)} is larger than its input {list(layout.shape)}")
    rounds = options.get("ceil_mode") and any((n - k) % s for n, k, s in zip(sizes, kernel, strides, strict=True))
    padding = padding_of(node, (kernel[0], kernel[1]), (strides[0], strides[1]), layout.shape)
    if any(padding) or rounds or any(d != 1 for d in options.get("dilations", [])):
        raise refuse(
            node,
            "padding, ceil_mode and dilations are not supported yet: take padding=0, ceil_mode=False and dilation=1",
        )
    return (kernel[0], kernel[1]), (strides[0], strides[1])


def reduces_to_image(node: Node, graph: Graph) -> bool:
    """Whether a reduction keeps the axes that it reduces; ModelError unless these are height and width."""
    options = attributes(node)
    axes = graph.constant(node, 1).tolist() if len(node.input) > 1 and node.input[1] else options.get("axes")
    if axes is None or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise refuse(
            node,
            f"expected the {REDUCED[node.op_type]} over height and width (axes 2, 3), got axes {axes}: take "
            "AdaptiveMaxPool2d(1) or AdaptiveAvgPool2d(1)",
        )
    return bool(options.get("keepdims", 1))


def check_pools(pools: Sequence[PendingPool], chain: Chain) -> None:
    """ModelError unless every pool may be moved behind the chain that it lies in.

    What lies in front of a pool may have either direction; behind it no channel's values may decrease.
    """
    for pool in pools:
        decreases = chain.part(pool.position, len(chain.steps)).direction() < 0
        if np.any(decreases):
            where = int(np.flatnonzero(decreases)[0])
            raise refuse(
                pool.node,
                f"it lies in front of {label(culprit(chain, pool.position, where))}, which decreases for channel "
                f"{where}: such a maximum is no maximum of the quantised activations; quantise first",
            )


def culprit(chain: Chain, position: int, channel: int) -> Node:
    """The first node behind a pool that turns the order of a channel's values round."""
    steps = range(position, len(chain.steps))
    return next(chain.nodes[at] for at in steps if chain.part(at, at + 1).direction()[channel] < 0)
