"""Exact thresholds of a unit, found by executing its chain on accumulators.

A fault takes accumulators where fault-free sums never are: between the points of their lattice, and beyond their reach.
So a threshold is looked for among all integers up to `LIMIT`, and is the smallest sum that the file's own nodes put on
the level, whatever the fault-free network can reach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.datatypes import holds, is_word, smallest_type, type_of
from fat_fpga.network.layers import Input, IntArray, MatrixVectorUnit
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import ROUNDING
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.sites import stored_thresholds
from fat_fpga.network.writer import MEMORY

EXACT = 2**24
"""Up to here float32 holds every integer."""
LIMIT = 2**30
"""No sum is larger, with a fault or without (engines refuse larger ones)."""
NEVER, ALWAYS = 2**31 - 1, -(2**31)
"""Thresholds that no sum meets, and that every sum meets."""
WORK = 2**22
"""Values that one evaluation of a chain may handle, to bound memory."""
Real = Callable[[npt.NDArray[np.int64]], npt.NDArray[Any]]
"""Real values of integers [V, M]."""
Index = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]
"""Which level each accumulator [V, M] reaches."""


class Accumulators:
    """Turns integer accumulators of a product into the float values that enter its chain.

    They are float32, as in any execution of the file, as long as float32 holds every fault-free sum; else float64, and
    so is the arithmetic of the chain: then no float32 execution of the file is exact, and this is what it stands for.
    Sums that are integers in the file, too, are rounded to float32 as it does, however large.

    Args:
        reach: of the fault-free accumulators.
    """

    def __init__(self, product: Product, source_scale: float, reach: Lattice) -> None:
        largest = int(max(np.abs(reach.low.astype(np.int64)).max(), np.abs(reach.high.astype(np.int64)).max()))
        self._exact = product.exact and source_scale == 1 and bool(np.all(product.scale == 1))
        self.type: Any = np.float32 if largest < EXACT or self._exact else np.float64
        self._source = self.type(np.float32(source_scale))
        self._scale: npt.NDArray[Any] = product.scale.astype(self.type)
        self._bias: npt.NDArray[Any] | None = None if product.bias is None else product.bias.astype(self.type)

    def __call__(self, integers: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Real values of integers [V, M]."""
        if self._exact:
            whole = integers if self._bias is None else integers + self._bias.astype(np.int64)
            return whole.astype(np.float32)
        sums: npt.NDArray[Any] = integers.astype(self.type)
        real: npt.NDArray[Any] = sums * self._source * self._scale
        real = real if self._bias is None else real + self._bias
        if np.any(np.isnan(real)):
            raise ModelError("its scales, or its bias, are not finite")
        return real

    def double(self, integers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The same in float64."""
        scale = self._scale.astype(np.float64) * np.float64(self._source)
        real: npt.NDArray[np.float64] = np.multiply(integers, scale, dtype=np.float64)
        if self._bias is not None:
            real += self._bias
        return real


def activated_unit(
    unit: MatrixVectorUnit,
    product: Product,
    source: Input | Levels,
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
    sign = chain.direction()
    weights = (unit.weights * sign[:, None, None, None]).astype(np.int32)
    unit = replace(unit, weights=weights, weight_type=widened(unit.weight_type, weights))
    reach = lattice(unit, source)
    accumulators = Accumulators(product, source_scale, reach)
    thresholds = found_thresholds(chain, lambda values: accumulators(values * sign), grid, reach)
    holder = stored_thresholds(product, source_scale, chain)
    return replace(
        unit,
        thresholds=thresholds,
        levels=levels,
        accumulator_type=accumulator_annotation(product, chain.graph),
        threshold_type=memory_type(holder, chain.graph, thresholds, reach),
    )


def found_thresholds(chain: Chain, real: Real, grid: Grid, reach: Lattice) -> IntArray:
    """The thresholds int32 [M, T] of a chain that leads from integers to the levels of ``grid``.

    Args:
        real: what enters the chain for integers [V, M].
        reach: of the integers without a fault.
    """
    assert grid.levels is not None
    index = level_index(chain, real, grid)
    thresholds = _search(index, chain.count, grid.levels.count - 1)
    _verify(index, reach, thresholds, chain)
    return thresholds


def level_index(chain: Chain, real: Real, grid: Grid) -> Index:
    """Which level of ``grid`` a chain leads to, for integers [V, M]; ModelError for a value that is none of them."""
    levels = grid.levels
    assert levels is not None

    def index(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        position = (chain(real(values)).astype(np.float64) / grid.scale - levels.base) / levels.step
        nearest = np.rint(position)
        allowed = 4 * ROUNDING * max(abs(levels.base), abs(levels.max), levels.count)
        if np.any(np.abs(position - nearest) > allowed) or nearest.min() < 0 or nearest.max() >= levels.count:
            raise refuse(chain.nodes[-1], f"its output is not among the levels {levels} times {grid.scale:g}")
        return nearest.astype(np.int64)

    return index


def accumulator_annotation(product: Product, graph: Graph) -> str:
    """The datatype that the file gives the sums of a product, empty where it gives none."""
    annotated = graph.datatypes.get(product.node.output[0], "")
    return annotated if is_word(annotated) else ""


def memory_type(holder: Node | None, graph: Graph, thresholds: IntArray, reach: Lattice) -> str:
    """Datatype of the threshold memory, where the file has its words: in ``holder``, a MultiThreshold right behind
    integers."""
    if holder is None:
        return ""
    tensor = str(holder.input[1])
    if MEMORY + tensor in graph.properties:
        return str(graph.properties[MEMORY + tensor])
    stored = thresholds[(thresholds != NEVER) & (thresholds != ALWAYS)]
    annotated = str(graph.datatypes.get(tensor, ""))
    if is_word(annotated) and (not stored.size or holds(annotated, stored)):
        return annotated
    low, high = int(reach.low.min()), int(reach.high.max()) + 1
    return smallest_type(min(low, *stored.tolist()), max(high, *stored.tolist())) if stored.size else ""


def _search(index: Index, channels: int, count: int) -> IntArray:
    """Smallest accumulator of each channel for each level from 1 up, `NEVER` or `ALWAYS` beyond `LIMIT`: [M, T]."""
    wanted = np.arange(1, count + 1)[:, None]
    first = np.full((count, channels), -LIMIT, np.int64)  # every accumulator in front of it is too small
    last = np.full((count, channels), LIMIT + 1, np.int64)  # it is large enough, or there is none
    while np.any(first < last):
        middle = (first + last) // 2
        met = index(np.minimum(middle, LIMIT)) >= wanted
        open_ = first < last
        last = np.where(open_ & met, middle, last)
        first = np.where(open_ & ~met, middle + 1, first)
    found = np.where(first > LIMIT, NEVER, np.where(first == -LIMIT, ALWAYS, first))
    thresholds: IntArray = np.ascontiguousarray(found.T).astype(np.int32)
    return thresholds


def _verify(index: Index, reach: Lattice, thresholds: IntArray, chain: Chain) -> None:
    """Compare thresholds and chain: at every reachable accumulator, or evenly spaced ones where they are too many, and
    at accumulators beyond reach in steps that double."""
    low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
    points = (high - low) // reach.step + 1
    count = int(min(points.max(), max(2, WORK // (thresholds.size + len(low)))))
    fraction = np.linspace(0, 1, count)[:, None]
    near = low + np.rint(fraction * (points - 1)).astype(np.int64) * reach.step
    doubling = 2 ** np.arange(31)[:, None]
    far = np.clip(np.concatenate([low - doubling[::-1], high + doubling]), -LIMIT, LIMIT)
    for values in (near, far):
        if not np.array_equal(index(values), (values[:, :, None] >= thresholds).sum(axis=2)):
            raise refuse(
                chain.nodes[-1],
                "the chain up to here is not a monotone function of the accumulator: take ReLU, or another that is",
            )


def widened(weight_type: str, weights: IntArray) -> str:
    """``weight_type`` if it holds the weights, else the smallest datatype that does."""
    return weight_type if holds(weight_type, weights) else type_of(weights)
