"""What the memories and registers of a matrix-vector unit hold: datatypes, and the words of the threshold memory.

A file says some of it, in datatype annotations and in the constants of its MultiThreshold nodes; that is kept. Where it
is silent, the narrowest type is taken that holds whatever any input can give, as FINN's minimisation does.
"""

from __future__ import annotations

import numpy as np

from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.datatypes import OPERAND, holds, holds_span, is_word, smallest_type, span_of, type_of
from fat_fpga.network.layers import InputQuantiser, IntArray, MatrixVectorUnit
from fat_fpga.network.levels import Levels

Source = InputQuantiser | Levels
"""What decides the integers in front of a unit; `Network.source` gives it."""


def unit_weight_type(unit: MatrixVectorUnit) -> str:
    """The datatype of a unit's weight memory: as declared, if that is one of words and holds them."""
    declared = is_word(unit.weight_type, OPERAND) and holds(unit.weight_type, unit.weights)
    return unit.weight_type if declared else type_of(unit.weights)


def counts_bits(unit: MatrixVectorUnit, source: Source) -> bool:
    """Whether the unit is XNOR and popcount: bipolar weights on bipolar activations, without padding.

    Its accumulators and thresholds are then counts of agreeing bits, ``(sum + inputs) / 2``.
    """
    levels = source.levels
    return levels.stored_as == "BIPOLAR" and unit_weight_type(unit) == "BIPOLAR" and not any(unit.padding)


def accumulator_type(unit: MatrixVectorUnit, source: Source) -> str:
    """Datatype of the sums of a unit that does not count bits, the same for all channels."""
    low, high = _span(lattice(unit, source))
    declared = is_word(unit.accumulator_type) and holds_span(unit.accumulator_type, low, high)
    return unit.accumulator_type if declared else smallest_type(low, high)


def threshold_type(unit: MatrixVectorUnit, source: Source) -> str:
    """Datatype of the threshold memory of a unit that does not count bits, the same for all channels.

    As declared, or else the narrowest that holds its words, the sums, and one above the largest sum, which none meets.
    """
    if is_word(unit.threshold_type):
        return unit.threshold_type
    low, high = _span(lattice(unit, source))
    words = _within_accumulator(unit, source)
    return smallest_type(min(low, int(words.min())), max(high + 1, int(words.max())))


def threshold_words(unit: MatrixVectorUnit, source: Source) -> IntArray:
    """What the threshold memory holds, int32 [M, T], in sums (not counts of bits).

    A threshold that the memory cannot hold is kept at the end of what it holds, as FINN's RoundAndClipThresholds does.
    For every value of the accumulator it means the same.
    """
    assert unit.thresholds is not None
    if counts_bits(unit, source):
        inputs = unit.weights[0].size
        counts = -(-(np.clip(unit.thresholds.astype(np.int64), -inputs, inputs + 2) + inputs) // 2)
        words: IntArray = (2 * np.clip(counts, 0, inputs + 1) - inputs).astype(np.int32)
        return words
    span = span_of(unit.threshold_type) if is_word(unit.threshold_type) else None
    return _within_accumulator(unit, source) if span is None else _clipped(unit.thresholds, *span)


def _within_accumulator(unit: MatrixVectorUnit, source: Source) -> IntArray:
    """Thresholds within what the accumulator register holds, and one above."""
    span = span_of(accumulator_type(unit, source))
    assert unit.thresholds is not None
    assert span is not None
    return _clipped(unit.thresholds, span[0], span[1] + 1)


def _clipped(thresholds: IntArray, low: int, high: int) -> IntArray:
    return np.clip(thresholds, max(low, -(2**31)), min(high, 2**31 - 1))


def _span(reach: Lattice) -> tuple[int, int]:
    """Smallest and largest sum of all channels."""
    return int(reach.low.min()), int(reach.high.max())
