"""The nodes behind the last accumulators: dropped where they leave the order of the classes alone, else tabulated."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelWarning
from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.layers import AffineScores, Input, Layer, MatrixVectorUnit, Scores
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.affine import UNLIMITED, affine_of
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.ordered import ordered_scores
from fat_fpga.network.lowering.ranks import ranks_of, too_large, too_many
from fat_fpga.network.lowering.thresholds import WORK, Accumulators, accumulator_annotation, widened

SELECTORS = ("TopK", "ArgMax", "LabelSelect")


def check_selector(node: Node, graph: Graph) -> None:
    """ModelError unless the node picks the first class of the largest score."""
    options = attributes(node)
    if node.op_type == "ArgMax" and (options.get("select_last_index") or options.get("axis", 0) not in (1, -1)):
        raise refuse(node, "expected the first largest score over axis 1: export the model without it")
    if node.op_type == "TopK":
        if options.get("axis", -1) not in (1, -1) or not options.get("largest", 1):
            raise refuse(node, "expected the largest score over axis 1: export the model without it")
        k = int(graph.constant(node, 1).ravel()[0]) if len(node.input) > 1 else options.get("k", 1)
    else:
        k = options.get("K", options.get("k", 1))
    if k != 1:
        raise refuse(
            node, f"expected the one largest score, got the {k} largest: export the model without it, or with k=1"
        )


def scoring_layers(
    unit: MatrixVectorUnit, product: Product, source: Input | Levels, source_scale: float, chain: Chain,
    name: str,
) -> list[Layer]:  # fmt: skip
    """The last unit, and ranks of its sums called ``name``, where the sums themselves are not the class scores.

    They are where the chain behind the unit is one strictly monotone function for all classes. If it decreases, all
    weights are negated, so that the largest score wins again. Where it is strictly monotone over reachable sums only, a
    `ModelWarning` says that faults may find others.

    Raises:
        ModelError: a table of ranks would be too large.
    """
    reach = lattice(unit, source)
    unit = replace(unit, accumulator_type=accumulator_annotation(product, chain.graph))
    direction, beyond = _directions(_Scores(product, source_scale, reach, chain), reach)
    if direction == 0:
        return [unit, _scores_of(unit, product, source, source_scale, chain, name)]
    if beyond != {direction}:
        warnings.warn(
            f"{product.node.name or product.node.op_type}: beyond what sums reach without a fault, different sums "
            "share a score in the file, and none do here: faults in memories and accumulators of the last layer may be "
            "judged otherwise than the file would",
            ModelWarning,
            stacklevel=2,
        )
    if direction > 0:
        return [unit]
    weights = -unit.weights
    return [replace(unit, weights=weights, weight_type=widened(unit.weight_type, weights))]


def _scores_of(
    unit: MatrixVectorUnit, product: Product, source: Input | Levels, source_scale: float, chain: Chain,
    name: str,
) -> Layer:  # fmt: skip
    """Scores of each class: a table of ranks where it is small, else on one grid, else in the order of floats."""
    last = (chain.nodes[-1] if chain.nodes else product.node).name
    if not too_many(unit, source):
        ranks, low = ranks_of(unit, product, source, source_scale, chain)
        return Scores(name, ranks, low, last)
    reach = lattice(unit, source)
    affine = affine_of(chain, Accumulators(product, source_scale, reach), exact=True)
    if not isinstance(affine, str) and (affine.low, affine.high) == UNLIMITED:
        return AffineScores(name, affine.factors, affine.offsets, last)
    ordered = ordered_scores(product, source_scale, chain, reach, name)
    if ordered is None:
        raise too_large(unit, product.node, source)
    return ordered


def _directions(scores: _Scores, reach: Lattice) -> tuple[int, set[int]]:
    """1 or -1 where the scores of all classes strictly rise or fall together, else 0; and the same beyond reach."""
    low, high = int(reach.low.min()), int(reach.high.max())
    beyond = high - low
    try:
        found = scores.direction(low, high)
        return found, {scores.direction(low - beyond, low), scores.direction(high, high + beyond)}
    except _DifferentError:
        return 0, {0}


class _DifferentError(Exception):
    """Scores of the same sum differ between the classes."""


class _Scores:
    """Class scores as a function of accumulators, as long as it is the same for all classes."""

    def __init__(self, product: Product, source_scale: float, reach: Lattice, chain: Chain) -> None:
        single, bias = chain.of_one_channel(), product.bias
        if single is not None and _equal(product.scale) and (bias is None or _equal(bias)):
            chain, product = single, replace(product, scale=product.scale[:1], bias=None if bias is None else bias[:1])
        self._accumulators, self._chain = Accumulators(product, source_scale, reach), chain

    def direction(self, low: int, high: int) -> int:
        """1 or -1 where scores strictly rise or fall over the accumulators ``low..high``, else 0."""
        found: set[int] = set()
        block = max(2, WORK // self._chain.count)
        for start in range(low, high, block - 1):
            differences = np.diff(self._of(np.arange(start, min(start + block, high + 1), dtype=np.int64)))
            found |= set(np.unique((differences > 0).astype(int) - (differences < 0)).tolist())
        return (found or {1}).pop() if len(found) < 2 else 0

    def _of(self, values: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Scores [V] of accumulators [V]."""
        scores = self._chain(self._accumulators(np.repeat(values[:, None], self._chain.count, axis=1)))
        if not np.all(scores == scores[:, :1]):
            raise _DifferentError
        return scores[:, 0].copy()


def _equal(values: npt.NDArray[Any]) -> bool:
    return bool(np.all(values == values[0]))
