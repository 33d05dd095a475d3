"""Tables of integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp


class Table(CustomOp):  # type: ignore[misc, unused-ignore]
    """A function of one integer at a time, for each channel.

    | | |
    |---|---|
    | domain | ``fat_fpga.qonnx_ops``, version 1 |
    | inputs | integers in a float32 tensor [N, C, ...]; starts int32 [C, R - 1]; values int32 [C, R] |
    | output | float32: ``values[c, how many starts of channel c are at most x]`` |
    | ``base``, ``step``, ``count``, ``out_dtype`` | the levels that values are of, and their QONNX datatype |

    See `fat_fpga.network.layers.Table`.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        return {
            "base": ("i", True, 0), "step": ("i", True, 1), "count": ("i", True, 2), "out_dtype": ("s", False, "INT32"),
        }  # fmt: skip

    def make_shape_compatible_op(self, model: Any) -> Any:
        return super().make_const_shape_op(list(model.get_tensor_shape(self.onnx_node.input[0])))

    def infer_node_datatype(self, model: Any) -> None:
        model.set_tensor_datatype(self.onnx_node.output[0], DataType[self.get_nodeattr("out_dtype")])

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:
        integers, starts, values = (context[name] for name in self.onnx_node.input)
        result = np.empty_like(integers)
        for channel in range(len(values)):
            at = np.searchsorted(starts[channel], integers[:, channel].astype(np.int64), side="right")
            result[:, channel] = values[channel][at]
        context[self.onnx_node.output[0]] = result

    def verify_node(self) -> list[str]:
        return []
