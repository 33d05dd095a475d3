"""Rewriting a network: output channels of a unit in another order, and copies of them with a voter behind.

Neither changes the function: the columns of the next unit follow the order, and equal copies outvote nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.errors import PlanError
from fat_fpga.hardening.plan import copies_of, sources_of
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Layer, SumPool
from fat_fpga.network.program import inserted


@checked
def rearranged(network: Network, unit: str, rows: Sequence[int], order: Sequence[int] | None = None) -> Network:
    """The same function, with the output channels of one unit laid out anew.

    Args:
        unit: name of a unit that has thresholds and no vote behind it.
        rows: the channel that each row of the new unit computes; every channel once, or three times where it is to be
            voted on.
        order: the channel at each position behind the unit and its voter; as they were by default. Without copies it
            has to be that of the rows.

    Raises:
        PlanError: rows or order do not fit the unit.
        ModelError: the network has no such unit.
    """
    if network.fault:
        raise PlanError(f"{network.name} has the fault {network.fault} in it: rearrange the network without it")
    position = network.position(unit)
    layer = network.layers[position].unit
    if layer is None or layer.thresholds is None:
        raise PlanError(f"{unit}: only a unit with thresholds can be rearranged")
    if network.vote_behind(unit) is not None:
        raise PlanError(f"{unit}: it has a vote behind it already; plan for the network without votes")
    order = list(range(layer.channels)) if order is None else [int(channel) for channel in order]
    rows = [int(channel) for channel in rows]
    if not layer.plain:
        raise PlanError(f"{unit}: the channels of a grouped or dilated convolution cannot be rearranged yet")
    replicated = _check(layer, rows, order)
    layers = {each.name: each for each in network.layers}
    layers[unit] = replace(layer, weights=layer.weights[rows], thresholds=layer.thresholds[rows])
    for reader in _followers(network, unit, order):
        layers[reader.name] = reader
    program = tuple(layers.values())
    if replicated:
        sources = np.array(sources_of(copies_of(rows, layer.channels), order), np.int32)
        vote = MajorityVote.behind(unit, sources, f"{unit}_vote")
        program = inserted(program, replace(vote, inputs=(unit,)))
    return replace(network, layers=program)


def _followers(network: Network, stream: str, order: Sequence[int]) -> Iterator[Layer]:
    """All layers that read the channels of a stream, reading them in another order."""
    for name in network.readers[stream]:
        layer = network.layers[network.position(name)]
        permuted = _permuted(layer, order)
        if permuted is None:
            yield from _followers(network, name, order)
        else:
            yield permuted


@singledispatch
def _permuted(layer: Layer, order: Sequence[int]) -> Layer | None:
    """A layer that reads its channels in another order, so that its output is as before; None where its output is then
    in that order, too, and the layer behind has to follow."""
    raise no_handler("the permutation of channels", layer, PlanError)


@_permuted.register
def _(layer: MatrixVectorUnit, order: Sequence[int]) -> Layer | None:
    if layer.groups > 1:
        raise PlanError(f"{layer.name}: the channels that a grouped convolution reads cannot be permuted yet")
    return replace(layer, weights=np.ascontiguousarray(layer.weights[:, order]))


@_permuted.register
def _(layer: MaxPool, order: Sequence[int]) -> Layer | None:
    return None


@_permuted.register
def _(layer: SumPool, order: Sequence[int]) -> Layer | None:
    return None


def _check(unit: MatrixVectorUnit, rows: Sequence[int], order: Sequence[int]) -> bool:
    """Whether there are copies; PlanError where rows or order do not fit the unit."""
    if sorted(order) != list(range(unit.channels)):
        raise PlanError(f"{unit.name}: the order must name each of its {unit.channels} channels once")
    count = Counter(rows)
    wrong = [channel for channel in range(unit.channels) if count[channel] not in (1, 3)]
    if wrong or len(count) != unit.channels:
        wrong = wrong or [channel for channel in count if not 0 <= channel < unit.channels]
        raise PlanError(f"{unit.name}: channel {wrong[0]} stands {count[wrong[0]]} times in the rows, expected 1 or 3")
    if len(rows) == unit.channels and list(rows) != list(order):
        raise PlanError(f"{unit.name}: without copies there is no voter to reorder: rows and order must be the same")
    return len(rows) > unit.channels
