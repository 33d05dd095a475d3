"""Faults in the terms of the native engine's kernels: units and stages instead of places, level indices, bit masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from fat_fpga.faults import Change, places
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    ChangedThreshold,
    ChangedWeight,
    ChangedWord,
    FlippedActivation,
    HeldActivations,
    changed_words,
    changes_at,
)
from fat_fpga.faults.place import INPUT
from fat_fpga.faults.register import Register
from fat_fpga.network import Network

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native

_INPUT = (-1, 0)  # unit and stage of the integers in front of the first layer


def fault_list(
    network: Network, faults: Iterable[Sequence[Change]], model: native.Model, module: ModuleType
) -> native.FaultList:
    """The C++ list of faults, given by their changes, for the C++ ``model`` of the network in ``module``."""
    listed: native.FaultList = module.FaultList()
    stages = _stages(network)
    for changes in faults:
        listed.begin()
        for change in changes:
            if not isinstance(change, ChangedWord):
                _add(listed, change, network, *stages[change.place])
        for place in dict.fromkeys(change.place for change in changes if isinstance(change, ChangedWord)):
            _add_words(listed, changes, network, place, stages[place][0])
    listed.prepare(model)
    return listed


def shown_streams(network: Network) -> list[str]:
    """The streams that the kernels keep: behind each unit and its pools, and the class scores."""
    names = []
    for unit in network.units:
        pools = network.pools_behind(unit.name)
        names.append(pools[-1].name if pools else unit.name)
    return names


def _stages(network: Network) -> dict[str, tuple[int, int]]:
    """For each place its unit, and how many of that unit's pools are in front of it."""
    stages, unit, stage = {INPUT: _INPUT}, -1, 0
    for layer in network.layers:
        unit, stage = (unit + 1, 0) if layer.unit is not None else (unit, stage + 1)
        stages[layer.name] = unit, stage
    return stages


def _add(listed: native.FaultList, change: Change, network: Network, unit: int, stage: int) -> None:
    if isinstance(change, HeldActivations):
        channels = (change.channels.start, change.channels.stop, change.channels.step)
        rows, columns = ((span.start, span.stop) for span in (change.rows, change.columns))
        levels = places(network)[change.place].levels
        assert levels is not None
        listed.hold(unit, stage, channels, rows, columns, change.value, levels.index(change.value))
    elif isinstance(change, FlippedActivation):
        listed.flip(unit, stage, change.index, change.frame, *_bits(change.register, change.bit, change.to))
    else:
        assert isinstance(change, ChangedAccumulators)
        listed.accumulator(unit, change.channel, *_bits(change.register, change.bit, change.to))


def _add_words(listed: native.FaultList, changes: Sequence[Change], network: Network, place: str, unit: int) -> None:
    """Weights and thresholds of a unit that its changes leave with other values."""
    for index, word in changed_words(changes_at(changes, place, ChangedWeight)).items():
        output, source, row, column = index
        at = network.units[unit].place_of((output, source, row, column))
        listed.weight(unit, at, word - int(network.units[unit].weights[index]))
    for index, word in changed_words(changes_at(changes, place, ChangedThreshold)).items():
        channel, number = index
        listed.threshold(unit, channel, number, word)


def _bits(register: Register, bit: int, to: int | None) -> tuple[tuple[int, int, int], tuple[int, int]]:
    return register.masks(bit, to), (register.offset, register.step)
