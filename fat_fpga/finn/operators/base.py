"""What our operators have in common: one stream in, one out, AXI-Lite beside, SystemVerilog of ours inside.

Import this only behind `fat_fpga.finn.setup.prepare`.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

from finn.custom_op.fpgadataflow.rtlbackend import RTLBackend
from qonnx.core.datatype import DataType

from fat_fpga import hardware
from fat_fpga.finn.operators.wrapper import wrapper


class StreamOperator(RTLBackend):  # type: ignore[misc]
    """An operator on a stream [..., channels], channels last.

    Attributes of the node: ``NumChannels`` in front, ``PE`` lanes a beat in front, ``dataType`` of the values,
    ``numInputVectors`` the sizes before the channels, as ``[1, 30, 30]``.
    """

    module: str

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

    def parameters(self) -> dict[str, int | str]:
        """Parameters of the SystemVerilog module."""
        raise NotImplementedError

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

    def verify_node(self) -> list[str]:
        """FINN: nothing to say."""
        return []

    def get_verilog_top_module_intf_names(self) -> dict[str, Any]:
        """FINN: stream interfaces, and the AXI-Lite port of the registers."""
        names: dict[str, Any] = super().get_verilog_top_module_intf_names()
        names["axilite"] = ["s_axilite"]
        return names

    def generate_hdl(self, model: Any, fpgapart: str, clk: float) -> None:
        """FINN: write the wrapper and the sources into the node's folder.

        Raises:
            FinnError: the sources are not there.
        """
        folder, top = Path(self.get_nodeattr("code_gen_dir_ipgen")), self.get_verilog_top_module_name()
        for file in hardware.sources([self.module]):
            shutil.copy(file, folder / file.name)
        text = wrapper(top, self.module, self.parameters(), self.get_instream_width(), self.get_outstream_width())
        (folder / f"{top}.v").write_text(text)
        self.set_nodeattr("gen_top_module", top)

    def get_rtl_file_list(self, abspath: bool = False) -> list[str]:
        """FINN: the sources, the wrapper last."""
        folder = f"{self.get_nodeattr('code_gen_dir_ipgen')}/" if abspath else ""
        files = [file.name for file in hardware.sources([self.module])]
        return [f"{folder}{name}" for name in (*files, f"{self.get_nodeattr('gen_top_module')}.v")]

    def code_generation_ipi(self) -> list[str]:
        """FINN: Tcl that puts the node into the block design."""
        adds = [f"add_files -norecurse {name}" for name in self.get_rtl_file_list(abspath=True)]
        top = self.get_nodeattr("gen_top_module")
        return [*adds, f"create_bd_cell -type module -reference {top} {self.onnx_node.name}"]
