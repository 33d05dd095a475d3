"""Maxima over windows, and why they may be moved behind the activation quantiser.

In the integer network a pool follows the thresholds, as FINN has it. Where a file has it in front of them, the chain
between the pool and the quantiser must not decrease: then the maximum of the results is the result of the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fat_fpga.network.layers import MaxPool
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.geometry import NONE, Padding, Windows, windows_of
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.layout import Layout

REDUCED = {
    "ReduceMax": "maximum", "ReduceMean": "average", "ReduceSum": "sum",
    "GlobalMaxPool": "maximum", "GlobalAveragePool": "average",
}  # fmt: skip
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


def read_pool(node: Node, graph: Graph, layout: Layout, name: str, zeros: Padding = NONE) -> tuple[MaxPool, Layout]:
    """The pool that a node is, and the layout behind it.

    Args:
        zeros: what a Pad in front has added to a stream of which no value is below 0.
    """
    if node.op_type == "MaxPool":
        windows, _ = pool_windows(node, layout, zeros)
        pool = MaxPool(name, windows.kernel, windows.stride, node.name, padding=windows.padding)
        return pool, layout.like(pool.output_shape(layout.shape))
    kernel, behind = reduction(node, graph, layout)
    return MaxPool(name, kernel, kernel, node.name), behind


def pool_windows(node: Node, layout: Layout, zeros: Padding = NONE) -> tuple[Windows, bool]:
    """Windows of a pool, and whether ceil_mode has made their padding larger."""
    options = attributes(node)
    windows = windows_of(node, layout, options["kernel_shape"], zeros)
    if windows.dilation != (1, 1):
        raise refuse(node, "dilations are not supported in a pool: take dilation=1")
    _, height, width = layout.shape
    top, left, bottom, right = windows.padding
    if max(top, bottom) >= windows.kernel[0] or max(left, right) >= windows.kernel[1]:
        raise refuse(node, f"its padding {list(windows.padding)} is as large as its window {list(windows.kernel)}")
    if height + top + bottom < windows.kernel[0] or width + left + right < windows.kernel[1]:
        raise refuse(node, f"its window {list(windows.kernel)} is larger than its input {list(layout.shape)}")
    if options.get("ceil_mode") and options.get("auto_pad", "NOTSET") == "NOTSET":
        ends = zip((height, width), windows.kernel, windows.stride, (top, left), (bottom, right), strict=True)
        more = tuple(_ceiled(*end) for end in ends)
        padding = (top, left, more[0], more[1])
        return replace(windows, padding=padding), padding != windows.padding
    return windows, False


def _ceiled(size: int, kernel: int, stride: int, before: int, behind: int) -> int:
    """Padding at the end, so that a last window that is partly outside counts, if it begins inside."""
    count = -(-(size + before + behind - kernel) // stride) + 1
    count -= (count - 1) * stride >= size + before
    return max(behind, (count - 1) * stride + kernel - size - before)


def reduction(node: Node, graph: Graph, layout: Layout) -> tuple[tuple[int, int], Layout]:
    """The windows that a reduction, or a global pool, takes together, and the layout behind it."""
    options, rank = attributes(node), layout.index.ndim + 1
    if node.op_type.startswith("Global"):
        if not layout.is_image:
            raise refuse(node, "expected activations [N, C, H, W] or [N, C, L]")
        axes: Sequence[int] | None = range(2, rank)
    else:
        axes = graph.constant(node, 1).tolist() if len(node.input) > 1 and node.input[1] else options.get("axes")
    keep = node.op_type.startswith("Global") or bool(options.get("keepdims", 1))
    found = None if axes is None else layout.reduced(axes, keep)
    if found is None:
        raise refuse(
            node,
            f"expected the {REDUCED[node.op_type]} over the whole height, the whole width, or both (axes 2, 3), got "
            f"axes {axes} of an input {list(layout.index.shape)}: take AdaptiveMaxPool2d(1) or AdaptiveAvgPool2d(1)",
        )
    return found


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
