"""Executing single nodes as qonnx does: onnxruntime for the standard operators, qonnx's own code for its operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from qonnx.custom_op.registry import getCustomOp

from fat_fpga.errors import ModelError
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.lowering.constants import Array
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.sizes import check_quantiser, check_result

onnxruntime.set_default_logger_severity(4)  # what fails is an exception, and told in one line
QONNX_QUANTISERS = ("Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "Trunc")
"""Quantisers that qonnx executes, with parameters to the last bit as it does."""
QUANTISERS = (*QONNX_QUANTISERS, "QuantizeLinear")
MOVES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose")
"""Operators that move values without changing them."""
PASSIVE = ("Identity", "Dropout", "Cast")
"""Operators that change no value (a Cast, where its type holds all of them)."""
QONNX_DOMAIN = "qonnx.custom_op.general"


class Operator:
    """One node, callable on arrays. Its float arithmetic is the one that qonnx's execution of the file has.

    Args:
        output: number of the output that is asked for.
    """

    def __init__(self, node: Node, graph: Graph, output: int = 0) -> None:
        self.node, self._output = node, node.output[output]
        self._opset = graph.opset
        self._sessions: dict[tuple[np.dtype[Any], ...], Any] = {}  # by the types of the inputs
        if node.op_type in QONNX_QUANTISERS:
            self.node = onnx.NodeProto()
            self.node.CopyFrom(node)
            self.node.domain = QONNX_DOMAIN  # Brevitas and FINN have used other names for it

    def __call__(self, inputs: Mapping[str, Array]) -> Array:
        """The node's output; ModelError where it cannot be executed on such inputs."""
        try:
            if self.node.op_type in QONNX_QUANTISERS:
                check_quantiser(self.node, inputs)
                context: dict[str, Array] = dict(inputs)
                with np.errstate(all="ignore"):  # what is not finite is refused where it matters
                    getCustomOp(self.node, _version(self.node)).execute_node(context, None)
                return context[self.node.output[0]]
            if self.node.op_type == "QuantizeLinear" and inputs[self.node.input[0]].dtype == np.float64:
                return _quantised_double(self.node, inputs)
            types = tuple(array.dtype for array in inputs.values())
            if types not in self._sessions:
                check_result(self.node, dict(inputs), self._opset)
                self._sessions[types] = self._start(inputs)
            output: Array = self._sessions[types].run([self._output], dict(inputs))[0]
            return output
        except ModelError as error:
            raise refuse(self.node, str(error)) from error
        except Exception as error:
            raise refuse(self.node, f"cannot be executed: {error}") from error

    def _start(self, inputs: Mapping[str, Array]) -> Any:
        typed = [
            onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), None)
            for name, array in inputs.items()
        ]
        graph = onnx.helper.make_graph([self.node], "node", typed, [onnx.ValueInfoProto(name=self._output)])
        opset = onnx.helper.make_opsetid("", self._opset)
        model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except Exception:
            if all(array.dtype != np.float64 for array in inputs.values()):
                raise
            return ReferenceEvaluator(model)  # onnxruntime has many operators in float32 only


def _quantised_double(node: Node, inputs: Mapping[str, Array]) -> Array:
    """A QuantizeLinear of float64, which onnxruntime does not have; ONNX's own evaluation wraps large values."""
    values, scale, *zeros = (inputs[name] for name in node.input if name)
    options = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    if scale.ndim > 1 or options.get("block_size"):
        raise ModelError("scales per block are not supported: expected one for the tensor, or one for each channel")
    given = options.get("output_dtype", 0) or onnx.TensorProto.UINT8
    dtype = zeros[0].dtype if zeros else np.dtype(onnx.helper.tensor_dtype_to_np_dtype(given))
    shape = [1] * values.ndim
    if scale.size > 1:
        shape[options.get("axis", 1)] = scale.size
    zero = zeros[0].reshape(shape if zeros[0].size > 1 else ()).astype(np.float64) if zeros else 0.0
    steps = np.rint(values / scale.reshape(shape if scale.size > 1 else ()).astype(np.float64)) + zero
    low, high = span_of(dtype.name.upper()) or (0, 0)
    found: Array = np.clip(steps, low, high).astype(dtype)
    return found


def _version(node: Node) -> int | None:
    """Version of an operator of qonnx, where it tells by its inputs; None for the present one."""
    if node.op_type == "Trunc":
        return 2 if len(node.input) > 5 else 1
    return None
