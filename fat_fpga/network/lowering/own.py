"""Our own operators between integers, as `fat_fpga.network.write_qonnx` writes them: tables and fixed point."""

from __future__ import annotations

from fat_fpga.network.layers import IntArray, Requantise, Table
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.constants import exactly
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.stream import Stream

OWN_LAYERS = ("Requantise", "Table")


def read_own(node: Node, graph: Graph, stream: Stream, name: str) -> tuple[Requantise | Table, Stream]:
    """The layer that a node on ``stream`` is, and its stream."""
    if stream.step != 1:
        raise refuse(node, f"it works on integers, and these are multiples of {stream.step:g}")
    options = attributes(node)
    first, second = (_integers(node, graph, position) for position in (1, 2))
    layer: Requantise | Table
    if node.op_type == "Table":
        datatype = str(options.get("out_dtype", ""))
        levels = Levels(int(options["base"]), int(options["step"]), int(options["count"]), datatype)
        layer = Table(name, first, second, levels, node.name)
    else:
        bounds = int(options["low"]), int(options["high"])
        rounding = str(options.get("rounding", "even"))
        layer = Requantise(name, first, second, int(options["shift"]), *bounds, rounding, node.name)
    found = layer.output_levels(stream.levels)
    assert found is not None
    return layer, Stream(name, stream.root, found, 1.0)


def _integers(node: Node, graph: Graph, position: int) -> IntArray:
    values = exactly(graph.constant(node, position))
    if values is None:
        raise refuse(node, f"its input {position} must hold integers")
    return values
