"""The channel voter (``hw/rtl/fat_voter.sv``) as a FINN operator: MajorityVote, channels last."""

from __future__ import annotations

from typing import Any

import numpy as np

from fat_fpga.board.voter import signature, sources_literal, triplets
from fat_fpga.finn.operators.base import StreamOperator
from fat_fpga.luts import voter_luts
from fat_fpga.network.layers import IntArray


class FatVoter_rtl(StreamOperator):  # noqa: N801
    """Bitwise majority of three rows for each output channel.

    Attributes of the node, besides `StreamOperator`'s: ``sources``, three physical rows for each of the C output
    channels; ``PEOut`` lanes a beat behind.
    """

    module = "fat_voter"

    def get_nodeattr_types(self) -> dict[str, Any]:
        """FINN: names, types and defaults of the node's attributes."""
        return {"sources": ("ints", True, []), "PEOut": ("i", False, 1), **super().get_nodeattr_types()}

    @property
    def sources(self) -> IntArray:
        """int32 [C, 3]."""
        return np.asarray(self.get_nodeattr("sources"), np.int32).reshape(-1, 3)

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
        sources = self.sources
        return {
            "CHANNELS": self.channels_out,
            "ROWS": int(self.get_nodeattr("NumChannels")),
            "LANES_IN": int(self.get_nodeattr("PE")),
            "LANES_OUT": self.lanes_out,
            "BITS": int(self.get_input_datatype().bitwidth()),
            "SOURCES": sources_literal(sources),
            "SIGNATURE": f"32'h{signature(sources):08x}",
        }

    def lut_estimation(self, fpgapart: str) -> int:
        """FINN: LUTs, by the model that is fitted to synthesised voters."""
        return voter_luts(len(triplets(self.sources)), self.get_outstream_width(), self._buffered_bits())

    def _buffered_bits(self) -> int:
        """Bits of a pixel in front, which the voter keeps unless the copies of every beat stand in one beat."""
        lanes_in, lanes_out = int(self.get_nodeattr("PE")), self.lanes_out
        rows, bits = int(self.get_nodeattr("NumChannels")), int(self.get_input_datatype().bitwidth())
        beats = np.arange(self.channels_out) // lanes_out
        passing = bool(np.all(self.sources // lanes_in == beats[:, None]))
        return 0 if passing and rows // lanes_in == self.channels_out // lanes_out else rows * bits
