"""The nodes behind the last accumulators: dropped, where they leave the order of the classes alone."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.layers import InputQuantiser, MatrixVectorUnit
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.matrix import Product
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


def scoring_unit(
    unit: MatrixVectorUnit, product: Product, source: InputQuantiser | Levels, source_scale: float, chain: Chain
) -> MatrixVectorUnit:
    """The last unit: its accumulators are the class scores.

    The chain behind it must be one strictly monotone function for all classes. If it decreases, all weights are
    negated, so that the largest score wins again. Where it is strictly monotone over reachable sums only, a
    `ModelWarning` says that faults may find others.

    Raises:
        ModelError: the chain differs between classes or maps different accumulators to one score.
    """
    reach = lattice(unit, source)
    unit = replace(unit, accumulator_type=accumulator_annotation(product, chain.graph))
    scores = _Scores(product, source_scale, reach, chain)
    low, high = int(reach.low.min()), int(reach.high.max())
    direction = scores.direction(low, high)
    if direction == 0:
        raise refuse(
            chain.nodes[-1] if chain.nodes else product.node,
            "behind the last matrix product only strictly monotone scaling can be dropped; "
            "different accumulators share a score here: export the model without it",
        )
    beyond = high - low
    if {scores.direction(low - beyond, low), scores.direction(high, high + beyond)} != {direction}:
        warnings.warn(
            f"{product.node.name or product.node.op_type}: beyond what sums reach without a fault, different sums "
            "share a score in the file, and none do here: faults in memories and accumulators of the last layer may be "
            "judged otherwise than the file would",
            ModelWarning,
            stacklevel=2,
        )
    if direction > 0:
        return unit
    weights = -unit.weights
    return replace(unit, weights=weights, weight_type=widened(unit.weight_type, weights))


class _Scores:
    """Class scores as a function of accumulators; ModelError where they differ between classes."""

    def __init__(self, product: Product, source_scale: float, reach: Lattice, chain: Chain) -> None:
        self._every = chain, product
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
            raise _explain(*self._every)
        return scores[:, 0].copy()


def _equal(values: npt.NDArray[Any]) -> bool:
    return bool(np.all(values == values[0]))


def _explain(chain: Chain, product: Product) -> ModelError:
    """Name the first node that treats the classes differently."""
    if product.bias is not None or not _equal(product.scale):
        return refuse(
            product.node,
            "its bias or weight scale differs between the classes, so its integers are no scores: "
            "train the last layer with bias=False and one weight scale (scaling_per_output_channel=False in Brevitas)",
        )
    probe = np.arange(-8.0, 8.0, dtype=np.float32)[:, None].repeat(chain.count, axis=1)
    for i, node in enumerate(chain.nodes):
        scores = replace(chain, steps=chain.steps[: i + 1])(probe)
        if not np.all(scores == scores[:, :1]):
            return refuse(
                node,
                "its parameters differ between the classes, so the integers in front are no scores: train the last "
                "layer without bias (bias=False) and without batch norm, or with one parameter for all classes",
            )
    return refuse(product.node, "the nodes behind it treat the classes differently")
