"""Maxima over windows, and why they may be moved behind the activation quantiser.

In the integer network a pool follows the thresholds, as FINN has it. Where a file has it in front of them, the chain
between the pool and the quantiser must not decrease: then the maximum of the results is the result of the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.network.bounds import lattice
from fat_fpga.network.layers import InputQuantiser, MatrixVectorUnit, MaxPool
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain, Probe
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import Product, padding_of
from fat_fpga.network.lowering.thresholds import Accumulators

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
        kernel, stride = _windows(node, layout)
        pool = MaxPool(name, kernel, stride, node.name)
        return pool, Layout.image(pool.output_shape(layout.shape))
    pool = MaxPool(name, (height, width), (height, width), node.name)
    flat = node.op_type == "ReduceMax" and not _reduces_to_image(node, graph)
    return pool, Layout.flat((channels, 1, 1)) if flat else Layout.image((channels, 1, 1))


def _windows(node: Node, layout: Layout) -> tuple[tuple[int, int], tuple[int, int]]:
    """Kernel and stride of a MaxPool."""
    options = attributes(node)
    kernel, strides = options["kernel_shape"], options.get("strides", [1, 1])
    if len(kernel) != 2:
        raise refuse(node, f"expected a two-dimensional window, got {kernel}")
    _, *sizes = layout.shape
    if kernel[0] > sizes[0] or kernel[1] > sizes[1]:
        raise refuse(node, f"its window {list(kernel)} is larger than its input {list(layout.shape)}")
    rounds = options.get("ceil_mode") and any((n - k) % s for n, k, s in zip(sizes, kernel, strides, strict=True))
    padding = padding_of(node, (kernel[0], kernel[1]), (strides[0], strides[1]), layout.shape)
    if any(padding) or rounds or any(d != 1 for d in options.get("dilations", [])):
        raise refuse(node, "padding, ceil_mode and dilations are not supported yet")
    return (kernel[0], kernel[1]), (strides[0], strides[1])


def _reduces_to_image(node: Node, graph: Graph) -> bool:
    """Whether a ReduceMax keeps the axes that it reduces; ModelError unless these are height and width."""
    options = attributes(node)
    axes = graph.constant(node, 1).tolist() if len(node.input) > 1 and node.input[1] else options.get("axes")
    if axes is None or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise refuse(node, f"expected the maximum over height and width (axes 2, 3), got axes {axes}")
    return bool(options.get("keepdims", 1))


def check_pools(
    pools: Sequence[PendingPool],
    unit: MatrixVectorUnit,
    product: Product,
    source: InputQuantiser | Levels,
    source_scale: float,
    chain: Chain,
) -> None:
    """ModelError unless every pool may be moved behind the chain that it lies in.

    All nodes of a chain are monotone, so its ends tell the direction of each part. What lies in front of a pool may
    have either; behind it no channel's values may decrease.

    Args:
        unit: with the weights of the file, not negated.
        source, source_scale: integers in front of the unit, and the real value of one step of them.
    """
    within = [pool for pool in pools if pool.position < len(chain.steps)]
    if not within:
        return
    reach = lattice(unit, source)
    ends = Accumulators(product, source_scale)(np.stack([reach.low, reach.high]).astype(np.int64))
    behind = chain(ends)
    for pool in within:
        front = chain.part(0, pool.position)(ends)
        decreases = (front[1] - front[0]) * (behind[1] - behind[0]) < 0
        if np.any(decreases):
            where = int(np.flatnonzero(decreases)[0])
            culprit = _culprit(chain, pool.position, front, where)
            raise refuse(
                pool.node,
                f"it lies in front of {label(culprit)}, which decreases for channel {where}: "
                "such a maximum is no maximum of the quantised activations; quantise first",
            )


def _culprit(chain: Chain, position: int, values: Probe, channel: int) -> Node:
    """The first node behind a pool that turns the order of a channel's two values round."""
    for stop in range(position + 1, len(chain.steps)):
        results = chain.part(position, stop)(values)
        if (values[1, channel] - values[0, channel]) * (results[1, channel] - results[0, channel]) < 0:
            return chain.nodes[stop - 1]
    return chain.nodes[-1]
