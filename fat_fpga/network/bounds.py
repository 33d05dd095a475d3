"""Which accumulator values a unit can reach."""

from __future__ import annotations

import numpy as np

from fat_fpga.network.layers import IntArray, MatrixVectorUnit
from fat_fpga.network.network import Network


def accumulator_bounds(unit: MatrixVectorUnit, low: int, high: int) -> tuple[IntArray, IntArray]:
    """Smallest and largest accumulator of each channel, for inputs in ``low..high``.

    Returns:
        Two int32 arrays [M]. Padding counts as reachable zeros.
    """
    if any(unit.padding):
        low, high = min(low, 0), max(high, 0)
    flat = unit.weights.reshape(unit.channels, -1).astype(np.int64)
    positive, negative = np.maximum(flat, 0).sum(1), np.minimum(flat, 0).sum(1)
    return (
        (positive * low + negative * high).astype(np.int32),
        (positive * high + negative * low).astype(np.int32),
    )


def input_range(network: Network, position: int) -> tuple[int, int]:
    """Smallest and largest integer in front of ``network.layers[position]``."""
    for layer in reversed(network.layers[:position]):
        if isinstance(layer, MatrixVectorUnit) and layer.levels is not None:
            return layer.levels.min, layer.levels.max
    return network.input.min, network.input.max
