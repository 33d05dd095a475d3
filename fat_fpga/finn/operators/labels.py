"""The choice of the class (``hw/rtl/fat_label_select.sv``) as a FINN operator."""

from __future__ import annotations

from typing import Any

from finn.custom_op.fpgadataflow.labelselect import LabelSelect

from fat_fpga.finn.operators.module import ModuleOperator


class FatLabelSelect_rtl(ModuleOperator, LabelSelect):  # type: ignore[misc]  # noqa: N801
    """FINN's LabelSelect of the largest score in our RTL: the first one of several."""

    module = "fat_label_select"

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """FINN: the class of the largest score."""
        LabelSelect.execute_node(self, context, graph)

    def parameters(self) -> dict[str, int | str]:
        """Parameters of ``fat_label_select``."""
        kind = self.get_input_datatype()
        return {
            "CLASSES": self.get_nodeattr("Labels"),
            "LANES": self.get_nodeattr("PE"),
            "BITS": int(kind.bitwidth()),
            "SIGNED": f"1'b{int(kind.signed())}",
        }
