"""Patterns in the terms of the native engine's kernels: arrays of words and bits, without an object for each fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.faults import Change, Pattern, changes_of
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    ChangedThreshold,
    ChangedWeight,
    FlippedActivation,
    searched_words,
)
from fat_fpga.faults.fault import FaultSet
from fat_fpga.faults.parts import Part, parts_of
from fat_fpga.faults.register import Register
from fat_fpga.faults.singles import Singles, faults_of, singles
from fat_fpga.network import Network
from fat_fpga.network.operators.threshold_logic import SEARCH

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native

Ints = npt.NDArray[np.int64]


def add_pattern(
    listed: native.FaultList,
    network: Network,
    pattern: Pattern,
    images: range,
    nodes: Mapping[str, int],
    add: Callable[[tuple[Change, ...]], None],
) -> None:
    """Add the single faults of a pattern to the fault that has begun.

    Args:
        images: those that errors are drawn for where they are drawn anew for each.
        nodes: number of each layer's node; -1 for the input.
        add: adds changes one by one, where a kind is not taken at once.
    """
    for part in parts_of(network, pattern):
        adder = None if part.model.traits.change is None else _ADDERS.get(part.model.traits.change)
        if adder is None:
            add(changes_of(network, [FaultSet(tuple(faults_of(part, images)))]))
        elif len(found := singles(part, images)):
            adder(listed, network, nodes[part.block.place], part, found)


def changed_memory(part: Part, found: Singles) -> tuple[Ints, Ints]:
    """Numbers of the words of a memory that differ, ascending, and what they are then, int64 [W] both."""
    assert part.words is not None
    assert part.memory is not None
    assert found.bits is not None
    words, masks = found.words, part.words.register.masks_of_each(found.bits, found.to)
    if (words[1:] > words[:-1]).all():  # as few hits of a large memory are
        starts, sizes = np.arange(len(words)), np.ones(len(words), np.int64)
    else:
        order = np.argsort(words, kind="stable")
        words, masks = words[order], masks[order]
        starts = np.flatnonzero(np.diff(words, prepend=-1))
        sizes = np.diff(starts, append=len(words))
    numbers = words[starts]
    before = part.memory.reshape(-1)[numbers].astype(np.int64)
    stored = (before - part.words.register.offset) // part.words.register.step
    for turn in range(int(sizes.max(initial=0))):  # bits of one word act one after another
        has = sizes > turn
        keep, put, invert = masks[starts[has] + turn].T
        stored[has] = (stored[has] & keep | put) ^ invert
    after = part.words.register.offset + part.words.register.step * stored
    differs = after != before
    return numbers[differs], after[differs]


def _add_weights(listed: native.FaultList, network: Network, node: int, part: Part, found: Singles) -> None:
    unit = network.layers[node].unit
    assert unit is not None
    numbers, after = changed_memory(part, found)
    m, c, y, x = np.unravel_index(numbers, part.block.dims)
    first = m // (unit.channels // unit.groups) * unit.weights.shape[1]
    at = np.stack([m, first + c, y * unit.dilation[0], x * unit.dilation[1]], axis=1)
    delta = after - unit.weights.reshape(-1)[numbers]
    listed.weights(node, _as32(at), _as32(delta))


def _add_thresholds(listed: native.FaultList, network: Network, node: int, part: Part, found: Singles) -> None:
    numbers, after = changed_memory(part, found)
    index = np.stack(np.unravel_index(numbers, part.block.dims), axis=1)
    layer = network.layers[node].thresholded
    assert layer is not None
    assert layer.thresholds is not None
    if layer.threshold_logic == SEARCH and len(numbers):
        index, after = searched_words(layer.thresholds, index, after)
    listed.thresholds(node, _as32(index), _as32(after))


def _add_accumulators(listed: native.FaultList, network: Network, node: int, part: Part, found: Singles) -> None:
    register, masks = _masks(part, found)
    listed.accumulators(node, _as32(found.words), masks, (register.offset, register.step))


def _add_flips(listed: native.FaultList, network: Network, node: int, part: Part, found: Singles) -> None:
    assert found.frames is not None
    register, masks = _masks(part, found)
    index = _as32(np.stack(np.unravel_index(found.words, part.block.dims), axis=1))
    listed.flips(node + 1, np.ascontiguousarray(found.frames), index, masks, (register.offset, register.step))


_ADDERS: dict[type[Change], Callable[[native.FaultList, Network, int, Part, Singles], None]] = {
    ChangedWeight: _add_weights,
    ChangedThreshold: _add_thresholds,
    ChangedAccumulators: _add_accumulators,
    FlippedActivation: _add_flips,
}


def _masks(part: Part, found: Singles) -> tuple[Register, Ints]:
    assert part.words is not None
    assert found.bits is not None
    return part.words.register, np.ascontiguousarray(part.words.register.masks_of_each(found.bits, found.to))


def _as32(integers: Ints) -> npt.NDArray[np.int32]:
    return np.ascontiguousarray(integers, np.int32)
