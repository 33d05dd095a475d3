"""Ranks of class scores, where the nodes behind the last sums are no one rising function for all classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import lattice
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.layers import Input, IntArray, MatrixVectorUnit
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import Node, refuse
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.thresholds import WORK, Accumulators
from fat_fpga.network.words import accumulator_type, counts_bits, unit_weight_type

MOST_RANKS = 2**24
"""Entries of a table of ranks, all classes together; so float32, in which files are written, holds every rank."""


def ranks_of(
    unit: MatrixVectorUnit, product: Product, source: Input | Levels, source_scale: float, chain: Chain
) -> tuple[IntArray, int]:
    """Ranks int32 [M, K] of the scores of each class, and the sum that the first is of.

    The table holds every sum that the unit can have, with any words in its memories and registers.

    Raises:
        ModelError: the table would be too large.
    """
    if too_many(unit, source):
        raise too_large(unit, product.node, source)
    end = end_of_sums(unit, source)
    count = 2 * end + 1
    accumulators = Accumulators(product, source_scale, lattice(unit, source))
    scores = np.empty((unit.channels, count), np.float64)
    block = max(1, WORK // unit.channels)
    for start in range(0, count, block):
        values = np.arange(start - end, min(start + block, count) - end, dtype=np.int64)
        every = np.repeat(values[:, None], unit.channels, axis=1)
        scores[:, start : start + block] = chain(accumulators(every)).T
    return common_ranks(scores), -end


def common_ranks(scores: npt.NDArray[np.float64]) -> IntArray:
    """The position of each score [M, K] among all different ones, int32 [M, K].

    Neighbours are often equal, as sums that a node clips or rounds are: each run of them is sorted as one.
    """
    flat = scores.reshape(-1)
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    own = flat[starts]
    ranks: IntArray = np.searchsorted(np.unique(own), own).astype(np.int32)
    return np.repeat(ranks, np.diff(starts, append=flat.size)).reshape(scores.shape)


def too_many(unit: MatrixVectorUnit, source: Input | Levels) -> bool:
    """Whether a table of ranks would be too large."""
    return (2 * end_of_sums(unit, source) + 1) * unit.channels > MOST_RANKS


def too_large(unit: MatrixVectorUnit, node: Node, source: Input | Levels) -> ModelError:
    """The error that says so."""
    entries = (2 * end_of_sums(unit, source) + 1) * unit.channels
    return refuse(
        node,
        "behind it the classes have scores of their own, which are more than factors and biases, and a table of them "
        f"would have {entries:,} entries, expected at most {MOST_RANKS:,}: quantise to fewer bits, or train it with "
        "bias=False and one weight scale",
    )


def end_of_sums(unit: MatrixVectorUnit, source: Input | Levels) -> int:
    """What no sum exceeds in magnitude: any words in memories, and then any bits of the register."""
    activation = max(_largest(source.levels.stored_as), abs(source.min), abs(source.max))
    sums: int = unit.weights[0].size * _largest(unit_weight_type(unit)) * activation
    register = 2 * unit.weights[0].size if counts_bits(unit, source) else _largest(accumulator_type(unit, source))
    return sums + register


def _largest(datatype: str) -> int:
    span = span_of(datatype)
    assert span is not None
    return max(abs(span[0]), abs(span[1]))
