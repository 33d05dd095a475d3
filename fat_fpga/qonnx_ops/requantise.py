"""Fixed-point scaling of integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp

from fat_fpga.network.datatypes import smallest_type


class Requantise(CustomOp):  # type: ignore[misc, unused-ignore]
    """``clip(round((factors[c] * x + offsets[c]) / 2^shift), low, high)`` for each channel.

    | | |
    |---|---|
    | domain | ``fat_fpga.qonnx_ops``, version 1 |
    | inputs | integers in a float32 tensor [N, C, ...]; factors int32 [C]; offsets int32 [C] |
    | output | float32, integers |
    | ``rounding`` | ``even``: to the nearest, halves to the even one; ``down``: to the next below |

    See `fat_fpga.network.layers.Requantise`.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        return {
            "shift": ("i", True, 0), "low": ("i", True, 0), "high": ("i", True, 0), "rounding": ("s", False, "even"),
        }  # fmt: skip

    def make_shape_compatible_op(self, model: Any) -> Any:
        return super().make_const_shape_op(list(model.get_tensor_shape(self.onnx_node.input[0])))

    def infer_node_datatype(self, model: Any) -> None:
        datatype = smallest_type(self.get_nodeattr("low"), self.get_nodeattr("high"))
        model.set_tensor_datatype(self.onnx_node.output[0], DataType[datatype])

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:
        integers, factors, offsets = (context[name] for name in self.onnx_node.input)
        shape = (1, -1, *[1] * (integers.ndim - 2))
        fixed = integers.astype(np.int64) * factors.reshape(shape).astype(np.int64) + offsets.reshape(shape)
        exact = fixed.astype(np.float64) / 2.0 ** self.get_nodeattr("shift")  # a division by a power of two
        rounded = np.floor(exact) if self.get_nodeattr("rounding") == "down" else np.rint(exact)
        result = np.clip(rounded, self.get_nodeattr("low"), self.get_nodeattr("high"))
        context[self.onnx_node.output[0]] = result.astype(np.float32)

    def verify_node(self) -> list[str]:
        return []
