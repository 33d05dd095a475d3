"""The nodes behind the last accumulators: dropped, where they leave the order of the classes alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import lattice
from fat_fpga.network.layers import InputQuantiser, MatrixVectorUnit
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.thresholds import WORK, Accumulators, check_range, widened

SELECTORS = ("TopK", "ArgMax", "LabelSelect")


def check_selector(node: Node, graph: Graph) -> None:
    """ModelError unless the node picks the first class of the largest score."""
    options = attributes(node)
    if node.op_type == "ArgMax" and (options.get("select_last_index") or options.get("axis", 0) not in (1, -1)):
        raise refuse(node, "expected the first largest score over axis 1")
    if node.op_type == "TopK":
        if options.get("axis", -1) not in (1, -1) or not options.get("largest", 1):
            raise refuse(node, "expected the largest score over axis 1")
        k = int(graph.constant(node, 1).ravel()[0]) if len(node.input) > 1 else options.get("k", 1)
    else:
        k = options.get("K", options.get("k", 1))
    if k != 1:
        raise refuse(node, f"expected the one largest score, got the {k} largest")


def scoring_unit(
    unit: MatrixVectorUnit, product: Product, source: InputQuantiser | Levels, source_scale: float, chain: Chain
) -> MatrixVectorUnit:
    """The last unit: its accumulators are the class scores.

    The chain behind it must be one strictly monotone function for all classes. If it decreases, all weights are
    negated, so that the largest score wins again.

    Raises:
        ModelError: the chain differs between classes or maps different accumulators to one score.
    """
    reach = lattice(unit, source)
    check_range(product, reach)
    values = np.arange(reach.low.min(), int(reach.high.max()) + 1, dtype=np.int64)
    differences = np.diff(_scores(values, product, source_scale, chain))
    blamed = chain.nodes[-1] if chain.nodes else product.node
    if len(differences) and np.all(differences < 0):
        weights = -unit.weights
        return replace(unit, weights=weights, weight_type=widened(unit.weight_type, weights))
    if not np.all(differences > 0):
        raise refuse(
            blamed,
            "behind the last matrix product only strictly monotone scaling can be dropped; "
            "different accumulators share a score here",
        )
    return unit


def _scores(
    values: npt.NDArray[np.int64], product: Product, source_scale: float, chain: Chain
) -> npt.NDArray[np.float32]:
    """Scores [V] of accumulators [V], in blocks; ModelError where they differ between classes."""
    single, bias = chain.of_one_channel(), product.bias
    if single is not None and _equal(product.scale) and (bias is None or _equal(bias)):
        chain, product = single, replace(product, scale=product.scale[:1], bias=None if bias is None else bias[:1])
    accumulators = Accumulators(product, source_scale)
    block = max(2, WORK // chain.count)
    parts = []
    for start in range(0, len(values), block):
        scores = chain(accumulators(np.repeat(values[start : start + block, None], chain.count, axis=1)))
        if not np.all(scores == scores[:, :1]):
            raise _explain(chain, product)
        parts.append(scores[:, 0].copy())
    return np.concatenate(parts)


def _equal(values: npt.NDArray[Any]) -> bool:
    return bool(np.all(values == values[0]))


def _explain(chain: Chain, product: Product) -> ModelError:
    """Name the first node that treats the classes differently."""
    if product.bias is not None or not _equal(product.scale):
        return refuse(
            product.node, "its bias or weight scale differs between the classes, so its integers are no scores"
        )
    probe = np.arange(-8.0, 8.0, dtype=np.float32)[:, None].repeat(chain.count, axis=1)
    for i, node in enumerate(chain.nodes):
        scores = replace(chain, steps=chain.steps[: i + 1])(probe)
        if not np.all(scores == scores[:, :1]):
            return refuse(node, "its parameters differ between the classes, so the integers in front are no scores")
    return refuse(product.node, "the nodes behind it treat the classes differently")
