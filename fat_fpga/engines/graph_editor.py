"""Editing an ONNX model in QONNX's sense: operators behind a tensor, other constants, datatype annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from fat_fpga.network.datatypes import holds_span, smallest_type, span_of
from fat_fpga.network.lowering.built_in import PREFIX

DATATYPE = "finn_datatype"
OPSET = 18
"""The first operator set with BitwiseAnd, BitwiseOr and BitwiseXor; what the writer's nodes mean is the same in it."""


@dataclass(frozen=True)
class Operator:
    """A standard operator with one input, and perhaps one constant.

    Attributes:
        kind: ``Mul``, ``BitwiseXor``, ``Cast``, ...
        constant: its second input, float32 or int64, which broadcasts to the first.
        integer: the output is int64, not float32.
    """

    kind: str
    constant: npt.NDArray[Any] | None = None
    integer: bool = False
    options: dict[str, Any] = field(default_factory=dict)


TO_INTEGER = Operator("Cast", integer=True, options={"to": TensorProto.INT64})
TO_FLOAT = Operator("Cast", options={"to": TensorProto.FLOAT})


class GraphEditor:
    """Changes ``model`` in place."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.graph = model.graph
        self.replaced: dict[str, str] = {}  # datatypes that were widened, by tensor
        self._inserted = 0

    def output_of(self, node: str) -> str | None:
        """The tensor that the node of this name yields, None where there is no such node."""
        return next((found.output[0] for found in self.graph.node if found.name == node), None)

    def is_matrix(self, node: str) -> bool:
        """Whether the node of this name multiplies matrices, not windows."""
        return any(found.name == node and found.op_type == "MatMul" for found in self.graph.node)

    def shape(self, tensor: str) -> list[int]:
        """Sizes of a tensor that is no constant."""
        return [size.dim_value for size in self._value(tensor).type.tensor_type.shape.dim]

    def constant(self, name: str, values: npt.NDArray[np.int32], datatype: str) -> None:
        """Let the readers of the constant ``name`` read other values; the constant itself stays in the file."""
        tensor = next(tensor for tensor in self.graph.initializer if tensor.name == name)
        stored = numpy_helper.to_array(tensor)
        other = np.ascontiguousarray(values, stored.dtype).reshape(tensor.dims)
        if np.array_equal(other, stored):
            return
        self.graph.initializer.append(numpy_helper.from_array(other, PREFIX + name))
        for node in self.graph.node:
            node.input[:] = [PREFIX + name if source == name else source for source in node.input]
        self.annotate(PREFIX + name, datatype)

    def widen(self, tensor: str, low: int, high: int) -> None:
        """Make sure that the datatype of a tensor holds ``low..high``; `replaced` keeps the one that it had."""
        datatype = self.datatype(tensor)
        if not holds_span(datatype, low, high):
            span = span_of(datatype) or (low, high)
            self.replaced.setdefault(tensor, datatype)
            self.annotate(tensor, smallest_type(min(low, span[0]), max(high, span[1])))

    def annotate(self, tensor: str, datatype: str) -> None:
        """Set the datatype of a tensor."""
        for annotation in self.graph.quantization_annotation:
            if annotation.tensor_name == tensor:
                annotation.quant_parameter_tensor_names[0].value = datatype
                return
        annotation = self.graph.quantization_annotation.add(tensor_name=tensor)
        annotation.quant_parameter_tensor_names.add(key=DATATYPE, value=datatype)

    def datatype(self, tensor: str) -> str:
        """The datatype of an annotated tensor."""
        found = (a for a in self.graph.quantization_annotation if a.tensor_name == tensor)
        return str(next(found).quant_parameter_tensor_names[0].value)

    def name_input(self, tensor: str) -> str:
        """A tensor that is a copy of the graph's input ``tensor``; all its consumers take the copy."""
        copy = f"{tensor}_copy"
        for node in self.graph.node:
            node.input[:] = [copy if name == tensor else name for name in node.input]
        self.graph.node.insert(0, helper.make_node("Identity", [tensor], [copy], name=copy))
        self.graph.value_info.append(helper.make_tensor_value_info(copy, TensorProto.FLOAT, self.shape(tensor)))
        self.annotate(copy, self.datatype(tensor))
        return copy

    def insert(self, tensor: str, operators: Sequence[Operator], name: str) -> None:
        """Put a chain of operators between the node that yields ``tensor`` and the tensor's consumers.

        Everything behind, the graph's output included, sees the chain's result under the tensor's old name; the
        tensor in front of the chain keeps its datatype. Node and constant names start with ``name``.
        """
        self._inserted += 1
        name = f"{name}_{self._inserted}"
        at = next(i for i, node in enumerate(self.graph.node) if node.output[0] == tensor)
        shape, current = self.shape(tensor), f"{name}_in"
        self.graph.node[at].output[0] = current
        self._add_value(current, TensorProto.FLOAT, shape)
        self.annotate(current, self.datatype(tensor))
        for i, operator in enumerate(operators):
            inputs = [current]
            if operator.constant is not None:
                inputs.append(f"{name}_{i}_constant")
                self.graph.initializer.append(numpy_helper.from_array(operator.constant, inputs[1]))
            current = tensor if i == len(operators) - 1 else f"{name}_{i}_out"
            node = helper.make_node(operator.kind, inputs, [current], name=f"{name}_{i}", **operator.options)
            self.graph.node.insert(at + 1 + i, node)
            if current != tensor:
                self._add_value(current, TensorProto.INT64 if operator.integer else TensorProto.FLOAT, shape)
        if any(operator.kind.startswith("Bitwise") for operator in operators):
            next(o for o in self.model.opset_import if not o.domain).version = OPSET

    def batch(self, images: int) -> None:
        """Let the graph take so many images at once: every tensor's first size."""
        shaped = {node.input[1] for node in self.graph.node if node.op_type == "Reshape"}
        for value in (*self.graph.input, *self.graph.output, *self.graph.value_info):
            value.type.tensor_type.shape.dim[0].dim_value = images
        for tensor in self.graph.initializer:
            if tensor.name in shaped:
                sizes = numpy_helper.to_array(tensor).copy()
                sizes[0] = images
                tensor.CopyFrom(numpy_helper.from_array(sizes, tensor.name))

    def _add_value(self, tensor: str, kind: int, shape: list[int]) -> None:
        self.graph.value_info.append(helper.make_tensor_value_info(tensor, kind, shape))

    def _value(self, tensor: str) -> Any:
        values = (*self.graph.value_info, *self.graph.input, *self.graph.output)
        return next(value for value in values if value.name == tensor)
