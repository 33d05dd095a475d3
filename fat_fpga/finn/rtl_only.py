"""Builds without Vitis HLS: what FINN has in HLS only becomes units of ours, and what has none is refused by name.

Window generators of units are ours, too; FINN's own RTL stays for those of pools, for padding, and for thresholds of
their own.
"""

from __future__ import annotations

import numpy as np

from fat_fpga.errors import BoardError, FinnError
from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.operators import DOMAIN, UNITS
from fat_fpga.finn.placing import Node, kind_of
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network
from fat_fpga.rtl.stages import check_bits


def to_rtl(model: Model, network: Network) -> None:
    """Put our units into a specialised graph, in place; widths must be minimal already.

    Raises:
        FinnError: a layer has no RTL, neither FINN's nor ours.
    """
    for node in nodes_of(model, network):
        kind = kind_of(node.proto)
        if kind in UNITS and _taken(node, kind):
            number = node.proto.name.rsplit("_", 1)[-1]
            node.proto.op_type, node.proto.domain, node.proto.name = UNITS[kind], DOMAIN, f"{UNITS[kind]}_{number}"
            known = node.custom.get_nodeattr_types()
            for attribute in [attribute for attribute in node.proto.attribute if attribute.name not in known]:
                node.proto.attribute.remove(attribute)
            if kind == "MVAU":
                _narrow(model, node)
                _check(node)
        elif not node.proto.op_type.endswith("_rtl"):
            what = "a pool that adds up" if kind == "Pool" else kind
            raise FinnError(
                f"{node.place}: FINN has {what} in HLS only, and we have no RTL for it: build without --rtl-only"
            )


def _taken(node: Node, kind: str) -> bool:
    """Whether our unit computes all that this node may be asked to."""
    custom = node.custom
    if kind == "Pool":
        return bool(custom.get_nodeattr("Function") == "MaxPool")
    if kind == "ConvolutionInputGenerator":
        return not custom.get_nodeattr("depthwise") and list(custom.get_nodeattr("Dilation")) == [1, 1]
    return True


def _narrow(model: Model, node: Node) -> None:
    """Weights of -1 and +1 are of one bit for our unit, whatever the inputs are; FINN makes them INT2 behind pixels."""
    unit = node.custom
    weights = model.get_initializer(node.proto.input[1])
    if unit.get_input_datatype(0).name != "BIPOLAR" and not unit.counting and np.all(np.abs(weights) == 1):
        unit.set_nodeattr("weightDataType", "BIPOLAR")


def _check(node: Node) -> None:
    unit = node.custom
    try:
        check_bits(node.place, unit.weight_bits, int(unit.get_input_datatype(0).bitwidth()), unit.sum_bits)
    except BoardError as error:
        raise FinnError(str(error)) from error
