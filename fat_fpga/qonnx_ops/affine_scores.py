"""Class scores of factors and biases."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp


class AffineScores(CustomOp):  # type: ignore[misc, unused-ignore]
    """``factors[m] * x + offsets[m]`` for each class, kept within 32 bits.

    | | |
    |---|---|
    | domain | ``fat_fpga.qonnx_ops``, version 1 |
    | inputs | integers in a float32 tensor [N, M]; factors int32 [M]; offsets int32 [M] |
    | output | float32 [N, M] |

    See `fat_fpga.network.layers.AffineScores`.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        return {}

    def make_shape_compatible_op(self, model: Any) -> Any:
        return super().make_const_shape_op(list(model.get_tensor_shape(self.onnx_node.input[0])))

    def infer_node_datatype(self, model: Any) -> None:
        model.set_tensor_datatype(self.onnx_node.output[0], DataType["INT32"])

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:
        integers, factors, offsets = (context[name] for name in self.onnx_node.input)
        scores = integers.astype(np.int64) * factors.astype(np.int64) + offsets
        context[self.onnx_node.output[0]] = np.clip(scores, -(2**31), 2**31 - 1).astype(np.float64)

    def verify_node(self) -> list[str]:
        return []
