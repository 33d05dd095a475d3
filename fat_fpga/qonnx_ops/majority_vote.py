"""The majority-vote operator of hardened networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from qonnx.custom_op.base import CustomOp


class MajorityVote(CustomOp):  # type: ignore[misc, unused-ignore]
    """Bitwise majority of three channels, for each output channel.

    | | |
    |---|---|
    | domain | ``fat_fpga.qonnx_ops``, version 1 |
    | input | activations, integers in a float32 tensor [N, C', H, W] or [N, C'] |
    | output | float32 [N, C, H, W] or [N, C], of the input's QONNX datatype |
    | ``sources`` | 3 * C integers: for each output channel the three input channels that decide it |

    Each bit of the output, in two's complement, is what at least two of the three inputs have there. A channel without
    copies names the same input three times. See `fat_fpga.network.MajorityVote`.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        return {"sources": ("ints", True, [])}

    def make_shape_compatible_op(self, model: Any) -> Any:
        shape = list(model.get_tensor_shape(self.onnx_node.input[0]))
        shape[1] = len(self.get_nodeattr("sources")) // 3
        return super().make_const_shape_op(shape)

    def infer_node_datatype(self, model: Any) -> None:
        model.set_tensor_datatype(self.onnx_node.output[0], model.get_tensor_datatype(self.onnx_node.input[0]))

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:
        activations = context[self.onnx_node.input[0]].astype(np.int64)
        sources = np.array(self.get_nodeattr("sources")).reshape(-1, 3)
        first, second, third = (np.take(activations, copies, axis=1) for copies in sources.T)
        majority = (first & second) | (first & third) | (second & third)
        context[self.onnx_node.output[0]] = majority.astype(np.float32)

    def verify_node(self) -> list[str]:
        count = len(self.get_nodeattr("sources"))
        return [] if count and count % 3 == 0 else [f"expected three sources for each channel, got {count} numbers"]
