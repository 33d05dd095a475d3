"""A single output: the class that the file's own nodes make of each sum, of two."""

from __future__ import annotations

import numpy as np

from fat_fpga.network.bounds import lattice
from fat_fpga.network.layers import Input, MatrixVectorUnit, Scores
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import refuse
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.ranks import MOST_RANKS, end_of_sums
from fat_fpga.network.lowering.thresholds import WORK, Accumulators


def decision(
    unit: MatrixVectorUnit, product: Product, source: Input | Levels, source_scale: float, chain: Chain, name: str
) -> tuple[Scores | None, float]:
    """Ranks 0 and 1 of the sums of a single output, or None where a sum above 0 is class 1 already; and the value
    above which the file's output is class 1.

    It is 0.5 where all outputs that there can be lie between 0 and 1, as behind a sigmoid or a quantiser to {0, 1};
    else it is 0, as for the logit and for -1 and +1.

    Raises:
        ModelError: a table of ranks would be too large.
    """
    end = end_of_sums(unit, source)
    if 2 * end + 1 > MOST_RANKS:
        raise refuse(
            product.node,
            f"its one output decides between two classes, and a table of its sums would have {2 * end + 1:,} entries, "
            f"expected at most {MOST_RANKS:,}: quantise to fewer bits",
        )
    accumulators = Accumulators(product, source_scale, lattice(unit, source))
    scores = np.empty(2 * end + 1, np.float64)
    for start in range(0, len(scores), WORK):
        values = np.arange(start - end, min(start + WORK, len(scores)) - end, dtype=np.int64)
        scores[start : start + WORK] = chain(accumulators(values[:, None]))[:, 0]
    middle = 0.5 if scores.min() >= 0 and scores.max() <= 1 else 0.0
    ranks = (scores > middle).astype(np.int32)
    if np.array_equal(ranks, np.arange(-end, end + 1) > 0):
        return None, middle
    return Scores(name, ranks[None], -end, (chain.nodes[-1] if chain.nodes else product.node).name), middle
