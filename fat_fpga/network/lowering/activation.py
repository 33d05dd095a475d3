"""The layer that a chain of element-wise nodes behind a stream becomes: thresholds, fixed point, or a table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fat_fpga.network.bounds import Lattice
from fat_fpga.network.layers import IntArray, Requantise, Table, Thresholding
from fat_fpga.network.lowering.affine import fixed_point
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.real import Real
from fat_fpga.network.lowering.thresholds import WORK, found_thresholds, level_index

FEW = 2**8
"""Levels up to which thresholds are preferred: those of 8 bits."""
MOST_THRESHOLDS = 2**18
MOST_TABULATED = 2**26
"""Integers for which a chain is executed to tabulate it, those of all channels together."""
MOST_RUNS = 2**24
"""Entries that a table is stored in."""
COMPARED = 2**12


def activation(
    name: str, chain: Chain, real: Real, grid: Grid, reach: Lattice, span: tuple[int, int]
) -> Thresholding | Requantise | Table:
    """The layer for a chain that leads to ``grid``, called ``name``.

    Args:
        real: what enters the chain for integers.
        reach: of the integers without a fault.
        span: the smallest and the largest integer that any fault leaves.

    Raises:
        ModelError: it would be too large a table.
    """
    levels, last = grid.levels, chain.nodes[-1]
    assert levels is not None
    rises = chain.otherwise is None and bool(np.all(chain.direction() > 0))
    if last.op_type == "Trunc" and len(last.input) == 5:  # the first version has no levels that it keeps to
        rises = False
    wide = levels.count > FEW
    if wide and chain.otherwise is None:
        layer = fixed_point(chain, real, grid, name)
        if layer is not None and _same(layer, chain, real, grid, reach):
            return layer
    if rises and (not wide or levels.count * chain.count <= MOST_THRESHOLDS):
        return Thresholding(name, found_thresholds(chain, real, grid, reach), levels, last.name)
    starts, values = _runs(chain, real, grid, span)
    return Table(name, starts, values, levels, last.name)


def _same(layer: Requantise, chain: Chain, real: Real, grid: Grid, reach: Lattice) -> bool:
    """Whether a layer does what a chain does, on integers spread over what is reached and beyond."""
    levels = grid.levels
    assert levels is not None
    low, high = int(reach.low.min()), int(reach.high.max())
    span = high - low + 1
    points = np.unique(np.linspace(low - span, high + span, COMPARED).astype(np.int64))
    points = np.concatenate([points, np.arange(low, min(low + COMPARED, high + 1))])
    every = np.repeat(points[:, None], chain.count, axis=1)
    wanted = levels.base + levels.step * level_index(chain, real, grid)(every)
    found = layer.output(every.astype(np.int32)[:, :, None, None])[:, :, 0, 0]
    return np.array_equal(wanted, found)


def _runs(chain: Chain, real: Real, grid: Grid, span: tuple[int, int]) -> tuple[IntArray, IntArray]:
    """Starts and values of a `Table`, from the chain's results on every integer."""
    low, high = span
    levels, last, entries = grid.levels, chain.nodes[-1], (high - low + 1) * chain.count
    assert levels is not None
    if entries > MOST_TABULATED:
        _, reason = chain.otherwise or (last, "it is no monotone function")
        raise refuse(
            last,
            f"up to here the chain needs a table of {entries:,} entries, expected at most {MOST_TABULATED:,}: "
            f"quantise in front of it, or to fewer bits ({reason})",
        )
    index = level_index(chain, real, grid)
    block = max(2, WORK // chain.count)
    starts: list[list[int]] = [[] for _ in range(chain.count)]
    values: list[list[int]] = [[] for _ in range(chain.count)]
    before: npt.NDArray[np.int64] | None = None
    for first in range(low, high + 1, block):
        integers = np.arange(first, min(first + block, high + 1), dtype=np.int64)
        found = index(np.repeat(integers[:, None], chain.count, axis=1))
        if before is None:
            for channel, value in enumerate(found[0].tolist()):
                values[channel].append(value)
            before = found[0]
        changed = np.concatenate([before[None], found])
        for channel in range(chain.count):
            at = np.flatnonzero(np.diff(changed[:, channel]))
            starts[channel] += integers[at].tolist()
            values[channel] += found[at, channel].tolist()
        before = found[-1]
    longest = max(map(len, values))
    if longest * chain.count > MOST_RUNS:
        raise refuse(last, f"its table has {longest * chain.count:,} entries, expected at most {MOST_RUNS:,}")
    table = np.array([levels.base + levels.step * np.array(row + row[-1:] * (longest - len(row))) for row in values])
    begin = np.array([row + [2**31 - 1] * (longest - 1 - len(row)) for row in starts])
    return begin.reshape(chain.count, longest - 1).astype(np.int32), table.astype(np.int32)
