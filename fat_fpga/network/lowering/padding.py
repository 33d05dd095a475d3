"""A Pad of zeros right in front of a convolution, which is the convolution's padding."""

from __future__ import annotations

from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.matrix import Padding


def read_pad(node: Node, graph: Graph) -> Padding:
    """Top, left, bottom, right of a Pad on [N, C, H, W]; ModelError where a convolution could not have it."""
    options = attributes(node)
    mode = options.get("mode", "constant")
    if mode != "constant":
        raise refuse(node, f"expected zeros, got mode {mode}: take padding_mode='zeros'")
    value, pads = options.get("value", 0.0), options.get("pads")
    if len(node.input) > 1:
        pads = graph.constant(node, 1).tolist()
    if len(node.input) > 2 and node.input[2]:
        value = float(graph.constant(node, 2).ravel()[0])
    if value != 0:
        raise refuse(node, f"expected zeros, got the value {value:g}")
    axes = graph.constant(node, 3).tolist() if len(node.input) > 3 and node.input[3] else [0, 1, 2, 3]
    if pads is None or len(pads) != 2 * len(axes):
        raise refuse(node, f"expected pads for {len(axes)} axes, got {pads}")
    around = {axis % 4: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
    (top, bottom), (left, right) = around.pop(2, (0, 0)), around.pop(3, (0, 0))
    if any(size for sizes in around.values() for size in sizes) or min(top, left, bottom, right) < 0:
        raise refuse(node, f"expected zeros around height and width only, got pads {pads}")
    return top, left, bottom, right
