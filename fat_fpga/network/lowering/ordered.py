"""Scores of factors and biases of each class, in the order of the file's own floats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fat_fpga.network.bounds import Lattice
from fat_fpga.network.layers import OrderedScores
from fat_fpga.network.lowering.chain import Chain, Step
from fat_fpga.network.lowering.graph import Node
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.thresholds import Accumulators

STEPS = {"Mul": "mul", "Div": "div", "Add": "add", "Sub": "sub"}
COMPARED = 2**14
"""Sums of each class on which the steps are compared with the file's own nodes."""


def ordered_scores(
    product: Product, source_scale: float, chain: Chain, reach: Lattice, name: str
) -> OrderedScores | None:
    """The scores of a chain of Mul, Div, Add and Sub with constants; None where it is another, or float32 does not hold
    its sums."""
    accumulators, classes = Accumulators(product, source_scale, reach), len(product.weights)
    if accumulators.type is not np.float32 or chain.otherwise is not None:
        return None
    steps = [("mul", np.full(classes, source_scale, np.float32)), ("mul", product.scale)]
    steps += [] if product.bias is None else [("add", product.bias.astype(np.float32))]
    for number, node in enumerate(chain.nodes):
        step = _step(node, number, chain)
        if step is None:
            return None
        steps.append(step)
    steps = [(kind, numbers) for kind, numbers in steps if kind in ("add", "sub") or np.any(numbers != 1)]
    last = chain.nodes[-1] if chain.nodes else product.node
    names, numbers = tuple(kind for kind, _ in steps), np.array([numbers for _, numbers in steps], np.float32)
    scores = OrderedScores(name, names, numbers, last.name)
    low, high = int(reach.low.min()), int(reach.high.max())
    points = np.unique(np.linspace(2 * low - 1, 2 * high + 1, COMPARED).astype(np.int64))
    every = np.repeat(points[:, None], classes, axis=1)
    same = np.array_equal(chain(accumulators(every)), scores.floats(every[:, :, None, None])[:, :, 0, 0])
    return scores if same else None


def _step(node: Node, number: int, chain: Chain) -> tuple[str, npt.NDArray[np.float32]] | None:
    """A node as a step with a number for each class."""
    position = next((i for i, name in enumerate(node.input) if name in chain.graph.constants), None)
    if node.op_type not in STEPS or position is None or (position == 0 and node.op_type in ("Div", "Sub")):
        return None
    step = chain.steps[number]
    if not isinstance(step, Step):
        return None
    constant = step.constants[node.input[position]]
    if constant.dtype != np.float32 or constant.size not in (1, chain.count):
        return None
    return STEPS[node.op_type], np.broadcast_to(constant.ravel(), chain.count)
