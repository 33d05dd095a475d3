"""An ONNX model, opened for lowering: its nodes, constants, datatypes, and its one input."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
import onnx.inliner

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.constants import Constant
from fat_fpga.network.lowering.sizes import MOST_PIXELS, check_graph, tensor_values
from fat_fpga.network.lowering.versions import standard_opset

Node = onnx.NodeProto


def label(node: Node) -> str:
    """What to call a node in a message: by its name, or else by its outputs."""
    return f"node '{node.name or '-> ' + ', '.join(node.output)}' ({node.op_type})"


def refuse(node: Node, reason: str) -> ModelError:
    """The error that says which node cannot be lowered, and why, in one line."""
    return ModelError(f"{label(node)}: {' '.join(reason.split())}")


@contextmanager
def blaming(node: Node) -> Iterator[None]:
    """Turn any other error inside the block into the refusal of a node that no exporter writes like this."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        raise refuse(node, f"it is malformed: {type(error).__name__}: {error}") from error


def attributes(node: Node) -> dict[str, Any]:
    """The node's attributes as Python values."""
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


class Graph:
    """What lowering needs to know of a model.

    Attributes:
        nodes: in topological order, as ONNX demands.
        constants: value of every initialiser; folded nodes are added as lowering meets them.
        model: with its functions inlined.
        datatypes: QONNX datatype annotations, by tensor.
        properties: of the model, by key.
        input_type: element type of the image tensor, of ``onnx.TensorProto``.
        opset: version of the standard operators.
        input, input_shape, batch: name of the image tensor, its shape without the batch, and the batch (1 if free).
        computed: how many values the constants have that nodes computed.
        outputs: names of the output tensors.
        uses: how many nodes read the values of each tensor.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        check_graph(model)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        self.model, graph = model, model.graph
        if not graph.node:
            raise ModelError("it holds no network: not one node")
        self.nodes = list(graph.node)
        if graph.sparse_initializer:
            raise ModelError("it holds sparse initialisers, which are not supported: store them dense")
        self.opset = standard_opset(model)
        self.properties = {entry.key: entry.value for entry in model.metadata_props}
        self.datatypes = {
            a.tensor_name: entry.value
            for a in graph.quantization_annotation
            for entry in a.quant_parameter_tensor_names
            if entry.key == "finn_datatype"
        }
        self.constants = {
            tensor.name: Constant(tensor_values(tensor), datatype=self.datatypes.get(tensor.name))
            for tensor in graph.initializer
        }
        self.computed = 0
        self.outputs = [output.name for output in graph.output]
        images = [value for value in graph.input if value.name not in self.constants]
        if len(images) != 1:
            names = ", ".join(f"'{value.name}'" for value in images)
            found = f"{len(images)}: {names}; store constants as initialisers" if images else "none"
            raise ModelError(f"expected one input, the image, got {found}")
        self.input = images[0].name
        self.nodes = _living(self.nodes, self.input, self.outputs)
        self.uses = Counter(n for node in self.nodes if node.op_type != "Shape" for n in node.input if n)
        tensor_type = images[0].type.tensor_type
        self.input_type = tensor_type.elem_type
        sizes = [d.dim_value for d in tensor_type.shape.dim]
        if len(sizes) not in (2, 3, 4) or any(size < 1 for size in sizes[1:]):
            shape = ", ".join(d.dim_param or str(d.dim_value or "?") for d in tensor_type.shape.dim)
            raise ModelError(
                f"input '{self.input}' has shape [{shape}]: expected [N, C, H, W], [N, C, L] or [N, F], fixed but "
                "for N; export the model with an example image"
            )
        self.input_shape = tuple(sizes[1:])
        self.batch = max(sizes[0], 1)
        if self.batch * math.prod(self.input_shape) > MOST_PIXELS:
            raise ModelError(f"input '{self.input}' has shape {sizes}: expected at most {MOST_PIXELS:,} values")

    def constant(self, node: Node, position: int) -> np.ndarray[Any, np.dtype[Any]]:
        """Value of a node's input that must be constant."""
        name = node.input[position]
        if name not in self.constants:
            raise refuse(node, f"its input '{name}' must be a constant")
        return self.constants[name].values

    def moving(self, node: Node) -> list[str]:
        """The node's inputs that depend on the image, in order and with repetitions."""
        return [name for name in node.input if name and name not in self.constants]


def _living(nodes: list[Node], image: str, outputs: list[str]) -> list[Node]:
    """The nodes without branches that lead to no output; constants stay, and what only goes on behind an output."""
    moving = {image}
    for node in nodes:
        if moving.intersection(node.input):
            moving.update(node.output)
    if not moving.issuperset(outputs):  # which is told when all nodes have been read
        return nodes
    needed, living = set(outputs), set[int]()
    for number, node in reversed(list(enumerate(nodes))):
        if needed.intersection(node.output):
            living.add(number)
            needed.update(node.input)
    behind, kept = set(outputs), []
    for number, node in enumerate(nodes):
        if number in living:
            kept.append(node)
        elif not node.input or behind.intersection(node.input):
            behind.update(node.output)
            kept.append(node)
    return kept
