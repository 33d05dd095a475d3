"""Faults in the terms of the native engine's kernels: numbers of streams and nodes instead of places, bit masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from fat_fpga.engines.native_patterns import add_pattern
from fat_fpga.faults import Change, Pattern
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    ChangedWeight,
    ChangedWord,
    FlippedActivation,
    HeldActivations,
    changed_words,
    changes_at,
    thresholds_met,
)
from fat_fpga.faults.place import INPUT
from fat_fpga.faults.register import Register
from fat_fpga.network import Network

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native


def fault_list(
    network: Network,
    faults: Iterable[Sequence[Change] | Pattern],
    model: native.Model,
    module: ModuleType,
    images: range = range(0),
) -> native.FaultList:
    """The C++ list of faults, given by their changes or as patterns, for the C++ ``model`` of a network.

    Args:
        images: those that errors of patterns are drawn for where they are drawn anew for each.
    """
    listed: native.FaultList = module.FaultList()
    nodes = {layer.name: node for node, layer in enumerate(network.layers)} | {INPUT: -1}

    def add(changes: Sequence[Change]) -> None:
        for change in changes:
            if not isinstance(change, ChangedWord):
                _add(listed, change, nodes[change.place])
        for place in dict.fromkeys(change.place for change in changes if isinstance(change, ChangedWord)):
            _add_words(listed, changes, network, place, nodes[place])

    for fault in faults:
        listed.begin()
        if isinstance(fault, Pattern):
            add_pattern(listed, network, fault, images, nodes, add)
        else:
            add(fault)
    listed.prepare(model)
    return listed


def _add(listed: native.FaultList, change: Change, node: int) -> None:
    """A change of a stream, which has the number behind its node's, or of accumulators."""
    if isinstance(change, HeldActivations):
        channels = (change.channels.start, change.channels.stop, change.channels.step)
        rows, columns = ((span.start, span.stop) for span in (change.rows, change.columns))
        listed.hold(node + 1, channels, rows, columns, change.value)
    elif isinstance(change, FlippedActivation):
        listed.flip(node + 1, change.index, change.frame, *_bits(change.register, change.bit, change.to))
    else:
        assert isinstance(change, ChangedAccumulators)
        listed.accumulator(node, change.channel, *_bits(change.register, change.bit, change.to))


def _add_words(listed: native.FaultList, changes: Sequence[Change], network: Network, place: str, node: int) -> None:
    """Weights and thresholds of a layer that its changes leave with other values."""
    unit = network.layers[node].unit
    for index, word in changed_words(changes_at(changes, place, ChangedWeight)).items():
        assert unit is not None
        output, source, row, column = index
        at = unit.place_of((output, source, row, column))
        listed.weight(node, at, word - int(unit.weights[index]))
    thresholded = network.layers[node].thresholded
    if thresholded is not None:
        for (channel, number), word in thresholds_met(thresholded, changes).items():
            listed.threshold(node, channel, number, word)


def _bits(register: Register, bit: int, to: int | None) -> tuple[tuple[int, int, int], tuple[int, int]]:
    return register.masks(bit, to), (register.offset, register.step)
