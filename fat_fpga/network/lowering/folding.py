"""Folding nodes whose inputs are all constants, keeping track of the integers that quantised ones are made of."""

from __future__ import annotations

import numpy as np
import onnx

from fat_fpga.network.datatypes import WIDEST, smallest_type
from fat_fpga.network.layers import IntArray
from fat_fpga.network.lowering.constants import Array, Constant, exactly, whole
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.operators import MOVES, PASSIVE, QONNX_QUANTISERS, Operator
from fat_fpga.network.lowering.sizes import MOST_COMPUTED, tensor_values

CONSTANT_FORMS = ("value", "value_float", "value_floats", "value_int", "value_ints")
"""Attributes in which a Constant node may hold its value."""
PARTS_OF_BYTES = ("int2", "uint2", "int4", "uint4")
"""Types of stored integers that numpy has from elsewhere only."""


def fold(node: Node, graph: Graph) -> None:
    """Compute a node all of whose inputs are constants, and add its output to the graph's constants."""
    value = _value(node, graph)
    graph.computed += value.values.size
    if graph.computed > MOST_COMPUTED:
        raise refuse(node, f"the constants that nodes compute up to here have more than {MOST_COMPUTED:,} values")
    graph.constants[node.output[0]] = value


def _value(node: Node, graph: Graph) -> Constant:
    annotated = graph.datatypes.get(node.output[0])
    if node.op_type == "Constant":
        return Constant(_given(node), datatype=annotated)
    operator = Operator(node, graph)
    inputs = {name: graph.constants[name].values for name in node.input if name}
    if node.op_type == "DequantizeLinear":
        inputs = {name: _in_bytes(values) for name, values in inputs.items()}
    source = graph.constants[node.input[0]] if node.input and node.input[0] else None
    if source is not None and node.op_type in MOVES:
        return source.moved(lambda array: operator({**inputs, node.input[0]: array}))
    values = np.asarray(operator(inputs))
    if source is None:
        return Constant(values, datatype=annotated)
    if node.op_type in QONNX_QUANTISERS and node.op_type not in ("MultiThreshold", "Trunc"):
        return _quantised(node, graph, values)
    if node.op_type == "DequantizeLinear":
        return _dequantised(node, graph, values)
    if node.op_type in PASSIVE or node.op_type in ("QuantizeLinear", "Clip"):
        same = source.steps is not None and np.array_equal(values, source.values)
        if same:
            return Constant(values, source.steps, source.scale, source.datatype)
        kept = source.datatype or _type_of(source.values)
        made = None if node.op_type in PASSIVE else _stored_type(node, graph, values)
        return Constant(values, datatype=annotated or made or kept)
    return _scaled(node, graph, values) or Constant(values, datatype=annotated)


def _given(node: Node) -> Array:
    """The value of a Constant node."""
    for form, value in attributes(node).items():
        if isinstance(value, onnx.TensorProto):
            return tensor_values(value)
        if form in CONSTANT_FORMS:
            return np.asarray(value, np.float32 if "float" in form else np.int64)
    raise refuse(node, f"expected its value in one of {', '.join(CONSTANT_FORMS)}")


def _quantised(node: Node, graph: Graph, values: Array) -> Constant:
    scale = np.broadcast_to(graph.constant(node, 1), values.shape)
    if node.op_type == "BipolarQuant":
        datatype = "BIPOLAR"
    else:
        zero, bits = graph.constant(node, 2), graph.constant(node, 3)
        if exactly(zero) is None or exactly(bits) is None:
            raise refuse(node, "its zero point and bit width must be integers")
        if bits.size == 0 or bits.min() < 1 or bits.max() > WIDEST + 1:
            raise refuse(node, f"its bit width must be from 1 to {WIDEST + 1}")
        width, signed = int(bits.max()), attributes(node)["signed"]
        datatype = f"{'INT' if signed else 'UINT'}{width}" if width > 1 else "BIPOLAR" if signed else "BINARY"
    steps = whole(values, scale)
    if steps is None:
        raise refuse(node, "its results are no multiples of its scale: is the scale 0, or not finite?")
    return Constant(values, steps, scale, datatype)


def _dequantised(node: Node, graph: Graph, values: Array) -> Constant:
    """Constant integers behind a DequantizeLinear: the zero point is taken off them."""
    stored = graph.constants[node.input[0]]
    if len(graph.constant(node, 1).shape) > 1 or attributes(node).get("block_size"):
        raise refuse(node, "scales per block are not supported: expected one for the tensor, or one for each channel")

    def spread(position: int) -> Array:
        parameter = graph.constant(node, position)
        if parameter.size == 1:
            return parameter.reshape([1] * values.ndim)
        shape = [1] * values.ndim
        shape[attributes(node).get("axis", 1)] = parameter.size
        return parameter.reshape(shape)

    zero = spread(2).astype(np.int64) if len(node.input) > 2 and node.input[2] else np.int64(0)
    steps: IntArray = (stored.values.astype(np.int64) - zero).astype(np.int32)
    datatype = None if np.any(zero != 0) else stored.datatype or _type_of(stored.values)
    return Constant(values, steps, np.broadcast_to(spread(1), values.shape), datatype)


def _in_bytes(values: Array) -> Array:
    """The same integers in a type that onnxruntime takes from numpy, where they have 2 or 4 bits."""
    return values.astype(values.dtype.name.rstrip("24") + "8") if values.dtype.name in PARTS_OF_BYTES else values


def _type_of(values: Array) -> str | None:
    """Datatype that stored integers are declared as; None for floats."""
    if values.dtype.name in PARTS_OF_BYTES:
        return values.dtype.name.upper()
    if values.dtype.kind not in "iu":
        return None
    return f"{'U' if values.dtype.kind == 'u' else ''}INT{values.dtype.itemsize * 8}"


def _stored_type(node: Node, graph: Graph, values: Array) -> str | None:
    """Datatype of integers that a QuantizeLinear, or a Clip of its result, makes."""
    if node.op_type != "Clip" or values.dtype.kind not in "iu" or len([name for name in node.input if name]) < 3:
        return _type_of(values)
    return smallest_type(*(int(graph.constant(node, position).ravel()[0]) for position in (1, 2)))


def _scaled(node: Node, graph: Graph, values: Array) -> Constant | None:
    """The result of arithmetic on a quantised constant and plain numbers, if it is still integers times a scale."""
    if node.op_type == "Neg":
        source = graph.constants[node.input[0]]
        return None if source.steps is None else Constant(values, -source.steps, source.scale)
    if node.op_type not in ("Mul", "Div", "Add", "Sub"):
        return None
    position = _quantised_operand(node, graph, values)
    if position is None or (node.op_type == "Div" and position == 1):
        return None
    quantised, other = graph.constants[node.input[position]], graph.constants[node.input[1 - position]].values
    found = quantised.integers()
    if found is None or quantised.values.shape != values.shape:
        return None
    steps, scale = found
    with np.errstate(all="ignore"):
        if node.op_type in ("Mul", "Div"):
            factor = np.broadcast_to(other, values.shape).astype(np.float32)
            steps = (steps * np.sign(factor)).astype(np.int32)
            size = np.where(factor == 0, np.float32(1), np.abs(factor))
            return Constant(values, steps, scale * size if node.op_type == "Mul" else scale / size, quantised.datatype)
    shift = whole(np.broadcast_to(other, values.shape), scale)
    if shift is None:
        return None
    if node.op_type == "Add":
        return Constant(values, steps + shift, scale)
    return Constant(values, (steps - shift) * np.int32(1 - 2 * position), scale)


def _quantised_operand(node: Node, graph: Graph, values: Array) -> int | None:
    """Which of two operands a quantiser made: the one that says so, else the one of integers of the full shape."""
    operands = [graph.constants[name] for name in node.input]
    made = [i for i, operand in enumerate(operands) if operand.steps is not None]
    if not made and exactly(values) is None:
        made = [
            i
            for i, operand in enumerate(operands)
            if operand.values.size == values.size > operands[1 - i].values.size and exactly(operand.values) is not None
        ]
    return made[0] if len(made) == 1 else None
