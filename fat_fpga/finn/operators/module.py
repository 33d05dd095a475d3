"""What our operators have in common: SystemVerilog of ours under FINN's port names.

Import this only behind `fat_fpga.finn.setup.prepare`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from finn.custom_op.fpgadataflow.hwcustomop import HWCustomOp
from finn.custom_op.fpgadataflow.rtlbackend import RTLBackend

from fat_fpga import hardware
from fat_fpga.finn.operators.wrapper import wrapper
from fat_fpga.luts.units import unit_block_rams, unit_luts


class ModuleOperator(RTLBackend):  # type: ignore[misc]
    """An operator with one stream in and one out, whose hardware is a module of ``hw/rtl``.

    Attributes:
        module: its name.
        registers: whether its AXI-Lite port goes out; else the module has none, or a host has nothing to do with it.
        address_bits: of the module's AXI-Lite port; 0 where it has none.
    """

    module: str
    registers = False
    address_bits = 0

    def parameters(self) -> dict[str, int | str]:
        """Parameters of the SystemVerilog module."""
        raise NotImplementedError

    def write_memories(self, model: Any, folder: Path) -> None:
        """Write what the module's memories hold after configuration into ``folder``."""

    def lut_estimation(self, fpgapart: str) -> int:
        """FINN: LUTs, by the model that is fitted to synthesised units."""
        return unit_luts(self.module, self._named())

    def bram_estimation(self, fpgapart: str) -> int:
        """FINN: halves of block RAMs."""
        return unit_block_rams(self.module, self._named())

    def _named(self) -> dict[str, int | str]:
        return {name.lower(): value for name, value in self.parameters().items()}

    def verify_node(self) -> list[str]:
        """FINN: nothing to say."""
        return []

    def get_verilog_top_module_intf_names(self) -> dict[str, Any]:
        """FINN: stream interfaces, and the AXI-Lite port of the registers."""
        names: dict[str, Any] = HWCustomOp.get_verilog_top_module_intf_names(self)
        if self.registers:
            names["axilite"] = ["s_axilite"]
        return names

    def generate_hdl(self, model: Any, fpgapart: str, clk: float) -> None:
        """FINN: write the wrapper, the sources and what memories hold into the node's folder.

        Raises:
            FinnError: the sources are not there.
        """
        folder, top = Path(self.get_nodeattr("code_gen_dir_ipgen")), self.get_verilog_top_module_name()
        for file in hardware.sources([self.module]):
            shutil.copy(file, folder / file.name)
        self.write_memories(model, folder)
        widths = self.get_instream_width(), self.get_outstream_width()
        text = wrapper(top, self.module, self.parameters(), *widths, self.registers, self.address_bits)
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
