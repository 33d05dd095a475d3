"""Exact thresholds of a unit, found by executing its chain on accumulators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.datatypes import holds, type_of
from fat_fpga.network.layers import InputQuantiser, IntArray, MatrixVectorUnit
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain, Probe
from fat_fpga.network.lowering.constants import ROUNDING
from fat_fpga.network.lowering.graph import refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.matrix import Product

EXACT = 2**24
"""Up to here float32 holds every integer."""
WORK = 2**22
"""Values that one evaluation of a chain may handle, to bound memory."""
Index = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]
"""Which level each accumulator [V, M] reaches."""


class Accumulators:
    """Turns integer accumulators of a product into the float values that enter its chain."""

    def __init__(self, product: Product, source_scale: float) -> None:
        self._source = np.float32(source_scale)
        self._product = product

    def __call__(self, accumulators: npt.NDArray[np.int64]) -> Probe:
        """Real values, float32, of integers [V, M]."""
        real = accumulators.astype(np.float32) * self._source * self._product.scale
        return real if self._product.bias is None else real + self._product.bias.astype(np.float32)


def check_range(product: Product, reach: Lattice) -> None:
    """ModelError where accumulators are too large to be exact in float32, so in the file's own arithmetic."""
    largest = int(max(np.abs(reach.low).max(), np.abs(reach.high).max()))
    if largest >= EXACT:
        raise refuse(product.node, f"its accumulators reach {largest}, which float32 does not hold exactly")


def activated_unit(
    unit: MatrixVectorUnit,
    product: Product,
    source: InputQuantiser | Levels,
    source_scale: float,
    chain: Chain,
    grid: Grid,
) -> MatrixVectorUnit:
    """Give a unit its thresholds.

    Channels whose chain decreases get their weights negated, as FINN does, so that all thresholds ascend.

    Args:
        unit: with weights and the geometry of ``product``, without thresholds.
        source, source_scale: integers in front of the unit, and the real value of one step of them.
        chain: from the real accumulators to the next activations, which lie on ``grid``.
    """
    levels = grid.levels
    assert levels is not None
    accumulators = Accumulators(product, source_scale)
    reach = lattice(unit, source)
    check_range(product, reach)
    sign = np.ones(unit.channels, np.int64)

    def index(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        real = chain(accumulators(values * sign)).astype(np.float64)
        position = (real / grid.scale - levels.base) / levels.step
        nearest = np.rint(position)
        allowed = 4 * ROUNDING * max(abs(levels.base), abs(levels.max), levels.count)
        if np.any(np.abs(position - nearest) > allowed) or nearest.min() < 0 or nearest.max() >= levels.count:
            raise refuse(chain.nodes[-1], f"its output is not among the levels {levels} times {grid.scale:g}")
        return nearest.astype(np.int64)

    # The quantiser itself may saturate, so the direction is told in front of it, as the sign of gamma tells FINN.
    ends = accumulators(np.stack([reach.low, reach.high]).astype(np.int64))
    smallest, largest = chain.in_front_of_quantiser()(ends)
    sign[:] = np.where(largest < smallest, -1, 1)
    weights = (unit.weights * sign[:, None, None, None]).astype(np.int32)
    unit = replace(unit, weights=weights, weight_type=widened(unit.weight_type, weights))
    reach = lattice(unit, source)
    thresholds = _search(index, reach, levels.count - 1)
    _verify(index, reach, thresholds, chain)
    return replace(unit, thresholds=thresholds, levels=levels)


def _search(index: Index, reach: Lattice, count: int) -> IntArray:
    """Smallest reachable accumulator of each channel for each level from 1 up, ``high + 1`` where none does: [M, T]."""
    low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
    points = (high - low) // reach.step + 1
    wanted = np.arange(1, count + 1)[:, None]
    first = np.zeros((count, len(low)), np.int64)  # every point in front of it is too small
    last = np.broadcast_to(points, first.shape).copy()  # it is large enough, or there is none
    while np.any(first < last):
        middle = (first + last) // 2
        met = index(np.minimum(low + middle * reach.step, high)) >= wanted
        open_ = first < last
        last = np.where(open_ & met, middle, last)
        first = np.where(open_ & ~met, middle + 1, first)
    found = np.where(first == points, high + 1, low + first * reach.step)
    thresholds: IntArray = np.ascontiguousarray(found.T).astype(np.int32)
    return thresholds


def _verify(index: Index, reach: Lattice, thresholds: IntArray, chain: Chain) -> None:
    """Compare thresholds and chain at every reachable accumulator, or evenly spaced ones where they are too many."""
    low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
    points = (high - low) // reach.step + 1
    count = int(min(points.max(), max(2, WORK // (thresholds.size + len(low)))))
    fraction = np.linspace(0, 1, count)[:, None]
    values = low + np.rint(fraction * (points - 1)).astype(np.int64) * reach.step
    if not np.array_equal(index(values), (values[:, :, None] >= thresholds).sum(axis=2)):
        raise refuse(chain.nodes[-1], "the chain up to here is not a monotone function of the accumulator")


def widened(weight_type: str, weights: IntArray) -> str:
    """``weight_type`` if it holds the weights, else the smallest datatype that does."""
    return weight_type if holds(weight_type, weights) else type_of(weights)
