"""qonnx's operators with the channels last: the standard ones between two transpositions."""

from __future__ import annotations

from fat_fpga.network.lowering.forms.rewriting import Rewriter, Rule
from fat_fpga.network.lowering.graph import Node, attributes, refuse

DOMAIN = "qonnx.custom_op.channels_last"
OPERATORS = ("Conv", "MaxPool", "BatchNormalization")


def channels_last_rule(node: Node) -> Rule | None:
    return _rewrite if node.domain == DOMAIN and node.op_type in OPERATORS else None


def _rewrite(node: Node, rewriter: Rewriter) -> None:
    options = attributes(node)
    tensor, *parameters = node.input
    axes = rewriter.axes_of(tensor) or rewriter.axes_of(node.output[0]) or 4
    axes = len(options["kernel_shape"]) + 2 if "kernel_shape" in options else axes
    if axes not in (3, 4):
        raise refuse(node, f"expected 3 or 4 axes, got {axes}")
    if node.op_type == "Conv":
        parameters[0] = rewriter.channels_first(node, parameters[0], axes)
    before = rewriter.channels_first(node, tensor, axes)
    made = rewriter.emit(node, node.op_type, [before, *parameters], **options, named=True)
    rewriter.channels_last(node, made, axes, node.output[0])
