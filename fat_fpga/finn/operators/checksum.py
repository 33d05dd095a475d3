"""The checksum hook (``hw/rtl/fat_checksum.sv``) as a FINN operator: its stream passes, and is summed up beside."""

from __future__ import annotations

import math
from typing import Any

from fat_fpga.finn.operators.base import StreamOperator
from fat_fpga.luts import checksum_luts


class FatChecksum_rtl(StreamOperator):  # noqa: N801
    """Passes a stream on; its registers hold the checksums that `fat_fpga.checksums` computes."""

    module = "fat_checksum"

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """FINN: the stream [..., channels] as it is."""
        node = self.onnx_node
        context[node.output[0]] = context[node.input[0]]

    def parameters(self) -> dict[str, int | str]:
        """Parameters of ``fat_checksum``."""
        *before, lanes = self.get_folded_input_shape()
        return {"LANES": lanes, "BEATS": math.prod(before), "BITS": int(self.get_input_datatype().bitwidth())}

    def lut_estimation(self, fpgapart: str) -> int:
        """FINN: LUTs, by the model that is fitted to synthesised hooks."""
        return checksum_luts(int(self.get_nodeattr("PE")), int(self.get_input_datatype().bitwidth()))
