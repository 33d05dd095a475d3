"""Element-wise operators that may lie between a matrix product and a quantiser: monotone in their one moving input.

Each is executed, never computed here; what is asked here is only whether its parameters leave it monotone. Float
arithmetic keeps an order, too: rounding never swaps two numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.operators import QUANTISERS

Condition = Callable[[Node, Graph], str | None]
"""Why a node is not monotone, or None."""

COMPARISONS = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
LOGIC = ("And", "Not", "Or", "Xor")
"""Operators on truth values."""
NOT_MONOTONE = (
    "Abs", "Cos", "Cosh", "Gelu", "HardSwish", "Mish", "Pow", "Reciprocal", "Shrink", "Sin", "Swish", "Tan", "Where",
    *COMPARISONS, *LOGIC,
)  # fmt: skip
"""Element-wise operators that become tables."""
JOINING = ("Add", "And", "Div", "Max", "Min", "Mul", "Or", "Pow", "Sub", "Where", "Xor", *COMPARISONS)
"""Element-wise operators on several tensors, which may be functions of one."""
SOFTMAX = ("Softmax", "LogSoftmax", "Hardmax")


def _always(node: Node, graph: Graph) -> None:
    return None


def _attribute(name: str, default: float, least: float = 0) -> Condition:
    def condition(node: Node, graph: Graph) -> str | None:
        value = attributes(node).get(name, default)
        return None if value >= least else f"{name} must be at least {least:g}, got {value:g}: else it is not monotone"

    return condition


def _selu(node: Node, graph: Graph) -> str | None:
    for name in ("alpha", "gamma"):
        if attributes(node).get(name, 1.0) < 0:
            return f"{name} must be at least 0, got {attributes(node)[name]:g}: else it is not monotone"
    return None


def _slopes(node: Node, graph: Graph) -> str | None:
    least = graph.constant(node, 1).min()
    return None if least >= 0 else f"its slopes must be at least 0, got {least:g}: else it is not monotone"


def _quotient(node: Node, graph: Graph) -> str | None:
    return "dividing by an activation is not a monotone function of it" if node.input[0] in graph.constants else None


TRAINING = "it is in training mode: export the model in evaluation mode"


def check_certain(node: Node, graph: Graph) -> None:
    """ModelError where a node draws random numbers, as a Dropout that is switched on."""
    if node.op_type.startswith("Random") or node.op_type in ("Bernoulli", "Multinomial"):
        raise refuse(node, "it draws random numbers: export the model without it")
    if node.op_type != "Dropout":
        return
    training = len(node.input) > 2 and node.input[2] and bool(graph.constant(node, 2).any())
    if training or (graph.opset < 7 and not attributes(node).get("is_test")):
        raise refuse(node, TRAINING)


def _norm(node: Node, graph: Graph) -> str | None:
    options = attributes(node)
    outputs = [name for name in node.output if name]
    if options.get("training_mode") or len(outputs) > 1:
        return TRAINING
    if options.get("spatial", 1) != 1:
        return "with spatial 0 its parameters differ between the pixels of a channel"
    return None


MONOTONE: Mapping[str, Condition] = {
    "Add": _always,
    "Sub": _always,
    "Mul": _always,
    "Div": _quotient,
    "Neg": _always,
    "BatchNormalization": _norm,
    "Relu": _always,
    "Clip": _always,
    "Min": _always,
    "Max": _always,
    "LeakyRelu": _attribute("alpha", 0.01),
    "PRelu": _slopes,
    "ThresholdedRelu": _attribute("alpha", 1.0),
    "Elu": _attribute("alpha", 1.0),
    "Celu": _attribute("alpha", 1.0, float(np.finfo(np.float32).tiny)),
    "Selu": _selu,
    "Sigmoid": _always,
    "HardSigmoid": _attribute("alpha", 0.2),
    "Tanh": _always,
    "Softplus": _always,
    "Softsign": _always,
    "Erf": _always,
    "Exp": _always,
    "Log": _always,
    "Sqrt": _always,
    "Atan": _always,
    "Asinh": _always,
    "Sinh": _always,
    "Floor": _always,
    "Ceil": _always,
    "Round": _always,
    "Sign": _always,
    "DequantizeLinear": _always,
    **dict.fromkeys(QUANTISERS, _always),
}
"""Each operator with the condition on its parameters."""
ELEMENT_WISE = (*MONOTONE, *NOT_MONOTONE)


def not_monotone(node: Node, graph: Graph) -> str | None:
    """Why an element-wise node is not a monotone function, or None where it is one.

    Raises:
        ModelError: it is not element-wise.
    """
    if node.op_type in NOT_MONOTONE:
        return "it is not a monotone function"
    reason = MONOTONE[node.op_type](node, graph)
    if reason == TRAINING or (reason is not None and node.op_type == "BatchNormalization"):
        raise refuse(node, reason)
    return reason


def refusal(node: Node) -> Any:
    """The error for a node of an operator that is none of those that are read."""
    if node.op_type in ("If", "Loop", "Scan"):
        return refuse(node, "graphs within a node are not supported: export the model without branches and loops")
    if node.op_type.startswith("DynamicQuantize"):
        return refuse(
            node,
            "it takes its scale from each input anew, so no integers with fixed meaning stand for its values: quantise "
            "statically, with scales from calibration data (in onnxruntime quantize_static)",
        )
    if node.op_type.startswith("QLinear"):
        return refuse(node, "unsupported operator: quantise with QuantizeLinear and DequantizeLinear (QDQ) instead")
    return refuse(node, "unsupported operator: docs/operators.md lists those that are read")
