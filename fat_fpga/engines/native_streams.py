"""How the native engine's kernels hold the streams of a network: in planes of level indices, or as integers."""

from __future__ import annotations

from functools import singledispatch
from types import ModuleType
from typing import TYPE_CHECKING

from fat_fpga.network import Levels, Network
from fat_fpga.network.layers import Add, Layer, SumPool
from fat_fpga.network.network import INPUT

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native

MOST_PLANES = 15
"""Planes of a stream; one of more levels is held as integers."""

INTEGERS = Levels(0, 1, 2)
"""Base and step of what is held as integers."""


def native_streams(network: Network, module: ModuleType) -> tuple[dict[str, native.Stream], dict[str, Levels]]:
    """The C++ form of each stream, by name in network order, and the levels that its indices stand for.

    The class scores are among the streams where they are the sums of the last unit.
    """
    streams: dict[str, native.Stream] = {}
    indices: dict[str, Levels] = {}
    sums = network.units[-1].name
    for name in (INPUT, *(layer.name for layer in network.layers)):
        if name in streams or (name == network.scores and name != sums):
            continue
        frame = _frame(network, name)
        levels = network.levels_of.get(name, INTEGERS)
        in_planes = name != sums and _in_planes(network, name, levels, any(frame))
        indices[name] = levels if in_planes else INTEGERS
        streams[name] = module.Stream(
            network.shape_of[name],
            frame,
            levels.count - 1 if in_planes else 0,
            levels.index(0) if in_planes and any(frame) else 0,
            max(abs(levels.min), abs(levels.max)),
            (levels.base, levels.step, levels.count),
        )
    return streams, indices


def _frame(network: Network, stream: str) -> tuple[int, int, int, int]:
    """The widest padding, on each side, of the units that read a stream."""
    readers = [network.layers[network.position(name)].unit for name in network.readers[stream]]
    paddings = [(0, 0, 0, 0), *(unit.padding for unit in readers if unit is not None)]
    top, left, bottom, right = (max(sides) for sides in zip(*paddings, strict=True))
    return top, left, bottom, right


def _in_planes(network: Network, stream: str, levels: Levels, padded: bool) -> bool:
    """Whether a stream is held in planes. Padding is the integer 0, which planes hold where it is a level."""
    if stream == INPUT or levels.count - 1 > MOST_PLANES or (padded and 0 not in levels.values):
        return False
    readers = (network.layers[network.position(name)] for name in network.readers[stream])
    return _wanted(network.layers[network.position(stream)], any(reader.unit is not None for reader in readers))


@singledispatch
def _wanted(layer: Layer, by_units: bool) -> bool:
    """Whether the stream of a layer is wanted in planes; ``by_units``: whether units read it."""
    return True


@_wanted.register
def _(layer: Add, by_units: bool) -> bool:
    """What follows additions are thresholds, as a rule, which read integers."""
    return by_units


@_wanted.register
def _(layer: SumPool, by_units: bool) -> bool:
    return False
