"""The max-pool (``hw/rtl/fat_max_pool.sv``) as a FINN operator, behind FINN's window generator."""

from __future__ import annotations

import math
from typing import Any

from finn.custom_op.fpgadataflow.pool import Pool

from fat_fpga.finn.operators.module import ModuleOperator


class FatPool_rtl(ModuleOperator, Pool):  # type: ignore[misc]  # noqa: N801
    """FINN's Pool, of function MaxPool, in our RTL.

    Windows come beat after beat, PE channels each: for the module each is a row of a frame of PE channels.
    """

    module = "fat_max_pool"

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """FINN: the largest value of each channel and window."""
        Pool.execute_node(self, context, graph)

    def parameters(self) -> dict[str, int | str]:
        """Parameters of ``fat_max_pool``."""
        pe, kind = int(self.get_nodeattr("PE")), self.get_input_datatype()
        window = math.prod(int(size) for size in self.get_nodeattr("KernelSize"))
        return {
            "CHANNELS": pe,
            "LANES": pe,
            "BITS": int(kind.bitwidth()),
            "SIGNED": f"1'b{int(kind.signed() and kind.name != 'BIPOLAR')}",
            "HEIGHT": math.prod(self.get_folded_output_shape()[:-1]),
            "WIDTH": window,
            "KERNEL_H": 1,
            "KERNEL_W": window,
        }
