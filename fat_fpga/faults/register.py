"""How integers stand in the bits of memories and registers, as FINN lays them out.

| integers | bits |
|---|---|
| bipolar weights and activations | one bit: 0 is -1, 1 is +1 |
| other weights and activations | two's complement, or unsigned, of the width that the file gives them |
| accumulators of bipolar weights on bipolar activations | unsigned count of agreeing bits (XNOR and popcount) |
| other accumulators | as the file says, or the narrowest type that holds what any input can give |
| thresholds | as the file says, or like the accumulators, and one above the largest, which is never met |
| values of tables | like the activations that they are |
| factors and offsets in fixed point | the narrowest type that holds those of all channels |

`fat_fpga.network.words` decides on datatypes; here they become bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fat_fpga.faults.place import Place
from fat_fpga.network import Levels, MatrixVectorUnit
from fat_fpga.network.layers import IntArray, Thresholded
from fat_fpga.network.words import accumulator_type, counts_bits, threshold_type, threshold_words, unit_weight_type


class WordFormat(Protocol):
    """How values stand in words of bits; bit 0 is the least significant."""

    @property
    def bits(self) -> int:
        """Of a word."""

    @property
    def signed(self) -> bool:
        """Whether the highest bit is that of the sign in two's complement."""

    @property
    def maskable(self) -> bool:
        """Whether bit masking is defined: two's complement or unsigned, with a word for 0."""

    def word_of(self, value: int) -> int:
        """The word of an integer that `wrong` finds nothing wrong with."""

    def wrong(self, value: int) -> str:
        """Why no word holds an integer; empty where one does."""


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

    def holds(self, integer: int) -> bool:
        """Whether it can hold an integer."""
        low, high = self.span
        return low <= integer <= high and (integer - self.offset) % self.step == 0

    @property
    def maskable(self) -> bool:
        """Whether bit masking is defined: there are words for 0 and a sign bit, or no sign."""
        return self.step == 1

    def word_of(self, value: int) -> int:
        """The word that stands for an integer of the span."""
        return (value - self.offset) // self.step

    def wrong(self, value: int) -> str:
        """Why no word holds an integer; empty where one does."""
        low, high = self.span
        if self.holds(value):
            return ""
        return f"its words cannot hold {value}: they are {low} to {high} in steps of {self.step}"

    def masks(self, bit: int, to: int | None) -> tuple[int, int, int]:
        """``(keep, set, invert)`` so that ``word & keep | set ^ invert`` has one bit held at ``to``, or flipped (None).

        The highest bit of a signed word stands for all bits above it.
        """
        mask = -(1 << bit) if self.signed and bit == self.bits - 1 else 1 << bit
        if to is None:
            return -1, 0, mask
        return ~mask, mask if to else 0, 0

    def masks_of_each(self, bits: npt.NDArray[np.int64], to: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """`masks` of many bits, int64 [N, 3]; ``to`` is below 0 where a bit is flipped."""
        masks: npt.NDArray[np.int64] = _masks(self)[bits, np.sign(to) + 1]
        return masks

    def change(self, integers: IntArray, bit: int, to: int | None) -> IntArray:
        """The integers with one bit of each word held at ``to``, or flipped where that is None."""
        keep, put, invert = self.masks(bit, to)
        words = (integers.astype(np.int64) - self.offset) // self.step
        changed: IntArray = (self.offset + self.step * ((words & keep | put) ^ invert)).astype(np.int32)
        return changed


@lru_cache(maxsize=64)
def _masks(register: Register) -> npt.NDArray[np.int64]:
    """Masks of each bit, flipped, held at 0, held at 1, int64 [bits, 3, 3]."""
    every = [[register.masks(bit, value) for value in (None, 0, 1)] for bit in range(register.bits)]
    return np.array(every, np.int64)


def activation_register(levels: Levels) -> Register:
    """Of a stream's activations."""
    return Register.of_type(levels.stored_as)


@lru_cache(maxsize=64)
def weight_register(unit: MatrixVectorUnit) -> Register:
    """Of a unit's weight memory."""
    return Register.of_type(unit_weight_type(unit))


@lru_cache(maxsize=64)
def accumulator_register(place: Place) -> Register:
    """Of the accumulators of the unit at a place, all channels alike."""
    unit = unit_of(place)
    if counts_bits(unit, place.source):
        inputs = unit.weights[0].size
        return Register(inputs.bit_length(), False, -inputs, 2)
    return Register.of_type(accumulator_type(unit, place.source))


@lru_cache(maxsize=64)
def threshold_register(place: Place) -> Register:
    """Of the threshold memory of the layer at a place, all channels alike."""
    layer = thresholded_of(place)
    if layer.unit is not None and counts_bits(layer, place.source):
        inputs = layer.unit.weights[0].size
        return Register((inputs + 1).bit_length(), False, -inputs, 2)
    return Register.of_type(threshold_type(layer, place.source))


def parameter_register(place: Place, memory: str) -> Register:
    """Of one of the `Layer.parameters` of the layer at a place."""
    assert place.layer is not None
    return Register.of_type(place.layer.parameter_type(memory))


@lru_cache(maxsize=64)
def stored_thresholds(place: Place) -> IntArray:
    """The integers that the threshold memory of the layer at a place holds, int32 [M, T]."""
    return threshold_words(thresholded_of(place), place.source)


def unit_of(place: Place) -> MatrixVectorUnit:
    """The unit of a place that is known to have one."""
    assert place.unit is not None
    return place.unit


def thresholded_of(place: Place) -> Thresholded:
    """The layer of a place that is known to have thresholds."""
    assert place.thresholded is not None
    return place.thresholded
