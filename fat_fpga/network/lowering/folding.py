"""Folding nodes whose inputs are all constants, keeping track of the integers behind quantised ones."""

from __future__ import annotations

import numpy as np
import onnx

from fat_fpga.network.lowering.constants import Constant
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.operators import MOVES, PASSIVE, Operator


def fold(node: Node, graph: Graph) -> None:
    """Compute a node all of whose inputs are constants, and add its output to the graph's constants."""
    graph.constants[node.output[0]] = _value(node, graph)


def _value(node: Node, graph: Graph) -> Constant:
    if node.op_type == "Constant":
        values = attributes(node).get("value")
        if not isinstance(values, onnx.TensorProto):
            raise refuse(node, "only constants given as a tensor are supported")
        return Constant(onnx.numpy_helper.to_array(values), datatype=graph.datatypes.get(node.output[0]))
    operator = Operator(node, graph)
    inputs = {name: graph.constants[name].values for name in node.input if name}
    if node.op_type in (*MOVES, *PASSIVE):
        source = node.input[0]
        return graph.constants[source].moved(lambda array: operator({**inputs, source: array}))
    values = np.asarray(operator(inputs))
    if node.op_type not in ("Quant", "IntQuant", "BipolarQuant"):
        return Constant(values, datatype=graph.datatypes.get(node.output[0]))
    return Constant(values, np.broadcast_to(graph.constant(node, 1), values.shape), _quantised_type(node, graph))


def _quantised_type(node: Node, graph: Graph) -> str:
    if node.op_type == "BipolarQuant":
        return "BIPOLAR"
    bits, signed = int(graph.constant(node, 3).ravel()[0]), attributes(node)["signed"]
    if bits == 1:
        return "BIPOLAR" if signed else "BINARY"
    return f"{'INT' if signed else 'UINT'}{bits}"
