"""What ``fat_mvtu`` costs, its memories included: LUTs by a model fitted to synthesised units (``measured.json``).

LUT = memories and the choice among their banks (`memories`) + a + b x products of bits + c x bits of adders
    + d x bits of the adders of wide inputs, one-bit weights + e x the same, other weights + f x bits of thresholds
    + g x bits that a host reads at a time, where a word of weights has more

Inputs of more bits are multiplied lane by lane; with weights of more than one bit each product takes a DSP slice.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from fat_fpga.luts.memories import NOTHING, Memory, shared, simple
from fat_fpga.luts.table import measured

TABLE = "matrix units"
HOST_BITS = 32
"""Of a part of a word of weights that a host writes."""
PLACES = 4
"""Bits of a weight times bits of an input up to which products are counts of ones."""


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
    def memories(self) -> tuple[Memory, Memory, Memory]:
        """The vector that is kept for the folds behind the first one, weights, thresholds."""
        beats, folds = self.inputs // self.simd, self.channels // self.pe
        weights = shared(self.pe * self.simd * self.weight_bits, beats * folds, HOST_BITS)
        kept = simple(self.simd * self.input_bits, beats) if folds > 1 else NOTHING
        words = self.pe * self.thresholds * self.sum_bits
        return kept, weights, shared(words, folds, self.sum_bits) if words else NOTHING

    @property
    def bram_18k(self) -> int:
        """Halves of block RAMs."""
        return sum(memory.bram_18k for memory in self.memories)

    @property
    def by_place(self) -> bool:
        """Whether products are counts of ones, place by place."""
        return self.input_bits == 1 or self.input_bits * self.weight_bits <= PLACES

    @property
    def dsp(self) -> int:
        """DSP slices."""
        return 0 if self.by_place or self.weight_bits == 1 else self.pe * self.simd

    @property
    def luts(self) -> int:
        """LUTs, those of memories included."""
        found = sum(a * term for a, term in zip(coefficients(), self.terms, strict=True))
        return round(self.known + found)

    @property
    def known(self) -> int:
        """LUTs of the memories and of the choice among their banks, for both ports."""
        _, weights, thresholds = self.memories
        chosen = weights.chosen(self.pe * self.simd * self.weight_bits)
        chosen += thresholds.chosen(self.pe * self.thresholds * self.sum_bits)
        return sum(memory.lutram for memory in self.memories) + 2 * chosen

    @property
    def terms(self) -> tuple[int, ...]:
        """What a to g are multiplied with."""
        pairs = self.weight_bits * self.input_bits if self.by_place else 0
        counts = 2 if self.weight_bits == 1 and not self.bipolar else 1  # of +1 and of -1
        sums = self.pe * self.sum_bits
        lanes = 0 if self.by_place else self.simd * sums
        one_bit, word = self.weight_bits == 1, self.pe * self.simd * self.weight_bits
        return (
            1, self.pe * self.simd * pairs * counts, sums * max(pairs, 1), lanes if one_bit else 0,
            0 if one_bit else lanes, sums * self.thresholds,
            HOST_BITS if word > HOST_BITS else 0,
        )  # fmt: skip


def measured_units(other: bool, unseen: bool = False) -> list[tuple[MatrixUnit, Mapping[str, Any]]]:
    """The synthesised units that the model is fitted to, or the ``other`` ones, with what was found.

    Args:
        unseen: those that were synthesised after the form of the model was settled, instead.
    """
    rows = (row for row in measured()[TABLE] if row.get("unseen", False) == unseen)
    return [(unit_of(row), row) for row in rows if unseen or row["other"] == other]


def unit_of(row: Mapping[str, Any]) -> MatrixUnit:
    """The unit of a row of the table."""
    return MatrixUnit(
        row["inputs"], row["channels"], row["pe"], row["simd"], row["weight_bits"], row["input_bits"],
        bool(row["input_bipolar"]), row["sum_bits"], row["thresholds"],
    )  # fmt: skip


@lru_cache(maxsize=1)
def coefficients() -> tuple[float, ...]:
    """a to g: least squares of the relative error."""
    units = measured_units(False)
    total = np.array([row["lut"] + row["lutram"] for _, row in units], np.float64)
    terms = np.array([unit.terms for unit, _ in units], np.float64)
    known = np.array([unit.known for unit, _ in units], np.float64)
    return tuple(float(value) for value in np.linalg.lstsq(terms / total[:, None], (total - known) / total)[0])


def errors(other: bool, unseen: bool = False) -> list[float]:
    """Errors of the model's LUTs against each of `measured_units`, as shares of what was synthesised."""
    pairs = [(unit.luts, row["lut"] + row["lutram"]) for unit, row in measured_units(other, unseen)]
    return [found / wanted - 1 for found, wanted in pairs]


def largest_error(other: bool) -> float:
    """The largest of `errors`, without its sign."""
    return max(map(abs, errors(other)))
