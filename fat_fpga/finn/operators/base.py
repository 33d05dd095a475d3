"""Operators that are put into a stream: one stream in, one out, registers on AXI-Lite.

Import this only behind `fat_fpga.finn.setup.prepare`.
"""

from __future__ import annotations

import math
from typing import Any

from qonnx.core.datatype import DataType

from fat_fpga.finn.operators.module import ModuleOperator
from fat_fpga.finn.operators.wrapper import ADDRESS_BITS


class StreamOperator(ModuleOperator):
    """An operator on a stream [..., channels], channels last.

    Attributes of the node: ``NumChannels`` in front, ``PE`` lanes a beat in front, ``dataType`` of the values,
    ``numInputVectors`` the sizes before the channels, as ``[1, 30, 30]``.
    """

    registers = True
    address_bits = ADDRESS_BITS

    def __init__(self, onnx_node: Any, **options: Any) -> None:
        super().__init__(onnx_node, **options)

    def get_nodeattr_types(self) -> dict[str, Any]:
        """FINN: names, types and defaults of the node's attributes."""
        attributes: dict[str, Any] = {
            "NumChannels": ("i", True, 0),
            "PE": ("i", False, 1),
            "dataType": ("s", True, ""),
            "numInputVectors": ("ints", False, [1]),
            "ram_style": ("s", False, "auto", {"auto", "block", "distributed", "ultra"}),
        }
        attributes |= super().get_nodeattr_types()
        return attributes

    @property
    def channels_out(self) -> int:
        """Channels behind the operator."""
        return int(self.get_nodeattr("NumChannels"))

    @property
    def lanes_out(self) -> int:
        """Channels a beat behind the operator."""
        return int(self.get_nodeattr("PE"))

    def bram_estimation(self, fpgapart: str) -> int:
        """FINN: its buffers are in LUTs."""
        return 0

    def infer_node_datatype(self, model: Any) -> None:
        """FINN: the values keep their datatype, whatever comes in."""
        node = self.onnx_node
        self.set_nodeattr("dataType", model.get_tensor_datatype(node.input[0]).name)
        model.set_tensor_datatype(node.output[0], self.get_output_datatype())

    def get_input_datatype(self, ind: int = 0) -> Any:
        """FINN: datatype of the values in front."""
        return DataType[self.get_nodeattr("dataType")]

    def get_output_datatype(self, ind: int = 0) -> Any:
        """FINN: datatype of the values behind."""
        return self.get_input_datatype()

    def get_normal_input_shape(self, ind: int = 0) -> tuple[int, ...]:
        """FINN: sizes of the tensor in front."""
        return (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))

    def get_normal_output_shape(self, ind: int = 0) -> tuple[int, ...]:
        """FINN: sizes of the tensor behind."""
        return (*self.get_nodeattr("numInputVectors"), self.channels_out)

    def get_folded_input_shape(self, ind: int = 0) -> tuple[int, ...]:
        """FINN: the same by folds and lanes."""
        channels, lanes = self.get_nodeattr("NumChannels"), self.get_nodeattr("PE")
        return (*self.get_nodeattr("numInputVectors"), channels // lanes, lanes)

    def get_folded_output_shape(self, ind: int = 0) -> tuple[int, ...]:
        """FINN: the same by folds and lanes."""
        return (*self.get_nodeattr("numInputVectors"), self.channels_out // self.lanes_out, self.lanes_out)

    def get_instream_width(self, ind: int = 0) -> int:
        """FINN: bits a beat in front."""
        return int(self.get_nodeattr("PE") * self.get_input_datatype().bitwidth())

    def get_outstream_width(self, ind: int = 0) -> int:
        """FINN: bits a beat behind."""
        return int(self.lanes_out * self.get_output_datatype().bitwidth())

    def get_number_output_values(self) -> int:
        """FINN: beats of a frame behind."""
        return math.prod(self.get_folded_output_shape()[:-1])

    def get_exp_cycles(self) -> int:
        """FINN: cycles of a frame: a beat each, in front or behind, whichever are more."""
        return max(math.prod(self.get_folded_input_shape()[:-1]), self.get_number_output_values())
