"""The domains that an operator may come from: elsewhere the same name can mean something else."""

from __future__ import annotations

import onnx
import onnx.checker

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
SUM_POOL, RANKS = "SumPool", "Ranks"
OURS = ("fat_fpga.qonnx_ops",)


def check_form(node: Node, opset: int) -> None:
    """ModelError where a node is no call of its operator: no tool executes it, and what it means is a guess.

    An attribute says that it is of another type than it is of, or a standard operator has more or fewer inputs or
    outputs than its version takes.
    """
    for attribute in node.attribute:
        if not attribute.HasField("g") and not attribute.graphs:
            try:
                onnx.checker.check_attribute(attribute)
            except onnx.checker.ValidationError as error:
                raise refuse(node, f"its attribute '{attribute.name}' is damaged: {error}") from error
    schema = _schema(node, opset)
    if schema is None:
        return
    for what, count, low, high in (
        ("inputs", len(node.input), schema.min_input, schema.max_input),
        ("outputs", len(node.output), schema.min_output, schema.max_output),
    ):
        if not low <= count <= high:
            expected = f"{low} to {high}" if low < high else str(low)
            raise refuse(node, f"it has {count} {what}, expected {expected}: the file is damaged")


def check_attributes(node: Node, opset: int) -> None:
    """ModelError where a standard operator has an attribute that its version does not know: no tool executes it."""
    schema = _schema(node, opset)
    unknown = [a.name for a in node.attribute if a.name not in schema.attributes] if schema else []
    if unknown:
        raise refuse(node, f"it has the attribute '{unknown[0]}', which the operator does not have in version {opset}")


def _schema(node: Node, opset: int) -> onnx.defs.OpSchema | None:
    """What ONNX says of a standard operator; None for others, and for those that it does not have."""
    if node.domain not in STANDARD or node.op_type in QONNX_QUANTISERS:
        return None
    try:
        return onnx.defs.get_schema(node.op_type, opset, "")
    except onnx.defs.SchemaError:  # the operator itself is refused elsewhere
        return None


def check_domain(node: Node) -> None:
    """ModelError where the node's operator is another one than its name says."""
    known: tuple[str, ...] = STANDARD
    if node.op_type in QONNX_QUANTISERS:
        known = QONNX
    elif node.op_type == "LabelSelect":
        known = FINN
    elif node.op_type in (VOTE, SUM_POOL, RANKS, "Requantise", "Table", "AffineScores"):
        known = OURS
    if node.domain in known:
        return
    if node.domain.startswith("finn.custom_op.fpgadataflow"):
        if node.op_type == "StreamingDataflowPartition":
            raise refuse(node, "its layers are in another file: take the file that its attribute 'model' names")
        raise refuse(
            node,
            "it is a hardware layer of FINN that is not supported: docs/operators.md lists those that are; else take "
            "the file as it was before FINN's conversion to them",
        )
    if "channels_last" in node.domain:
        raise refuse(
            node,
            f"of the channels-last operators (domain {node.domain}), Conv, MaxPool and BatchNormalization are "
            "supported: take the file as it was before qonnx's ConvertToChannelsLastAndClean",
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
