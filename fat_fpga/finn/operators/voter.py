"""The channel voter (``hw/rtl/fat_voter.sv``) as a FINN operator: MajorityVote, channels last."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.finn.operators.base import StreamOperator

LUTS = (120, 1, 24)
"""Estimate: so many for registers and AXI-Lite, for each voted bit, and for the counters of each triplet; synthesis
decides."""


class FatVoter_rtl(StreamOperator):  # noqa: N801
    """Bitwise majority of three rows for each output channel.

    Attributes of the node, besides `StreamOperator`'s: ``sources``, three physical rows for each of the C output
    channels; ``PEOut`` lanes a beat behind.
    """

    module = "fat_voter"
    files = ("fat_registers_pkg.sv", "fat_axil_slave.sv", "fat_axis_register.sv", "fat_voter_counters.sv", "fat_voter.sv")

    def get_nodeattr_types(self) -> dict[str, Any]:
        """FINN: names, types and defaults of the node's attributes."""
        return {"sources": ("ints", True, []), "PEOut": ("i", False, 1), **super().get_nodeattr_types()}

    @property
    def sources(self) -> npt.NDArray[np.int64]:
        """int64 [C, 3]."""
        return np.asarray(self.get_nodeattr("sources"), np.int64).reshape(-1, 3)

    @property
    def channels_out(self) -> int:
        """Channels behind the voter."""
        return len(self.sources)

    @property
    def lanes_out(self) -> int:
        """Channels a beat behind the voter."""
        return int(self.get_nodeattr("PEOut"))

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """FINN: majority of the bits of three rows, in the words of the datatype."""
        node, datatype = self.onnx_node, self.get_input_datatype()
        rows = context[node.input[0]]
        bipolar = datatype.name == "BIPOLAR"
        words = ((rows + 1) / 2 if bipolar else rows).astype(np.int64)
        a, b, c = (words[..., self.sources[:, copy]] for copy in range(3))
        voted = ((a & b) | (b & c) | (a & c)).astype(np.float32)
        context[node.output[0]] = 2 * voted - 1 if bipolar else voted

    def parameters(self) -> dict[str, int | str]:
        """Parameters of ``fat_voter``."""
        rows, bits = int(self.get_nodeattr("NumChannels")), int(self.get_input_datatype().bitwidth())
        pixels = int(np.prod(self.get_nodeattr("numInputVectors")))
        width = max((rows - 1).bit_length(), 1)
        flat = "".join(f"{row:0{width}b}" for row in self.sources.ravel()[::-1])
        return {
            "LANES_IN": int(self.get_nodeattr("PE")), "LANES_OUT": self.lanes_out, "ROWS": rows,
            "CHANNELS": self.channels_out, "PIXELS": pixels, "BITS": bits, "SOURCES": f"{len(flat)}'b{flat}",
        }  # fmt: skip

    def lut_estimation(self, fpgapart: str) -> int:
        """FINN: LUTs, by `LUTS`."""
        triplets = int((self.sources[:, 0] != self.sources[:, 1]).sum())
        return LUTS[0] + LUTS[1] * self.get_outstream_width() + LUTS[2] * triplets
