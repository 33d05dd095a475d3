"""A network whose sums need wide accumulators."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network


def wide_network(levels: Levels, low: int, high: int) -> Network:
    """Accumulators far beyond 16 bits, and so many changes that sums of columns overflow a byte."""
    rng = np.random.default_rng(levels.count)
    table = np.stack([np.arange(256)] * 2).astype(np.int32)
    units = []
    channels = [2, 70, 90, 130, 7]
    for i, (before, behind) in enumerate(pairwise(channels)):
        kernel = (3, 3) if i < 3 else (2, 2)
        weights = rng.integers(low, high + 1, (behind, before, *kernel)).astype(np.int32)
        spread = 2000 * high
        thresholds = np.sort(rng.integers(-spread, spread, (behind, levels.count - 1)), axis=1).astype(np.int32)
        last = i == 3
        units.append(MatrixVectorUnit(f"conv{i}", weights, None if last else thresholds, None if last else levels))
    return Network("wide", InputQuantiser((2, 8, 8), table), tuple(units))
