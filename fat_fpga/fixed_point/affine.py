"""Folding what is linear behind a product into its weights and biases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fat_fpga.fixed_point.step import Floats, Product, Step
from fat_fpga.network.lowering.graph import Graph, Node, attributes


def folded(node: Node, graph: Graph, before: Step) -> Product | None:
    """The product of a step and of ``node``, which alone reads its result; None where it is not linear, or differs
    between the pixels of a channel."""
    product = before.product
    line = None if product is None else _line(node, graph, before.node, len(product.bias))
    if product is None or line is None:
        return None
    factors, offsets = line
    return replace(product, weights=product.scaled(factors), bias=product.bias * factors + offsets)


def _line(node: Node, graph: Graph, product: Node, channels: int) -> tuple[Floats, Floats] | None:
    """Factors and offsets [M] of a node; None where it is not linear, or differs within a channel."""
    one, zero = np.ones(channels), np.zeros(channels)
    if node.op_type == "Neg":
        return -one, zero
    if node.op_type == "BatchNormalization":
        if attributes(node).get("training_mode") or len(node.input) != 5:
            return None
        gamma, beta, mean, variance = (graph.constant(node, position).astype(np.float64) for position in range(1, 5))
        factors = gamma / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
        return factors, beta - mean * factors
    if node.op_type not in ("Add", "Sub", "Mul", "Div") or len(node.input) != 2:
        return None
    position = 1 if node.input[1] in graph.constants else 0
    values = _by_channel(graph.constant(node, position).astype(np.float64), product, channels, graph)
    if values is None:
        return None
    if node.op_type == "Add":
        return one, values
    if node.op_type == "Sub":
        return (one, -values) if position == 1 else (-one, values)
    if node.op_type == "Mul":
        return values, zero
    return (1 / values, zero) if position == 1 and np.all(values) else None


def _by_channel(values: Floats, product: Node, channels: int, graph: Graph) -> Floats | None:
    """A constant as one value for each channel [M]; None where it has more."""
    if values.size == 1:
        return np.full(channels, float(values.ravel()[0]))
    if values.size != channels:
        return None
    axis = 1 - graph.constant(product, 1).ndim if product.op_type == "Conv" else -1
    return values.ravel() if values.ndim >= -axis and values.shape[axis] == channels else None
