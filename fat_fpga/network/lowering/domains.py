"""The domains that an operator may come from: elsewhere the same name can mean something else."""

from __future__ import annotations

import onnx

from fat_fpga.network.lowering.graph import Node, refuse
from fat_fpga.network.lowering.operators import QONNX_QUANTISERS
from fat_fpga.network.lowering.vote import VOTE

STANDARD = ("", "ai.onnx")
QONNX = ("qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas", "finn", *STANDARD)
"""Where qonnx, FINN and Brevitas have had Quant, BipolarQuant and MultiThreshold, the oldest without a domain."""
FINN = (
    "finn.custom_op.fpgadataflow", "finn.custom_op.fpgadataflow.hls", "finn.custom_op.fpgadataflow.rtl",
    "finn.custom_op.general", "finn",
)  # fmt: skip
OURS = ("fat_fpga.qonnx_ops",)


def check_attributes(node: Node, opset: int) -> None:
    """ModelError where a standard operator has an attribute that its version does not know: no tool executes it."""
    if node.domain not in STANDARD or node.op_type in QONNX_QUANTISERS:
        return
    try:
        known = onnx.defs.get_schema(node.op_type, opset, "").attributes
    except onnx.defs.SchemaError:  # the operator itself is refused elsewhere
        return
    unknown = [attribute.name for attribute in node.attribute if attribute.name not in known]
    if unknown:
        raise refuse(node, f"it has the attribute '{unknown[0]}', which the operator does not have in version {opset}")


def check_domain(node: Node) -> None:
    """ModelError where the node's operator is another one than its name says."""
    known: tuple[str, ...] = STANDARD
    if node.op_type in QONNX_QUANTISERS:
        known = QONNX
    elif node.op_type == "LabelSelect":
        known = FINN
    elif node.op_type == VOTE:
        known = OURS
    if node.domain in known:
        return
    if node.domain.startswith("finn.custom_op.fpgadataflow"):
        raise refuse(node, "it is a hardware layer of FINN: take the file as it was before FINN's conversion to them")
    if "channels_last" in node.domain:
        raise refuse(
            node,
            f"channels-last operators (domain {node.domain}) are not supported: "
            "take the file as it was before qonnx's ConvertToChannelsLastAndClean",
        )
    if node.domain == "com.microsoft" and node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        raise refuse(
            node,
            "onnxruntime's own form of it is not supported (domain com.microsoft): "
            "quantise a file of opset 21 or later, where the standard one has 4 bits, too",
        )
    if node.domain in (*QONNX, *OURS):
        raise refuse(node, f"unsupported operator of the domain '{node.domain}'")
    raise refuse(node, f"unsupported operator: none of this name is known from the domain '{node.domain}'")
