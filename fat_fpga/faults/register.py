"""How integers stand in the bits of memories and registers, as FINN lays them out.

| integers | bits |
|---|---|
| bipolar weights and activations | one bit: 0 is -1, 1 is +1 |
| other weights and activations | two's complement, or unsigned where nothing is negative, of their datatype's width |
| accumulators of bipolar weights on bipolar activations | unsigned count of agreeing bits (XNOR and popcount) |
| other accumulators | the narrowest two's complement, or unsigned, that holds what any input can give |
| thresholds | like the accumulators that they are compared with, and one above the largest, which is never met |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fat_fpga.network import Levels, MatrixVectorUnit
from fat_fpga.network.bounds import lattice
from fat_fpga.network.datatypes import smallest_type, unit_weight_type
from fat_fpga.network.layers import InputQuantiser, IntArray


@dataclass(frozen=True)
class Register:
    """A word of ``bits`` bits holding ``word``, which stands for the integer ``offset + step * word``."""

    bits: int
    signed: bool
    offset: int = 0
    step: int = 1

    @classmethod
    def of_type(cls, datatype: str) -> Register:
        """The register of a QONNX datatype."""
        if datatype == "BIPOLAR":
            return cls(1, False, -1, 2)
        datatype = {"BINARY": "UINT1", "TERNARY": "INT2"}.get(datatype, datatype)
        found = re.fullmatch(r"(U?)INT(\d+)", datatype)
        assert found is not None, datatype
        return cls(int(found[2]), not found[1])

    @property
    def span(self) -> tuple[int, int]:
        """The smallest and the largest integer that it can hold."""
        smallest = -(1 << self.bits - 1) if self.signed else 0
        return self.offset + self.step * smallest, self.offset + self.step * (smallest + (1 << self.bits) - 1)

    def masks(self, bit: int, to: int | None) -> tuple[int, int, int]:
        """``(keep, set, invert)`` so that ``word & keep | set ^ invert`` has one bit held at ``to``, or flipped (None).

        The highest bit of a signed word stands for all bits above it.
        """
        mask = -(1 << bit) if self.signed and bit == self.bits - 1 else 1 << bit
        if to is None:
            return -1, 0, mask
        return ~mask, mask if to else 0, 0

    def change(self, integers: IntArray, bit: int, to: int | None) -> IntArray:
        """The integers with one bit of each word held at ``to``, or flipped where that is None."""
        keep, put, invert = self.masks(bit, to)
        words = (integers.astype(np.int64) - self.offset) // self.step
        changed: IntArray = (self.offset + self.step * ((words & keep | put) ^ invert)).astype(np.int32)
        return changed


def activation_register(levels: Levels) -> Register:
    """Of a stream's activations."""
    return Register.of_type("BIPOLAR" if levels.bipolar else smallest_type(levels.min, levels.max))


@lru_cache(maxsize=64)
def weight_register(unit: MatrixVectorUnit) -> Register:
    """Of a unit's weight memory."""
    return Register.of_type(unit_weight_type(unit))


@lru_cache(maxsize=64)
def accumulator_register(unit: MatrixVectorUnit, source: InputQuantiser | Levels) -> Register:
    """Of a unit's accumulators, all channels alike."""
    if _counts_bits(unit, source):
        inputs = unit.weights[0].size
        return Register(inputs.bit_length(), False, -inputs, 2)
    return Register.of_type(smallest_type(*_reach(unit, source)))


@lru_cache(maxsize=64)
def threshold_register(unit: MatrixVectorUnit, source: InputQuantiser | Levels) -> Register:
    """Of a unit's threshold memory, all channels alike."""
    if _counts_bits(unit, source):
        inputs = unit.weights[0].size
        return Register((inputs + 1).bit_length(), False, -inputs, 2)
    low, high = _reach(unit, source)
    return Register.of_type(smallest_type(low, high + 1))


def stored_threshold(unit: MatrixVectorUnit, source: InputQuantiser | Levels, channel: int, index: int) -> int:
    """The integer that the threshold memory holds: kept within what accumulators can reach, and one above."""
    assert unit.thresholds is not None
    low, high = _reach(unit, source)
    clipped = min(max(int(unit.thresholds[channel, index]), low), high + 1)
    if _counts_bits(unit, source):  # the next count that meets it
        return low + -(-(clipped - low) // 2) * 2
    return clipped


@lru_cache(maxsize=64)
def _reach(unit: MatrixVectorUnit, source: InputQuantiser | Levels) -> tuple[int, int]:
    """Smallest and largest accumulator of the unit."""
    reach = lattice(unit, source)
    return int(reach.low.min()), int(reach.high.max())


@lru_cache(maxsize=64)
def _counts_bits(unit: MatrixVectorUnit, source: InputQuantiser | Levels) -> bool:
    levels = source.levels if isinstance(source, InputQuantiser) else source
    return levels.bipolar and unit_weight_type(unit) == "BIPOLAR" and not any(unit.padding)
