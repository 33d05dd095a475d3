"""Element types of the activations in a file: float32, but for integers at the input and between Q and DQ, and truth
values between comparisons and what chooses by them."""

from __future__ import annotations

import numpy as np
import onnx

from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.grid import stored_type
from fat_fpga.network.lowering.monotone import COMPARISONS, LOGIC
from fat_fpga.network.lowering.operators import QONNX_QUANTISERS, QUANTISERS

DType = np.dtype[np.generic]
FLOAT: DType = np.dtype(np.float32)
TRUTH: DType = np.dtype(np.bool_)


def type_behind(node: Node, dtype: DType, graph: Graph) -> DType:
    """Element type behind a node whose last moving input has ``dtype``; ModelError where a cast changes values."""
    if node.op_type in (*COMPARISONS, *LOGIC):
        return TRUTH
    if node.op_type == "Where":  # both of what it chooses from have one type
        constants = [graph.constants[name].values.dtype for name in node.input[1:] if name in graph.constants]
        return constants[0] if constants else dtype
    if node.op_type == "QuantizeLinear":
        return stored_type(node, graph)
    if node.op_type == "DequantizeLinear":
        return graph.constant(node, 1).dtype
    if node.op_type in QONNX_QUANTISERS:
        return FLOAT
    if node.op_type != "Cast":
        return dtype
    to = attributes(node)["to"]
    target = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(to))
    if target not in (FLOAT, dtype) and not (dtype.kind in "iu" and target.kind in "iu" and np.can_cast(dtype, target)):
        name = onnx.TensorProto.DataType.Name(to)
        raise refuse(
            node, f"a cast to {name} can change values: only one to FLOAT is supported, export the model without it"
        )
    return target


def check_arithmetic(node: Node, dtype: DType) -> None:
    """ModelError where a node computes on integers, whose arithmetic is another one, or on truth values."""
    if dtype == TRUTH and node.op_type in (*LOGIC, "Where"):
        return
    if dtype == TRUTH or (dtype != FLOAT and node.op_type not in (*QUANTISERS, "DequantizeLinear", "Clip")):
        raise refuse(node, f"it computes on {dtype}: cast to float32 first")


def check_float(node: Node, dtype: DType) -> None:
    """ModelError unless the activations in front of a matrix product are float32, as its weights."""
    if dtype != FLOAT:
        raise refuse(node, f"activations of type {dtype} reach it: cast them to float32 first")
