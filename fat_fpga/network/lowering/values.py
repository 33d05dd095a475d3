"""Inputs that are no pixels: integers of a datatype, and real values, before the file's own quantiser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.datatypes import OPERAND, is_word, span_of
from fat_fpga.network.layers import Data, FeatureQuantiser, Input, IntArray, IntegerInput, Shape
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain, DifferError
from fat_fpga.network.lowering.constants import ROUNDING, whole
from fat_fpga.network.lowering.entry import Chains, Entry
from fat_fpga.network.lowering.graph import Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.operators.feature_quantiser import EXACT

WORK = 2**22
"""Values that one evaluation of a chain may handle, to bound memory."""
MOST_THRESHOLDS = 2**27
"""Thresholds of an input, all positions together."""
FINITE = int(np.float32(np.finfo(np.float32).max).view(np.int32))
"""Position of the largest finite float32 among all of them."""
NEAR = np.array([-64, -3, -2, -1, 0, 1, 2, 64])
"""Next to a threshold the chain is executed once more, so many numbers further on."""
Real = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]


def numbered(positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The float32 at positions -FINITE..FINITE in the order of all finite ones; 0 is 0."""
    bits = np.abs(positions).astype(np.int32).view(np.float32)
    return np.where(positions < 0, -bits, bits)


def whole_numbers(positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The integers themselves."""
    return positions.astype(np.float32)


def _signs(positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """-1 and +1 at the positions 0 and 1."""
    return (2 * positions - 1).astype(np.float32)


@dataclass(frozen=True)
class Values(Entry):
    """Data that enter as they are.

    Attributes:
        datatype: QONNX datatype of the integers; empty for real values.
    """

    datatype: str

    @property
    def grid(self) -> Grid | str:  # type: ignore[override]
        levels = self._levels
        return "the file's input is of real values" if levels is None else Grid(1.0, levels)

    @property
    def _levels(self) -> Levels | None:
        """The integers; None where they are real, or too wide for the operand of a product."""
        span = span_of(self.datatype)
        if span is None or not is_word(self.datatype, OPERAND):
            return None
        step = 2 if self.datatype == "BIPOLAR" else 1
        return Levels(span[0], step, (span[1] - span[0]) // step + 1, self.datatype)

    def real(self, rows: Data) -> npt.NDArray[Any]:
        return rows

    def read(self, chains: Chains, shape: Shape, order: IntArray | None, grid: Grid, node: Node) -> Input:
        try:
            return self._read(chains(False), shape, order, grid, node)
        except DifferError:
            return self._read(chains(True), shape, order, grid, node)

    def _read(self, chain: Chain, shape: Shape, order: IntArray | None, grid: Grid, node: Node) -> Input:
        levels = self._levels
        if levels is not None and self._unchanged(levels, chain, grid):
            return IntegerInput(shape, levels, grid.scale, order)
        if grid.levels is None or grid.levels.count > 2**8:
            raise refuse(node, "behind an input of integers that are changed, a quantiser of at most 8 bits is needed")
        if chain.otherwise is not None:
            culprit, reason = chain.otherwise
            raise refuse(culprit, f"in front of a quantiser of real values, {reason}")
        span, real = (-FINITE, FINITE), numbered
        if self.datatype:
            low, high = span_of(self.datatype) or (-EXACT, EXACT)
            span, real = (max(low, -EXACT), min(high, EXACT)), whole_numbers
            if levels is not None and levels.step == 2:  # -1 and +1, and nothing between
                span, real = (0, 1), _signs
        sign = chain.direction()
        thresholds = _thresholds(chain, real, span, sign, grid, node)
        return FeatureQuantiser(
            shape, thresholds, sign.astype(np.int32), grid.levels, grid.scale, order, self.datatype
        )  # fmt: skip

    def _unchanged(self, levels: Levels, chain: Chain, grid: Grid) -> bool:
        """Whether the chain only gives the integers another scale."""
        if grid.levels is None or (grid.levels.min, grid.levels.max) != (levels.min, levels.max):
            return False
        values = np.array(levels.values, np.float32)
        step = max(1, WORK // max(chain.count, 1))
        for start in range(0, len(values), step):
            part = np.repeat(values[start : start + step, None], chain.count, axis=1)
            found = whole(chain(part), grid.scale)
            if found is None or not np.array_equal(found, part):
                return False
        return True


def _thresholds(
    chain: Chain, real: Real, span: tuple[int, int], sign: npt.NDArray[np.int64], grid: Grid, node: Node
) -> npt.NDArray[np.float32]:
    """The smallest float32 of each position, times its sign, that reaches each level from 1 up: [R, T].

    Args:
        real: float32 of a position in the order of all values that there can be, which ``span`` bounds.
    """
    levels = grid.levels
    assert levels is not None
    count, (low, high) = levels.count - 1, span
    if count * chain.count > MOST_THRESHOLDS:
        raise refuse(node, f"its input would have {count * chain.count:,} thresholds, at most {MOST_THRESHOLDS:,}")

    def index(signed: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Level of values ``sign * value``, by position [V, R]."""
        values = chain(real(np.clip(signed * sign, low, high)))
        place = (values.astype(np.float64) / grid.scale - levels.base) / levels.step
        nearest = np.rint(place)
        allowed = 4 * ROUNDING * max(abs(levels.base), abs(levels.max), levels.count)
        if not np.all(np.abs(place - nearest) <= allowed) or nearest.min() < 0 or nearest.max() >= levels.count:
            last = chain.nodes[-1] if chain.nodes else node
            raise refuse(last, f"its output is not among the levels {levels} times {grid.scale:g}")
        return nearest.astype(np.int64)

    found = np.empty((count, chain.count), np.float32)
    lowest, highest = np.where(sign > 0, low, -high), np.where(sign > 0, high, -low)
    block = max(1, WORK // chain.count)
    for start in range(0, count, block):
        wanted = np.arange(start, min(start + block, count))[:, None] + 1
        first, last = np.tile(lowest, (len(wanted), 1)), np.tile(highest + 1, (len(wanted), 1))
        while np.any(first < last):
            middle = (first + last) // 2
            met, open_ = index(middle) >= wanted, first < last
            last = np.where(open_ & met, middle, last)
            first = np.where(open_ & ~met, middle + 1, first)
        smallest = sign * real(sign * np.clip(first, lowest, highest)) + 0.0  # and no -0.0
        bound = np.where(first > highest, np.inf, np.where(first == lowest, -np.inf, smallest))
        found[start : start + len(wanted)] = bound
        for step in NEAR:  # a function that is not monotone here has a level that is left again
            near = np.clip(first + step, lowest, highest)
            reached = index(near) >= wanted
            if not np.array_equal(reached, near >= first):
                raise refuse(chain.nodes[-1], "the chain up to here is not a monotone function of the input")
    return np.ascontiguousarray(found.T)
