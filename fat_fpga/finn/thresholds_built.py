"""How the layers of a FINN build find levels: which of its operators FINN chose for each."""

from __future__ import annotations

from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.layers import UNIT
from fat_fpga.finn.placing import ACTIVATION
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network
from fat_fpga.network.operators.threshold_logic import COUNT, SEARCH


def logic_of(operator: str) -> str:
    """Of an operator with thresholds, by its type in FINN: Thresholding_rtl is a binary search, all others count."""
    return SEARCH if operator == "Thresholding_rtl" else COUNT


def threshold_logics(model: Model, network: Network) -> dict[str, str]:
    """The logic of each layer by name.

    Args:
        model: specialised, so that every operator is one in RTL or in HLS.
    """
    known, found = network.threshold_logics, dict[str, str]()
    for node in nodes_of(model, network):
        if node.place not in known:
            continue
        if node.role == ACTIVATION or (node.role == UNIT and not node.custom.get_nodeattr("noActivation")):
            found[node.place] = logic_of(node.proto.op_type)
    return found
