"""Where the channels of an image are in the file's input: first, or last."""

from __future__ import annotations

from fat_fpga.network.lowering.graph import Graph, Node, attributes
from fat_fpga.network.lowering.monotone import ELEMENT_WISE
from fat_fpga.network.lowering.operators import PASSIVE

FIRST = (0, 3, 1, 2)
"""Order of axes that puts the channels of [N, H, W, C] first."""


def channels_are_last(graph: Graph) -> bool:
    """Whether the input is an image [N, H, W, C]: it goes through nodes that work on each value by itself, and zeros
    around it, to a transposition that puts the last axis in front, or to a product over the last axis."""
    if len(graph.input_shape) != 3:
        return False
    open_ = {graph.input}
    for node in graph.nodes:
        if not node.input or node.input[0] not in open_:
            continue
        if node.op_type == "Transpose":
            return tuple(attributes(node).get("perm", ())) == FIRST
        if node.op_type == "MatMul":
            return _over(node, graph, graph.input_shape[-1])
        if node.op_type in (*ELEMENT_WISE, *PASSIVE, "Pad"):
            open_.update(node.output)
    return False


def _over(node: Node, graph: Graph, size: int) -> bool:
    """Whether a product is over so many values, of each pixel."""
    weights = graph.constants.get(node.input[1])
    return weights is not None and weights.values.ndim == 2 and len(weights.values) == size
