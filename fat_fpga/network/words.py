"""What the memories and registers of layers hold: datatypes, and the words of the threshold memory.

A file says some of it, in datatype annotations and in the constants of its MultiThreshold nodes; that is kept. Where it
is silent, the narrowest type is taken that holds whatever any input can give, as FINN's minimisation does.
"""

from __future__ import annotations

import numpy as np

from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.datatypes import OPERAND, holds, holds_span, is_word, smallest_type, span_of, type_of
from fat_fpga.network.layers import Input, IntArray, Layer, MatrixVectorUnit, Thresholded
from fat_fpga.network.levels import Levels

Source = Input | Levels
"""What decides the integers in front of a unit; `Network.source` gives it."""


def unit_weight_type(unit: MatrixVectorUnit) -> str:
    """The datatype of a unit's weight memory: as declared, if that is one of words and holds them."""
    declared = is_word(unit.weight_type, OPERAND) and holds(unit.weight_type, unit.weights)
    return unit.weight_type if declared else type_of(unit.weights)


def counts_bits(layer: Layer, source: Source) -> bool:
    """Whether the layer is a unit of XNOR and popcount: bipolar weights on bipolar activations, without padding.

    Its accumulators and thresholds are then counts of agreeing bits, ``(sum + inputs) / 2``.
    """
    levels, unit = source.levels, layer.unit
    if unit is None or levels.stored_as != "BIPOLAR" or any(unit.padding):
        return False
    return unit_weight_type(unit) == "BIPOLAR"


def accumulator_type(layer: Thresholded, source: Source) -> str:
    """Datatype of the integers that a layer's thresholds compare with, the same for all channels.

    They are the sums of a unit that does not count bits, or else the stream in front.
    """
    if layer.unit is None:
        return source.levels.stored_as
    low, high = _span(lattice(layer, source))
    declared = is_word(layer.unit.accumulator_type) and holds_span(layer.unit.accumulator_type, low, high)
    return layer.unit.accumulator_type if declared else smallest_type(low, high)


def threshold_type(layer: Thresholded, source: Source) -> str:
    """Datatype of the threshold memory of a layer that does not count bits, the same for all channels.

    As declared, or else the narrowest that holds its words, the sums, and one above the largest sum, which none meets.
    """
    if is_word(layer.threshold_type):
        return layer.threshold_type
    low, high = _span(lattice(layer, source))
    words = _within_accumulator(layer, source)
    return smallest_type(min(low, int(words.min())), max(high + 1, int(words.max())))


def threshold_words(layer: Thresholded, source: Source) -> IntArray:
    """What the threshold memory holds, int32 [M, T], in sums (not counts of bits).

    A threshold that the memory cannot hold is kept at the end of what it holds, as FINN's RoundAndClipThresholds does.
    For every value of the accumulator it means the same.
    """
    assert layer.thresholds is not None
    if layer.unit is not None and counts_bits(layer, source):
        inputs = layer.unit.weights[0].size
        counts = -(-(np.clip(layer.thresholds.astype(np.int64), -inputs, inputs + 2) + inputs) // 2)
        words: IntArray = (2 * np.clip(counts, 0, inputs + 1) - inputs).astype(np.int32)
        return words
    span = span_of(layer.threshold_type) if is_word(layer.threshold_type) else None
    return _within_accumulator(layer, source) if span is None else _clipped(layer.thresholds, *span)


def _within_accumulator(layer: Thresholded, source: Source) -> IntArray:
    """Thresholds within what the accumulator register holds, and one above."""
    span = span_of(accumulator_type(layer, source))
    assert layer.thresholds is not None
    assert span is not None
    return _clipped(layer.thresholds, span[0], span[1] + 1)


def _clipped(thresholds: IntArray, low: int, high: int) -> IntArray:
    return np.clip(thresholds, max(low, -(2**31)), min(high, 2**31 - 1))


def _span(reach: Lattice) -> tuple[int, int]:
    """Smallest and largest sum of all channels."""
    return int(reach.low.min()), int(reach.high.max())
