"""Sums over windows, exact where an average pool times the size of its window would be rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp

from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.layers import SumPool as Layer


class SumPool(CustomOp):  # type: ignore[misc, unused-ignore]
    """Sum over windows.

    | | |
    |---|---|
    | domain | ``fat_fpga.qonnx_ops``, version 1 |
    | input | activations, integers in a float32 tensor [N, C, H, W] |
    | output | float32 [N, C, H', W'] |
    | ``kernel_shape``, ``strides`` | height and width of a window, and of the step between two |
    | ``pads`` | top, left, bottom, right: zeros around the input |
    | ``multiple`` | if above 0, each sum is taken ``multiple / places`` times: places of the window in the image |

    See `fat_fpga.network.layers.SumPool`.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        return {
            "kernel_shape": ("ints", True, []),
            "strides": ("ints", True, []),
            "pads": ("ints", False, [0, 0, 0, 0]),
            "multiple": ("i", False, 0),
        }

    def make_shape_compatible_op(self, model: Any) -> Any:
        images, *shape = model.get_tensor_shape(self.onnx_node.input[0])
        return super().make_const_shape_op([images, *self._layer().output_shape(tuple(shape))])

    def infer_node_datatype(self, model: Any) -> None:
        before, size = model.get_tensor_datatype(self.onnx_node.input[0]), self._layer().size
        low, high = int(before.min()) * size, int(before.max()) * size
        model.set_tensor_datatype(self.onnx_node.output[0], DataType[smallest_type(min(low, 0), max(high, 0))])

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:
        layer, (down, right) = self._layer(), self.get_nodeattr("strides")
        top, left, bottom, right_pad = layer.padding
        activations = context[self.onnx_node.input[0]].astype(np.int64)
        around = np.pad(activations, ((0, 0), (0, 0), (top, bottom), (left, right_pad)))
        windows = sliding_window_view(around, layer.kernel, axis=(2, 3))[:, :, ::down, ::right]
        sums = windows.sum(axis=(4, 5)) * layer.times(activations.shape[1:])
        context[self.onnx_node.output[0]] = sums.astype(np.float32)

    def _layer(self) -> Layer:
        kernel, stride, pads = (tuple(self.get_nodeattr(key)) for key in ("kernel_shape", "strides", "pads"))
        return Layer("sum", kernel, stride, padding=pads, multiple=self.get_nodeattr("multiple"))

    def verify_node(self) -> list[str]:
        sizes = [self.get_nodeattr("kernel_shape"), self.get_nodeattr("strides")]
        return [] if all(len(size) == 2 for size in sizes) else [f"expected two sizes each, got {sizes}"]
