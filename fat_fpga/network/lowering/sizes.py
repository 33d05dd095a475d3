"""How large a model may say that it is. Checked on what a file declares, before anything of that size is made.

A few bytes can declare a tensor of 2^62 values, a loop of functions, or a chain of a million nodes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.constants import Array

MOST_VALUES = 2**27
"""Values of a constant. The largest layer that is trained, VGG16's fc6, has 2^26.6."""
MOST_COMPUTED = 2**28
"""Values of all constants together that nodes compute of others."""
MOST_PIXELS = 2**24
"""Values of an input, all images of its batch together."""
MOST_NODES = 10_000
"""Nodes, with those of functions for each time one is called. ResNet-152 exported from Brevitas has below 5,000."""
MOST_STEPS = 250
"""Element-wise nodes between two matrix products."""
_PACKED: dict[int, int] = {TensorProto.INT4: 4, TensorProto.UINT4: 4, TensorProto.FLOAT4E2M1: 4}
"""Bits of the types of which a byte holds several values."""
_PACKED |= {code: 2 for name, code in TensorProto.DataType.items() if name in ("INT2", "UINT2")}

_FIELDS = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data")
"""Where a tensor can hold its values."""


def tensor_values(tensor: TensorProto) -> Array:
    """The values of a stored tensor; ModelError where its shape, type and data do not fit each other."""
    where = f"constant '{tensor.name}'"
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MOST_VALUES:
        raise ModelError(f"{where} has the shape {_shape(tensor.dims)}: expected at most {MOST_VALUES:,} values")
    count = math.prod(tensor.dims)
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{where} has the unknown element type {tensor.data_type}") from error
    if dtype.kind in "OSU":
        raise ModelError(f"{where} holds text, expected numbers")
    if sum(bool(getattr(tensor, field)) for field in _FIELDS) > 1:
        raise ModelError(f"{where} holds its values more than once: the file is damaged")
    bits = _PACKED.get(tensor.data_type, 8 * dtype.itemsize)
    if tensor.HasField("raw_data") and len(tensor.raw_data) != -(-count * bits // 8):
        raise ModelError(
            f"{where} should have {-(-count * bits // 8):,} bytes, of shape {_shape(tensor.dims)} and type "
            f"{TensorProto.DataType.Name(tensor.data_type)}; it has {len(tensor.raw_data):,}: the file is damaged"
        )
    try:
        return numpy_helper.to_array(tensor)
    except Exception as error:  # numpy and onnx have many
        raise ModelError(
            f"{where} of shape {_shape(tensor.dims)} is damaged: {error or type(error).__name__}"
        ) from error


def check_graph(model: onnx.ModelProto) -> None:
    """Refuse a graph that names a tensor twice, or that is larger than any network is."""
    graph = model.graph
    count = _expanded(model)
    if count > MOST_NODES:
        raise ModelError(f"it has {count if count < 10**9 else 'over 10^9'} nodes, expected at most {MOST_NODES:,}")
    constants = [t.name for t in graph.initializer]
    made = [name for node in graph.node for name in node.output if name]
    inputs = [value.name for value in graph.input]
    for names in (constants + made, list(dict.fromkeys(inputs)) + made, inputs):
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            raise ModelError(f"two of its tensors are called '{twice[0]}': the file is damaged")
    if "" in constants:
        raise ModelError("one of its constants has no name: the file is damaged")


def _expanded(model: onnx.ModelProto) -> int:
    """Nodes with those of functions, which are put in where they are called; ModelError if one calls itself."""
    functions = {(f.domain, f.name): f for f in model.functions}
    known: dict[tuple[str, str], int] = {}
    inside: set[tuple[str, str]] = set()

    def size(key: tuple[str, str]) -> int:
        if key not in functions:
            return 1
        if key in inside or len(inside) > 100:
            raise ModelError(f"its function '{key[1]}' calls itself, or others too deeply: the file is damaged")
        if key not in known:
            inside.add(key)
            known[key] = sum(size((node.domain, node.op_type)) for node in functions[key].node)
            inside.remove(key)
        return known[key]

    return sum(size((node.domain, node.op_type)) for node in model.graph.node)


def check_result(node: onnx.NodeProto, inputs: dict[str, Array], opset: int) -> None:
    """Refuse a node of the standard operators that makes more than `MOST_VALUES` out of constants.

    The size is what ONNX's own shape inference says. Where it cannot tell, the result is no larger than the inputs.
    """
    try:
        schema = onnx.defs.get_schema(node.op_type, opset, node.domain)
        types = {
            name: onnx.helper.make_tensor_type_proto(
                onnx.helper.np_dtype_to_tensor_dtype(array.dtype), list(array.shape)
            )
            for name, array in inputs.items()
        }
        small = {name: numpy_helper.from_array(array, name) for name, array in inputs.items() if array.size <= 64}
        found = onnx.shape_inference.infer_node_outputs(
            schema, node, types, small, opset_imports=[onnx.helper.make_opsetid(node.domain, opset)], ir_version=10
        )
    except Exception:  # the node is malformed, or not for this inference: executing it says so better
        return
    for result in found.values():
        sizes = [d.dim_value for d in result.tensor_type.shape.dim]
        if math.prod(sizes) > MOST_VALUES:
            raise ModelError(
                f"it would make a constant of shape {_shape(sizes)}, expected at most {MOST_VALUES:,} values"
            )


def check_quantiser(node: onnx.NodeProto, inputs: Mapping[str, Array]) -> None:
    """Refuse a quantiser of qonnx whose parameters spread its values to more than `MOST_VALUES`."""
    shapes = [array.shape for array in inputs.values()]
    if node.op_type == "MultiThreshold":
        values = math.prod(shapes[0]) * math.prod(shapes[-1][1:])
    else:
        values = math.prod(np.broadcast_shapes(*shapes))
    if values > MOST_VALUES:
        raise ModelError(f"its parameters make {values:,} values of its input, expected at most {MOST_VALUES:,}")


def _shape(sizes: object) -> str:
    text = str(list(sizes))  # type: ignore[call-overload]
    return text if len(text) < 100 else f"{text[:100]}...]"
