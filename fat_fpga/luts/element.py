"""LUTs of one processing element of ``fat_mvtu``, from synthesised ones (``measured.json``, ``hw/syn/element.sv``).

An element takes the products of its lanes, adds them up and to the sum so far, and compares that with its thresholds.
What Yosys makes of many ones to be counted does not grow evenly, so that lanes and bits are `between` synthesised ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from fat_fpga.luts.table import measured

TABLE = "elements"
PLACES = 4
"""Bits of a weight times bits of an input up to which products are counts of ones."""
Kind = tuple[int, int, bool]
"""Bits of weights, of inputs, and whether inputs are bipolar."""
COUNT, MIXED, BOTH, BY_LANE = (1, 1, True), (1, 2, False), (2, 2, False), (1, 8, False)
"""Synthesised ones that stand for others: bits that agree are counted; ones are counted up and down, as one side is
bipolar; ones of both sides are counted; wide inputs are added or subtracted."""


class Element(NamedTuple):
    """Parameters as in `fat_fpga.luts.matrix.MatrixUnit`; ``accumulates``: a vector takes several beats."""

    simd: int
    weight_bits: int
    input_bits: int
    bipolar: bool
    sum_bits: int
    thresholds: int
    accumulates: bool

    @property
    def by_place(self) -> bool:
        """Whether products are counts of ones, place by place."""
        return self.input_bits == 1 or self.input_bits * self.weight_bits <= PLACES

    @property
    def mixed(self) -> bool:
        """Whether weights are bipolar and inputs not, or the other way round."""
        return (self.weight_bits == 1) != self.bipolar

    @property
    def products(self) -> int:
        """Products of bits; where one side is bipolar each counts up or down."""
        pairs = self.weight_bits * self.input_bits
        return self.simd * pairs * (2 if self.mixed else 1) if self.by_place else 0

    @property
    def dot(self) -> float:
        """LUTs of products and sum. What was not synthesised goes with its pairs of bits, or its bits."""
        own: Kind = (self.weight_bits, self.input_bits, self.bipolar)
        if own in known():
            return self._of(own)
        if not self.by_place and self.weight_bits > 1:  # DSP slices; the sum so far is added behind several of them
            return self.sum_bits if self.simd > 1 and self.accumulates else 0
        kept = self.sum_bits if self.accumulates else 0
        if not self.by_place:
            return kept + (self._of(BY_LANE) - kept) * (self.input_bits + 1) / (BY_LANE[1] + 1)
        kind = MIXED if self.mixed else BOTH
        return kept + (self._of(kind) - kept) * self.weight_bits * self.input_bits / (kind[0] * kind[1])

    @property
    def comparison(self) -> int:
        """LUTs of the comparisons with thresholds, and of counting those that are met."""
        if not self.thresholds:
            return 0
        threes, rest = divmod(self.sum_bits, 3)
        one = 2 * threes + min(rest, 2) + (self.sum_bits in (5, 6))
        return self.thresholds * one + max(2 * (self.thresholds.bit_length() - 1), self.thresholds - 4)

    def _of(self, kind: Kind) -> float:
        """A vector in one beat is not added to the sum so far: a share of the LUTs is left, by lanes."""
        lanes, sums = zip(*sorted(known()[kind].items()), strict=True)
        found = _along(lanes, [_along(list(of), list(of.values()), self.sum_bits) for of in sums], self.simd)
        return found if self.accumulates else found * float(np.interp(self.simd, *shares(kind)))


def _along(at: Sequence[int], values: Sequence[float], wanted: int) -> float:
    """On straight lines between values, and on the outer ones beyond."""
    first = min(max(int(np.searchsorted(at, wanted)) - 1, 0), len(at) - 2)
    slope = (values[first + 1] - values[first]) / (at[first + 1] - at[first])
    return values[first] + slope * (wanted - at[first])


@lru_cache(maxsize=1)
def known() -> dict[Kind, dict[int, dict[int, int]]]:
    """LUTs of synthesised elements that accumulate, by kind, lanes, and bits of sums."""
    found: dict[Kind, dict[int, dict[int, int]]] = {}
    for row in measured()[TABLE]:
        if row["accumulates"]:
            found.setdefault(_kind(row), {}).setdefault(row["simd"], {})[row["sum_bits"]] = row["lut"]
    return found


@lru_cache(maxsize=8)
def shares(kind: Kind) -> tuple[list[int], list[float]]:
    """Lanes, ascending, and LUTs of synthesised elements that do not accumulate, as shares of those that do."""
    found = {}
    for row in measured()[TABLE]:
        if not row["accumulates"] and _kind(row) == kind:
            with_sum = Element(row["simd"], *kind, row["sum_bits"], 0, True)
            found[row["simd"]] = row["lut"] / with_sum.dot
    return sorted(found), [found[lanes] for lanes in sorted(found)]


def _kind(row: Mapping[str, Any]) -> Kind:
    return row["weight_bits"], row["input_bits"], bool(row["input_bipolar"])
