"""The matrix-vector-threshold unit (``hw/rtl/fat_mvtu.sv``) as a FINN operator, in the place of an MVAU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow.matrixvectoractivation import MVAU

from fat_fpga.finn.operators.module import ModuleOperator
from fat_fpga.luts.matrix import MatrixUnit
from fat_fpga.rtl.memories import threshold_words, weight_words, write_words
from fat_fpga.rtl.stages import memory_address_bits, sum_bits

WEIGHTS, THRESHOLDS = "weights.hex", "thresholds.hex"


class FatMVTU_rtl(ModuleOperator, MVAU):  # type: ignore[misc]  # noqa: N801
    """FINN's MVAU in our RTL: XNOR and popcount, or sums of products, and thresholds in any order.

    Weights and thresholds are in memories of its own, so there are no streams beside that of the activations.
    """

    module = "fat_mvtu"

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """FINN: the product and its thresholds, as of every MVAU."""
        MVAU.execute_node(self, context, graph)

    def get_instream_width(self, ind: int = 0) -> int:
        """FINN: bits a beat of activations; there is no stream of weights."""
        return int(MVAU.get_instream_width(self, 0)) if ind == 0 else 0

    @property
    def counting(self) -> bool:
        """Whether sums are counts of agreeing bits."""
        kinds = self.get_input_datatype(0).name, self.get_input_datatype(1).name
        return bool(self.get_nodeattr("binaryXnorMode")) or kinds == ("BIPOLAR", "BIPOLAR")

    @property
    def weight_bits(self) -> int:
        """1 for bipolar weights, else of two's complement."""
        kind = self.get_input_datatype(1)
        if self.counting or kind.name == "BIPOLAR":
            return 1
        return int(kind.bitwidth()) + (not kind.signed())

    @property
    def sum_bits(self) -> int:
        """Of sums and thresholds, for any weights of this datatype."""
        if self.counting:
            return sum_bits(int(self.get_nodeattr("MW")), 1, 1, True)
        source, weight = (int(max(abs(kind.min()), abs(kind.max()))) for kind in map(self.get_input_datatype, (0, 1)))
        return sum_bits(int(self.get_nodeattr("MW")), weight, source, False)

    @property
    def thresholds(self) -> int:
        """Of a channel; 0 where sums go out."""
        if self.get_nodeattr("noActivation"):
            return 0
        kind = self.get_output_datatype()
        return 1 if kind.name == "BIPOLAR" else int(kind.max()) - int(self.get_nodeattr("ActVal"))

    @property
    def address_bits(self) -> int:  # type: ignore[override]
        """Of the module's AXI-Lite port, which is not led out."""
        inputs, channels, pe, simd = (int(self.get_nodeattr(name)) for name in ("MW", "MH", "PE", "SIMD"))
        return memory_address_bits(inputs, channels, pe, simd, self.weight_bits, max(self.thresholds, 1))

    @property
    def unit(self) -> MatrixUnit:
        """For estimates."""
        inputs, channels, pe, simd = (int(self.get_nodeattr(name)) for name in ("MW", "MH", "PE", "SIMD"))
        source = self.get_input_datatype(0)
        bipolar = self.counting or source.name == "BIPOLAR"
        bits = self.weight_bits, int(source.bitwidth())
        return MatrixUnit(inputs, channels, pe, simd, *bits, bipolar, self.sum_bits, self.thresholds)

    def lut_estimation(self, fpgapart: str) -> int:
        """FINN: LUTs, by the model that is fitted to synthesised units, whose memories a host can write."""
        return self.unit.luts

    def bram_estimation(self, fpgapart: str) -> int:
        """FINN: halves of block RAMs."""
        return self.unit.bram_18k

    def dsp_estimation(self, fpgapart: str) -> int:
        """FINN: DSP slices."""
        return self.unit.dsp

    def parameters(self) -> dict[str, int | str]:
        """Parameters of ``fat_mvtu``."""
        source, folder = self.get_input_datatype(0), self.get_nodeattr("code_gen_dir_ipgen")
        found: dict[str, int | str] = {
            "INPUTS": self.get_nodeattr("MW"),
            "CHANNELS": self.get_nodeattr("MH"),
            "PE": self.get_nodeattr("PE"),
            "SIMD": self.get_nodeattr("SIMD"),
            "WEIGHT_BITS": self.weight_bits,
            "INPUT_BITS": int(source.bitwidth()),
            "INPUT_SIGNED": f"1'b{int(source.signed() and source.name != 'BIPOLAR')}",
            "INPUT_BIPOLAR": f"1'b{int(self.counting or source.name == 'BIPOLAR')}",
            "SUM_BITS": self.sum_bits,
            "THRESHOLDS": self.thresholds,
            "OUT_BITS": int(self.get_output_datatype().bitwidth()),
            "WEIGHTS_FILE": f'"{folder}/{WEIGHTS}"',
        }
        style = self.get_nodeattr("ram_style")
        if style in ("block", "distributed"):
            found["RAM_STYLE"] = f'"{style}"'
        if self.thresholds:
            base = 0 if self.get_output_datatype().name == "BIPOLAR" else int(self.get_nodeattr("ActVal"))
            found["OUT_BASE"] = base
            found["THRESHOLDS_FILE"] = f'"{folder}/{THRESHOLDS}"'
        return found

    def write_memories(self, model: Any, folder: Path) -> None:
        """Weights and thresholds, from the graph's constants."""
        node, pe, simd = self.onnx_node, int(self.get_nodeattr("PE")), int(self.get_nodeattr("SIMD"))
        weights = model.get_initializer(node.input[1]).astype(np.int32).T[:, :, None, None]
        if self.get_nodeattr("binaryXnorMode"):
            weights = 2 * weights - 1
        write_words(folder / WEIGHTS, weight_words(weights, pe, simd, self.weight_bits))
        if self.thresholds:
            rows = np.broadcast_to(model.get_initializer(node.input[2]), (len(weights), self.thresholds))
            low, high = (
                (0, (1 << self.sum_bits) - 1)
                if self.counting
                else (-(1 << self.sum_bits - 1), (1 << self.sum_bits - 1) - 1)
            )
            words = np.clip(np.ceil(rows.astype(np.float64)), low, high).astype(np.int64)
            write_words(folder / THRESHOLDS, threshold_words(words, pe, self.sum_bits))
