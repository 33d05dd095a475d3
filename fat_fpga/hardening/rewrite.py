"""Rewriting a network: output channels of units in another order, and copies of them with a voter behind.

Neither changes the function: all that read a stream follow its order, and equal copies outvote nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.errors import PlanError
from fat_fpga.hardening.unit_plan import copies_of, sources_of
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import (
    Add,
    Concat,
    Layer,
    Scores,
    Select,
    Shuffle,
    SumPool,
    Thresholding,
    Upsample,
    ZeroInsertion,
)
from fat_fpga.network.network import INPUT
from fat_fpga.network.program import inserted

Order = tuple[int, ...]
"""The channel, in the network that was rewritten, at each position of a stream."""


class Layout(NamedTuple):
    """How the output channels of a unit are laid out.

    Attributes:
        rows: the channel that each row of the new unit computes; every channel once, or three times where it is to be
            voted on.
        order: the channel at each position behind the unit and its voter.
    """

    rows: Sequence[int]
    order: Sequence[int]


@checked
def rearranged(network: Network, unit: str, rows: Sequence[int], order: Sequence[int] | None = None) -> Network:
    """The same function, with the output channels of one unit laid out anew.

    Args:
        unit: name of a unit that has thresholds and no vote behind it.
        rows: see `Layout`.
        order: see `Layout`; as they were by default. Without copies it has to be that of the rows.

    Raises:
        PlanError: rows or order do not fit the unit, or what reads it.
        ModelError: the network has no such unit.
    """
    channels = getattr(network.layers[network.position(unit)].unit, "channels", 0)
    return laid_out(network, {unit: Layout(rows, range(channels) if order is None else order)})


@checked
def laid_out(network: Network, layouts: Mapping[str, Layout]) -> Network:
    """The same function, with the output channels of several units laid out anew at once.

    Where an addition ties streams together, the units in front of it need the same order.

    Raises:
        PlanError: a layout does not fit its unit, or what reads it.
        ModelError: the network has no such unit.
    """
    if network.fault:
        raise PlanError(f"{network.name} has the fault {network.fault} in it: rearrange the network without it")
    wanted = {name: _checked(network, name, layout) for name, layout in layouts.items()}
    orders: dict[str, Order] = {INPUT: tuple(range(network.input.shape[0]))}
    layers, votes = {}, []
    for layer in network.layers:
        front = [orders[stream] for stream in network.inputs[layer.name]]
        layers[layer.name], orders[layer.name] = _laid(layer, front, wanted.get(layer.name))
        unit = layer.unit
        if unit is not None and layer.name in wanted and len(wanted[layer.name].rows) > unit.channels:
            rows, order = wanted[layer.name]
            sources = np.array(sources_of(copies_of(rows, unit.channels), order), np.int32)
            votes.append(replace(MajorityVote.behind(unit.name, sources, f"{unit.name}_vote"), inputs=(unit.name,)))
    if orders[network.scores] != tuple(range(network.classes)):
        raise PlanError(f"{network.scores}: the class scores would be in another order")
    program = tuple(layers.values())
    for vote in votes:
        program = inserted(program, vote)
    return replace(network, layers=program)


@singledispatch
def _laid(layer: Layer, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    """A layer that reads streams of other orders, and the order of its own stream."""
    raise no_handler("the permutation of channels", layer, PlanError)


@_laid.register
def _(layer: MatrixVectorUnit, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    """Rows as they are wanted, columns as they come in; a group keeps its inputs and its outputs together."""
    (order,) = front
    size, outputs = layer.weights.shape[1], layer.channels // layer.groups
    blocks = [order[start : start + size] for start in range(0, len(order), size)]
    groups = [block[0] // size for block in blocks]
    if any(channel // size != group for block, group in zip(blocks, groups, strict=True) for channel in block):
        raise PlanError(f"{layer.name}: its groups of {size} input channels would be torn apart")
    follows = tuple(group * outputs + row for group in groups for row in range(outputs))
    rows, behind = layout or Layout(follows, follows)
    each = len(rows) // layer.groups
    if any(row // outputs != groups[place // each] for place, row in enumerate(rows)):
        raise PlanError(
            f"{layer.name}: it has {layer.groups} groups, whose output channels have to stay together, in the order "
            f"of the channels that it reads, and have as many copies in each group"
        )
    if tuple(rows) == tuple(range(layer.channels)) and order == tuple(range(len(order))):
        return layer, tuple(behind)
    columns = np.array([[channel % size for channel in block] for block in blocks])
    weights = np.stack([layer.weights[row][columns[place // each]] for place, row in enumerate(rows)])
    thresholds = None if layer.thresholds is None else layer.thresholds[list(rows)]
    return replace(layer, weights=weights, thresholds=thresholds), tuple(behind)


@_laid.register(MaxPool)
@_laid.register(SumPool)
@_laid.register(Upsample)
@_laid.register(ZeroInsertion)
@_laid.register(Scores)
def _(layer: Layer, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    return layer, front[0]


@_laid.register
def _(layer: Thresholding, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    (order,) = front
    return replace(layer, thresholds=layer.thresholds[list(order)]), order


@_laid.register
def _(layer: MajorityVote, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    positions = np.argsort(front[0]).astype(np.int32)
    return replace(layer, sources=positions[layer.sources]), tuple(range(layer.channels))


@_laid.register
def _(layer: Select, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    places = {channel: place for place, channel in enumerate(front[0])}
    channels = tuple(places[channel] for channel in layer.channels)
    return replace(layer, channels=channels), tuple(range(len(channels)))


@_laid.register
def _(layer: Shuffle, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    if front[0] != tuple(range(len(front[0]))):
        raise PlanError(f"{layer.name}: it makes pixels and channels of channels, which have to stay in their order")
    return layer, tuple(range(layer.shape[0]))


@_laid.register
def _(layer: Add, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    first, second = front
    if first != second:
        raise PlanError(
            f"{layer.name}: it adds {' and '.join(layer.inputs)}, whose channels would be in different orders: units "
            "in front of an addition need the same order"
        )
    return layer, first


@_laid.register
def _(layer: Concat, front: Sequence[Order], layout: Layout | None) -> tuple[Layer, Order]:
    starts = np.cumsum([0, *map(len, front)])
    return layer, tuple(int(start) + channel for start, order in zip(starts, front, strict=False) for channel in order)


def _checked(network: Network, name: str, layout: Layout) -> Layout:
    """The layout; PlanError where it does not fit the unit."""
    unit = network.layers[network.position(name)].unit
    if unit is None or unit.thresholds is None:
        raise PlanError(f"{name}: only a unit with thresholds can be rearranged")
    if network.vote_behind(name) is not None:
        raise PlanError(f"{name}: it has a vote behind it already; plan for the network without votes")
    rows, order = (tuple(map(int, channels)) for channels in layout)
    if sorted(order) != list(range(unit.channels)):
        raise PlanError(f"{unit.name}: the order must name each of its {unit.channels} channels once")
    count = Counter(rows)
    wrong = [channel for channel in range(unit.channels) if count[channel] not in (1, 3)]
    if wrong or len(count) != unit.channels:
        wrong = wrong or [channel for channel in count if not 0 <= channel < unit.channels]
        raise PlanError(f"{unit.name}: channel {wrong[0]} stands {count[wrong[0]]} times in the rows, expected 1 or 3")
    if len(rows) == unit.channels and rows != order:
        raise PlanError(f"{unit.name}: without copies there is no voter to reorder: rows and order must be the same")
    return Layout(rows, order)
