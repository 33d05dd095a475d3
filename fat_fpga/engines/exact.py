"""How large the integers of a faulty network can grow, and so which floating-point type holds them exactly.

A sum of products of integers is exact in floating point, in whatever order it is added up, as long as no partial sum
leaves the range in which every integer has a number of its own: 2^24 for float32, 2^53 for float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from fat_fpga.errors import EngineError
from fat_fpga.faults.changes import Change, ChangedParameter, FlippedActivation, changes_at
from fat_fpga.faults.place import INPUT
from fat_fpga.faults.register import Register
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.datatypes import smallest_type, span_of
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import (
    Add,
    Concat,
    Layer,
    Requantise,
    Select,
    Shuffle,
    SumPool,
    Table,
    Thresholding,
    Upsample,
    ZeroInsertion,
)
from fat_fpga.network.words import unit_weight_type

FLOAT32 = 2**24
"""Every integer of at most this magnitude is a float32."""

Span = tuple[int, int]
"""The smallest and the largest integer."""


def spans(network: Network, changes: Iterable[Change]) -> dict[str, Span]:
    """What the activations of each stream can be under the changes, by place; the class scores are missing.

    A stuck activation holds one of the levels; only a flipped bit, or a vote on three values, can leave them, and no
    further than its register.
    """
    changes = tuple(changes)
    levels = network.input.levels
    found = {INPUT: _flipped((levels.min, levels.max), changes, INPUT)}
    for layer in network.layers:
        if layer.name not in network.levels_of:
            continue
        before = [found[stream] for stream in network.inputs[layer.name]]
        words = changes_at(changes, layer.name, ChangedParameter)
        behind = _behind(layer, *before) if not words else _behind_changed(layer, words, *before)
        found[layer.name] = _flipped(behind, changes, layer.name)
    return found


@singledispatch
def _behind(layer: Layer, *spans: Span) -> Span:
    """What the activations of a layer's stream can be, for those of the streams that it reads."""
    raise no_handler("the bound of sums in floating point", layer, EngineError)


@_behind.register
def _(layer: MatrixVectorUnit, span: Span) -> Span:
    assert layer.levels is not None
    if layer.thresholds is None:  # the sums themselves, of any words in its memories, and any word of its register
        words = max(map(abs, Register.of_type(unit_weight_type(layer)).span))
        sums = words * layer.weights[0].size * max(map(abs, span))
        register = Register.of_type(smallest_type(min(layer.levels.min, -1), layer.levels.max)).span
        declared = span_of(layer.accumulator_type) or (0, 0)
        return min(-sums, register[0], declared[0]), max(sums, register[1], declared[1])
    return layer.levels.min, layer.levels.max


@_behind.register
def _(layer: Table, span: Span) -> Span:
    return layer.levels.min, layer.levels.max


@_behind.register
def _(layer: Requantise, span: Span) -> Span:
    ends = np.array(span, np.int64)[:, None]
    fixed = (layer.factors.astype(np.int64) * ends + layer.offsets) >> layer.shift
    return max(int(fixed.min()), layer.low), min(int(fixed.max()) + 1, layer.high)


@singledispatch
def _behind_changed(layer: Layer, changes: Sequence[ChangedParameter], span: Span) -> Span:
    """The same where words of its memories may be any that these hold."""
    raise no_handler("the bound of sums in floating point", layer, EngineError)


@_behind_changed.register
def _(layer: Table, changes: Sequence[ChangedParameter], span: Span) -> Span:
    ends = [layer.levels.min, layer.levels.max, *(end for change in changes for end in change.register.span)]
    return min(ends), max(ends)


@_behind_changed.register
def _(layer: Requantise, changes: Sequence[ChangedParameter], span: Span) -> Span:
    held = {name: [int(words.min()), int(words.max())] for name, words in layer.parameters.items()}
    for change in changes:
        held[change.memory] += change.register.span
    fixed = [factor * end + offset for factor in held["factors"] for end in span for offset in held["offsets"]]
    return max(min(fixed) >> layer.shift, layer.low), min((max(fixed) >> layer.shift) + 1, layer.high)


@_behind.register
def _(layer: MajorityVote, span: Span) -> Span:
    if not layer.voted.any() or span == (-1, 1):
        return span
    return Register.of_type(smallest_type(*span)).span  # any bits of three values


@_behind.register(MaxPool)
@_behind.register(Select)
@_behind.register(Shuffle)
@_behind.register(Upsample)
def _(layer: Layer, span: Span) -> Span:
    return span


@_behind.register
def _(layer: ZeroInsertion, span: Span) -> Span:
    return min(span[0], 0), max(span[1], 0)


@_behind.register
def _(layer: Thresholding, span: Span) -> Span:
    return layer.levels.min, layer.levels.max


@_behind.register
def _(layer: Add, first: Span, second: Span) -> Span:
    ends = [
        sorted((factor * low, factor * high))
        for factor, (low, high) in zip(layer.factors, (first, second), strict=True)
    ]
    return sum(end[0] for end in ends), sum(end[1] for end in ends)


@_behind.register
def _(layer: Concat, *spans: Span) -> Span:
    pairs = list(zip(layer.factors, spans, strict=True))
    return min(factor * low for factor, (low, _) in pairs), max(factor * high for factor, (_, high) in pairs)


@_behind.register
def _(layer: SumPool, span: Span) -> Span:
    low, high = span[0] * layer.size, span[1] * layer.size
    return (min(low, 0), max(high, 0)) if any(layer.padding) else (low, high)


def largest_sum(unit: MatrixVectorUnit, span: Span) -> int:
    """What no partial sum of the unit's products exceeds in magnitude, for activations in ``span`` and padding."""
    sums = np.abs(unit.weights.astype(np.int64)).sum(axis=(1, 2, 3))
    return int(sums.max(initial=0)) * max(map(abs, span))


def _flipped(span: Span, changes: Iterable[Change], place: str) -> Span:
    for change in changes_at(changes, place, FlippedActivation):
        low, high = change.register.span
        span = min(span[0], low), max(span[1], high)
    return span
