"""A float network, read from ONNX: its products with batch norms folded in, and where its activations are words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.fixed_point.affine import folded
from fat_fpga.fixed_point.step import Product, Step
from fat_fpga.fixed_point.words import INPUT, KEPT, Words
from fat_fpga.foreign import ModelProto
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.folding import fold
from fat_fpga.network.lowering.graph import Graph, Node, attributes, blaming, refuse
from fat_fpga.network.lowering.matrix import MATRIX
from fat_fpga.network.lowering.operators import QUANTISERS
from fat_fpga.network.lowering.pixels import input_layout


@dataclass(frozen=True, eq=False)
class FloatModel:
    """A float network.

    Attributes:
        name: what to call it.
        graph: of the file.
        steps: in order.
        words: the tensors that become words, with the layer whose activations they are.
    """

    name: str
    graph: Graph
    steps: tuple[Step, ...]
    words: dict[str, str]

    @cached_property
    def products(self) -> dict[str, Product]:
        """Weights and biases of the layers that have them, by name."""
        return {step.name: step.product for step in self.steps if step.product is not None}

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of what has a format, in order: the input, and all layers."""
        formed = {*self.words.values(), *self.products}
        return tuple(dict.fromkeys([INPUT, *(step.name for step in self.steps if step.name in formed)]))

    def image_shape(self, given: Shape | None = None) -> Shape:
        """Channels, height, width of an image; ModelError where ``given`` does not fit the file."""
        return input_layout(self.graph, given).shape

    @property
    def activated(self) -> tuple[str, ...]:
        """Names of the layers that have activations."""
        return tuple(dict.fromkeys(self.words.values()))


def read_float_model(model: ModelProto, name: str) -> FloatModel:
    """Read a float network.

    Args:
        model: ONNX of any form that `fat_fpga.network.load_network` reads, but without quantisers.
        name: what to call it in messages.

    Raises:
        ModelError: it is quantised already, or a node of it cannot be read.
    """
    try:
        return _read(model, name)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error


def _read(model: ModelProto, name: str) -> FloatModel:
    graph = Graph(model)
    steps: list[Step] = []
    taken = Counter({INPUT: 1})
    moved: set[str] = set()  # tensors that hold shapes
    for node in graph.nodes:
        with blaming(node):
            if node.op_type in (*QUANTISERS, "DequantizeLinear"):
                raise refuse(node, "the network is quantised already: expected one of floats")
            if not graph.moving(node):
                fold(node, graph)
                continue
            if node.op_type == "Shape" or moved.issuperset(graph.moving(node)):
                moved.update(node.output)
                steps.append(Step(node, is_shape=True))
                continue
            _add(node, graph, steps, taken)
    if not any(step.product is not None for step in steps):
        raise ModelError("it holds no matrix product with constant weights: is it the whole model?")
    return FloatModel(name, graph, tuple(steps), Words(graph, steps).found)


def _add(node: Node, graph: Graph, steps: list[Step], taken: Counter[str]) -> None:
    """Add a node as a step, or fold it into the product in front of it."""
    source = next(iter(graph.moving(node)))
    before = next((step for step in steps if source in step.node.output), None)
    alone = len(graph.moving(node)) == 1 and graph.uses[source] == 1 and source not in graph.outputs
    found = folded(node, graph, before) if before is not None and alone else None
    if before is not None and found is not None:
        own = Node()
        own.CopyFrom(before.node)
        own.output[0] = node.output[0]
        steps[steps.index(before)] = replace(before, node=own, product=found)
        return
    if node.op_type in MATRIX and len(graph.moving(node)) == 1 and node.input[0] not in graph.constants:
        steps.append(Step(node, _named(node, graph, taken), _product(node, graph)))
        return
    steps.append(Step(node, "" if node.op_type in KEPT else _named(node, graph, taken)))


def _product(node: Node, graph: Graph) -> Product:
    """Weights and biases of a node."""
    weights = graph.constant(node, 1).astype(np.float64)
    options = attributes(node)
    given = graph.constant(node, 2).astype(np.float64) if len(node.input) > 2 and node.input[2] else np.zeros(1)
    if node.op_type == "Gemm":
        if options.get("transA"):
            raise refuse(node, "its transA must be 0: take Linear, or MatMul and Add")
        weights, given = weights * options.get("alpha", 1.0), given * options.get("beta", 1.0)
    if not (np.all(np.isfinite(weights)) and np.all(np.isfinite(given))):
        raise refuse(node, "its weights or biases are not finite")
    first = node.op_type == "Conv" or bool(options.get("transB"))
    channels = weights.shape[0 if first else -1]
    if given.size not in (1, channels):
        raise refuse(node, f"its bias {list(given.shape)} has not one value for each of the {channels} channels")
    return Product(weights, np.broadcast_to(given.ravel(), (channels,)).copy(), first)


def _named(node: Node, graph: Graph, taken: Counter[str]) -> str:
    """What to call a layer: after the module that its weights are of, or after its node."""
    weights = node.input[1] if len(node.input) > 1 else ""
    if node.op_type in MATRIX and weights.endswith(".weight"):
        name = weights.removesuffix(".weight")
    else:
        parts = [part for part in node.name.split("/") if part]
        if len(parts) > 1 and re.fullmatch(rf"{node.op_type}(_\d+)?", parts[-1]):
            parts.pop()
        name = ".".join(parts)
    name = re.sub(r"[\s=:]", "_", name) or node.op_type.lower()
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}.{taken[name]}"
