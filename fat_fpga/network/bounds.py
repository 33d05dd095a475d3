"""Which accumulator values a unit can reach, and the one form of thresholds that follows from them.

Activations are evenly spaced, so the accumulators of a channel are too: they lie on a lattice
``low, low + step, ..., high``. Any two thresholds between the same two neighbours on it mean the same; the
canonical one is the upper neighbour, so that equal functions have equal thresholds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import Input, IntArray, MatrixVectorUnit, Thresholded
from fat_fpga.network.levels import Levels


@dataclass(frozen=True, eq=False)
class Lattice:
    """Accumulators that the channels of a unit can reach, for any activations in front.

    Attributes:
        low, high: int32 [M], smallest and largest accumulator of each channel.
        step: distance between neighbours; ``high - low`` is a multiple of it.
    """

    low: IntArray
    high: IntArray
    step: int

    def canonical(self, thresholds: IntArray) -> IntArray:
        """The smallest reachable accumulator that meets each threshold, ``high + 1`` where none does.

        Args:
            thresholds: int32 [M, T].
        """
        low, high = self.low[:, None].astype(np.int64), self.high[:, None].astype(np.int64)
        raised = low - (low - thresholds) // self.step * self.step
        canonical: IntArray = np.where(thresholds > high, high + 1, np.maximum(raised, low)).astype(np.int32)
        return canonical


def lattice(layer: Thresholded, source: Input | Levels) -> Lattice:
    """Reachable integers in front of a layer's thresholds: accumulators of a unit, or else the stream itself.

    Args:
        source: what decides the integers in front of the layer.
    """
    low, high = source.min, source.max
    step = source.levels.step
    unit = layer.unit
    if unit is None:
        ends = np.full((2, layer.channels), [[low], [high]], np.int32)
        return Lattice(ends[0], ends[1], step)
    if any(unit.padding):
        low, high, step = min(low, 0), max(high, 0), math.gcd(step, low)
    return Lattice(*accumulator_bounds(unit, low, high), step or 1)


def accumulator_bounds(unit: MatrixVectorUnit, low: int, high: int) -> tuple[IntArray, IntArray]:
    """Smallest and largest accumulator of each channel, for inputs in ``low..high``.

    Returns:
        Two int32 arrays [M]. Padding counts as reachable zeros.

    Raises:
        ModelError: an accumulator does not fit in 32 bits.
    """
    if any(unit.padding):
        low, high = min(low, 0), max(high, 0)
    flat = unit.weights.reshape(unit.channels, -1).astype(np.int64)
    positive, negative = np.maximum(flat, 0).sum(1), np.minimum(flat, 0).sum(1)
    smallest, largest = positive * low + negative * high, positive * high + negative * low
    extreme = int(max(-smallest.min(), largest.max()))
    if extreme >= 2**31:
        raise ModelError(
            f"{unit.name}: its accumulators reach {extreme}, which does not fit in 32 bits: quantise to fewer bits"
        )
    return smallest.astype(np.int32), largest.astype(np.int32)
