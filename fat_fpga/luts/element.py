"""LUTs of one processing element of ``fat_mvtu``, from synthesised ones (``measured.json``, ``fat_element``).

An element takes the products of its lanes, adds them up and to the sum so far; its activation compares that with
thresholds. Synthesis keeps both as modules, so each takes in a unit what it takes alone. What Yosys makes of many ones
to be counted does not grow evenly, so that lanes and bits are `between` synthesised ones.
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
MIXED, BOTH, BY_LANE, IN_DSP = (1, 2, False), (2, 2, False), (1, 8, False), (2, 8, False)
"""Synthesised ones that stand for others: ones are counted up and down, as one side is bipolar; ones of both sides are
counted; wide inputs are added or subtracted; wide inputs are multiplied in DSP slices."""


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
    def dot(self) -> float:
        """LUTs of products and sum. What was not synthesised goes with its pairs of bits, or its bits."""
        own: Kind = (self.weight_bits, self.input_bits, self.bipolar)
        if own in known():
            return self._of(own)
        kept = self.sum_bits if self.accumulates else 0
        if self.by_place:
            kind = MIXED if self.mixed else BOTH
            share = self.weight_bits * self.input_bits / (kind[0] * kind[1])
        elif self.weight_bits > 1:
            return self._of(IN_DSP)
        else:
            kind, share = BY_LANE, (self.input_bits + 1) / (BY_LANE[1] + 1)
        return kept + max(self._of(kind) - kept, 0) * share

    @property
    def comparison(self) -> int:
        """LUTs of the comparisons with thresholds, and of counting those that are met."""
        if not self.thresholds:
            return 0
        return self.thresholds * compared(self.sum_bits) + max(
            2 * (self.thresholds.bit_length() - 1), self.thresholds - 4
        )

    def _of(self, kind: Kind) -> float:
        """Bits of the sum beyond those that are needed cost nothing where nothing is added to it."""
        if not self.accumulates:
            at_once = known_at_once()[kind]
            return _along(list(at_once), list(at_once.values()), self.simd)
        lanes, sums = zip(*sorted(known()[kind].items()), strict=True)
        return _along(lanes, [_along(list(of), list(of.values()), self.sum_bits) for of in sums], self.simd)


def compared(bits: int) -> int:
    """LUTs that compare two numbers, as measured with 4 to 17 bits."""
    threes, rest = divmod(bits, 3)
    return 2 * threes + min(rest, 2) + (bits in (5, 6))


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


@lru_cache(maxsize=1)
def known_at_once() -> dict[Kind, dict[int, int]]:
    """LUTs of synthesised elements whose vector comes in one beat, by kind and lanes."""
    found: dict[Kind, dict[int, int]] = {}
    for row in measured()[TABLE]:
        if not row["accumulates"]:
            found.setdefault(_kind(row), {})[row["simd"]] = row["lut"]
    return found


def _kind(row: Mapping[str, Any]) -> Kind:
    return row["weight_bits"], row["input_bits"], bool(row["input_bipolar"])
