"""FINN's runtime-writable threshold memories, as a host sees them."""

from __future__ import annotations

from typing import Any

from fat_fpga.board.description import Address, ThresholdMemory
from fat_fpga.errors import FinnError


def threshold_memory(place: str, node: Any, thresholds: Any, address: Address) -> ThresholdMemory:
    """The memory of a Thresholding node.

    Args:
        place: of the network, for messages.
        node: FINN's object for it.
        thresholds: its initializer [C, T].
        address: where its block is.

    Raises:
        FinnError: a host could not hold every channel at every level through it, with the reason.
    """
    kind = node.onnx_node.op_type
    if kind != "Thresholding_rtl":
        raise FinnError(f"{place}: FINN chose {kind}, expected Thresholding_rtl: only its memory's layout is known")
    channels = int(node.get_nodeattr("NumChannels"))
    if len(thresholds) != channels:
        raise FinnError(
            f"{place}: FINN keeps {len(thresholds)} rows of thresholds for {channels} channels: none can be stuck alone"
        )
    accumulators, words = node.get_input_datatype(0), node.get_input_datatype(1)
    memory = ThresholdMemory(
        address, words.bitwidth(), words.signed(), thresholds.shape[1], int(node.get_nodeattr("PE")),
        thresholds.astype(int).tolist(),
    )  # fmt: skip
    low, high = memory.span
    if words.signed() != accumulators.signed() or low > accumulators.min() or high <= accumulators.max():
        raise FinnError(
            f"{place}: its thresholds are {words.name}, its accumulators {accumulators.name}: no threshold is always "
            "met, or none is never met, so writing them could not hold a channel at every level"
        )
    return memory
