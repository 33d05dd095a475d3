"""Reading a MajorityVote node; see `fat_fpga.qonnx_ops` for the operator."""

from __future__ import annotations

import numpy as np

from fat_fpga.network.layers import MajorityVote
from fat_fpga.network.lowering.graph import Node, attributes, refuse

VOTE = "MajorityVote"


def read_vote(node: Node, unit: str, channels: int) -> MajorityVote:
    """The vote behind a unit of so many output channels."""
    sources = np.array(attributes(node).get("sources", ()), np.int32)
    if not sources.size or sources.size % 3:
        raise refuse(node, f"expected three sources for each channel, got {sources.size} numbers")
    if sources.min() < 0 or sources.max() >= channels:
        raise refuse(node, f"its sources name channels {sources.min()} to {sources.max()}, {unit} has {channels}")
    return MajorityVote.behind(unit, sources.reshape(-1, 3), node.name)
