"""Sums over windows, exact where an average pool times the size of its window would be rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp

from fat_fpga.network.datatypes import smallest_type


class SumPool(CustomOp):  # type: ignore[misc, unused-ignore]
    """Sum over windows, without padding.

    | | |
    |---|---|
    | domain | ``fat_fpga.qonnx_ops``, version 1 |
    | input | activations, integers in a float32 tensor [N, C, H, W] |
    | output | float32 [N, C, H', W'] |
    | ``kernel_shape``, ``strides`` | height and width of a window, and of the step between two |

    See `fat_fpga.network.layers.SumPool`.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        return {"kernel_shape": ("ints", True, []), "strides": ("ints", True, [])}

    def make_shape_compatible_op(self, model: Any) -> Any:
        images, channels, *sizes = model.get_tensor_shape(self.onnx_node.input[0])
        windows = zip(sizes, self.get_nodeattr("kernel_shape"), self.get_nodeattr("strides"), strict=True)
        return super().make_const_shape_op([images, channels, *((n - k) // s + 1 for n, k, s in windows)])

    def infer_node_datatype(self, model: Any) -> None:
        before, size = (
            model.get_tensor_datatype(self.onnx_node.input[0]),
            int(np.prod(self.get_nodeattr("kernel_shape"))),
        )
        sums = smallest_type(int(before.min()) * size, int(before.max()) * size)
        model.set_tensor_datatype(self.onnx_node.output[0], DataType[sums])

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:
        down, right = self.get_nodeattr("strides")
        activations = context[self.onnx_node.input[0]].astype(np.int64)
        windows = sliding_window_view(activations, self.get_nodeattr("kernel_shape"), axis=(2, 3))
        context[self.onnx_node.output[0]] = windows[:, :, ::down, ::right].sum(axis=(4, 5)).astype(np.float32)

    def verify_node(self) -> list[str]:
        sizes = [self.get_nodeattr("kernel_shape"), self.get_nodeattr("strides")]
        return [] if all(len(size) == 2 for size in sizes) else [f"expected two sizes each, got {sizes}"]
