"""Ranks of class scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp

from fat_fpga.network.datatypes import smallest_type


class Ranks(CustomOp):  # type: ignore[misc, unused-ignore]
    """A table from integers to ranks, for each channel.

    | | |
    |---|---|
    | domain | ``fat_fpga.qonnx_ops``, version 1 |
    | inputs | integers in a float32 tensor [N, M]; ranks, float32 [M, K] |
    | output | float32 [N, M]: ``ranks[m, x - low]``; the rank at the end of the table for integers beyond it |
    | ``low`` | the integer that the first rank is of |

    See `fat_fpga.network.layers.Scores`.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        return {"low": ("i", True, 0)}

    def make_shape_compatible_op(self, model: Any) -> Any:
        return super().make_const_shape_op(list(model.get_tensor_shape(self.onnx_node.input[0])))

    def infer_node_datatype(self, model: Any) -> None:
        ranks = model.get_initializer(self.onnx_node.input[1])
        model.set_tensor_datatype(self.onnx_node.output[0], DataType[smallest_type(0, int(ranks.max()))])

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:
        integers, ranks = (context[name] for name in self.onnx_node.input)
        at = np.clip(integers.astype(np.int64) - self.get_nodeattr("low"), 0, ranks.shape[1] - 1)
        context[self.onnx_node.output[0]] = np.take_along_axis(ranks, at.T, axis=1).T.astype(np.float32)

    def verify_node(self) -> list[str]:
        return []
