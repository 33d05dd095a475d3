"""The window generator (``hw/rtl/fat_window.sv``) as a FINN operator."""

from __future__ import annotations

import math
from typing import Any

from finn.custom_op.fpgadataflow.convolutioninputgenerator import ConvolutionInputGenerator

from fat_fpga.finn.operators.module import ModuleOperator
from fat_fpga.rtl.stages import window_rows


class FatWindow_rtl(ModuleOperator, ConvolutionInputGenerator):  # type: ignore[misc]  # noqa: N801
    """FINN's window generator in our RTL: whole windows one after another, for units; without padding of its own."""

    module = "fat_window"

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """FINN: windows as rows."""
        ConvolutionInputGenerator.execute_node(self, context, graph)

    def use_parallel_window_output(self) -> bool:
        """FINN: whether a beat is a whole window: never."""
        return False

    def get_exp_cycles(self) -> int:
        """FINN: cycles of a frame: a beat each, in front or behind, whichever are more."""
        shapes = self.get_folded_input_shape(), self.get_folded_output_shape()
        return max(int(math.prod(shape[:-1])) for shape in shapes)

    def parameters(self) -> dict[str, int | str]:
        """Parameters of ``fat_window``."""
        pairs = {name: self.get_nodeattr(name) for name in ("IFMDim", "ConvKernelDim", "Stride", "OFMDim")}
        names = (("HEIGHT", "WIDTH"), ("KERNEL_H", "KERNEL_W"), ("STRIDE_H", "STRIDE_W"), ("OUT_H", "OUT_W"))
        found: dict[str, int | str] = {
            "CHANNELS": self.get_nodeattr("IFMChannels"),
            "LANES": self.get_nodeattr("SIMD"),
            "BITS": int(self.get_input_datatype().bitwidth()),
        }
        for named, sizes in zip(names, pairs.values(), strict=True):
            found |= zip(named, map(int, sizes), strict=True)
        return {**found, "ROWS": window_rows(int(found["KERNEL_H"]), int(found["STRIDE_H"]))}
