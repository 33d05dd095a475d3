"""What ``fat_mvtu`` costs, its memories included: LUTs by a model whose parts were synthesised (``measured.json``).

LUT = memories, what chooses among their banks and parts, and what lets a host write parts (`memories`)
    + what takes the vector as it comes or as it was kept + the processing elements (`element`)
    + a + b x bits of counters and addresses + c x bits that a host reads

a to c are fitted to whole units. Inputs of more bits are multiplied lane by lane; with weights of more than one bit
each product takes a DSP slice.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from fat_fpga.luts.element import Element
from fat_fpga.luts.memories import NOTHING, Memory, choice, shared, simple
from fat_fpga.luts.table import measured

TABLE = "matrix units"
HOST_BITS = 32
"""Of a part of a word of weights that a host writes."""


class MatrixUnit(NamedTuple):
    """Parameters of ``fat_mvtu``, as they are called there.

    Attributes:
        bipolar: whether inputs of one bit are -1 and +1.
    """

    inputs: int
    channels: int
    pe: int
    simd: int
    weight_bits: int
    input_bits: int
    bipolar: bool
    sum_bits: int
    thresholds: int

    @property
    def beats(self) -> int:
        """Of a vector."""
        return self.inputs // self.simd

    @property
    def folds(self) -> int:
        """Of the channels."""
        return self.channels // self.pe

    @property
    def word(self) -> int:
        """Bits of weights that are read at a time."""
        return self.pe * self.simd * self.weight_bits

    @property
    def memories(self) -> tuple[Memory, Memory, Memory]:
        """The vector that is kept for the folds behind the first one, weights, thresholds."""
        kept = simple(self.simd * self.input_bits, self.beats) if self.folds > 1 else NOTHING
        words = self.pe * self.thresholds * self.sum_bits
        thresholds = shared(words, self.folds, self.sum_bits) if words else NOTHING
        return kept, shared(self.word, self.beats * self.folds, HOST_BITS), thresholds

    @property
    def bram_18k(self) -> int:
        """Halves of block RAMs."""
        return sum(memory.bram_18k for memory in self.memories)

    @property
    def element(self) -> Element:
        """One of the processing elements."""
        return Element(self.simd, self.weight_bits, self.input_bits, self.bipolar, self.sum_bits, self.thresholds,
                       self.beats > 1)  # fmt: skip

    @property
    def dsp(self) -> int:
        """DSP slices."""
        return 0 if self.element.by_place or self.weight_bits == 1 else self.pe * self.simd

    @property
    def luts(self) -> int:
        """LUTs, those of memories included."""
        found = sum(a * term for a, term in zip(coefficients(), self.terms, strict=True))
        return round(self.known + found)

    @property
    def known(self) -> float:
        """LUTs of memories, vector and processing elements."""
        kept, weights, thresholds = self.memories
        vector = self.simd * self.input_bits * max(choice(kept.banks), 1) if self.folds > 1 else 0
        memories = sum(memory.lutram + memory.logic for memory in (kept, weights, thresholds))
        return memories + vector + self.pe * (self.element.dot + self.element.comparison)

    @property
    def terms(self) -> tuple[int, ...]:
        """What a to c are multiplied with."""
        depth = self.beats * self.folds
        both = self.beats > 1 and self.folds > 1  # else one of them is the counter of words, too
        counters = _bits(depth) + (_bits(self.beats) + _bits(self.folds) if both else 0)
        weights = _bits(depth) + _bits(-(-self.word // HOST_BITS))
        thresholds = _bits(self.folds) + _bits(self.pe) + _bits(self.thresholds)
        read = max(min(self.word, HOST_BITS), self.sum_bits if self.thresholds else 0)
        return 1, counters + max(weights, thresholds) + 1, read


def _bits(number: int) -> int:
    """Bits of numbers below this one."""
    return max(number - 1, 0).bit_length()


def measured_units(which: str) -> list[tuple[MatrixUnit, Mapping[str, Any]]]:
    """Synthesised units, with what was found: those that the model is ``fitted`` to, or ``other`` ones."""
    return [(unit_of(row), row) for row in measured()[TABLE] if row["use"] == which]


def unit_of(row: Mapping[str, Any]) -> MatrixUnit:
    """The unit of a row of the table."""
    return MatrixUnit(
        row["inputs"], row["channels"], row["pe"], row["simd"], row["weight_bits"], row["input_bits"],
        bool(row["input_bipolar"]), row["sum_bits"], row["thresholds"],
    )  # fmt: skip


@lru_cache(maxsize=1)
def coefficients() -> tuple[float, ...]:
    """a to c: least squares of the relative error, none of them below 0."""
    from scipy.optimize import nnls

    units = measured_units("fitted")
    total = np.array([row["lut"] + row["lutram"] for _, row in units], np.float64)
    terms = np.array([unit.terms for unit, _ in units], np.float64)
    known = np.array([unit.known for unit, _ in units], np.float64)
    return tuple(float(value) for value in nnls(terms / total[:, None], (total - known) / total)[0])


def errors(which: str) -> list[float]:
    """Errors of the model's LUTs against each of `measured_units`, as shares of what was synthesised."""
    pairs = [(unit.luts, row["lut"] + row["lutram"]) for unit, row in measured_units(which)]
    return [found / wanted - 1 for found, wanted in pairs]
