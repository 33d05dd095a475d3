"""Writing a float network as ONNX again, with what stands for words, weights and biases left to the form of file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from fat_fpga.fixed_point.float_model import FloatModel
from fat_fpga.fixed_point.step import Product
from fat_fpga.network.lowering.graph import Node

QONNX = "qonnx.custom_op.general"


class Emitter(ABC):
    """Writes the nodes of a float network; a form of file says what is new among them.

    Attributes:
        model: the float network.
        nodes, constants: so far.
    """

    def __init__(self, model: FloatModel) -> None:
        self.model = model
        self.nodes: list[Node] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}

    @abstractmethod
    def words(self, source: str, target: str, layer: str) -> None:
        """Add nodes that turn the real values ``source`` into words of a layer, the tensor ``target``."""

    @abstractmethod
    def weights(self, layer: str, product: Product) -> str:
        """Add the weights of a layer; the tensor that they are."""

    @abstractmethod
    def bias(self, layer: str, product: Product) -> str:
        """Add the biases [M] of a layer; the tensor that they are, empty where there are none."""

    def constant(self, name: str, values: Any) -> str:
        """Add an initialiser of float32."""
        self.constants[name] = np.asarray(values, np.float32)
        return name

    def node(self, operator: str, inputs: list[str], output: str, name: str, domain: str = "", **options: Any) -> str:
        """Add a node; its output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, domain=domain, **options))
        return output

    def emit(self) -> None:
        """Write all nodes."""
        graph, words = self.model.graph, self.model.words
        source = graph.input
        if graph.input in words:
            source = f"{graph.input}_words"
            self.words(graph.input, source, words[graph.input])
        for step in self.model.steps:
            node = Node()
            node.CopyFrom(step.node)
            node.input[:] = [source if name == graph.input and not step.is_shape else name for name in node.input]
            target = node.output[0]
            if target in words:
                node.output[0] = f"{target}_sums"
            if step.product is not None:
                self._product(step.name, step.product, node)
            else:
                self.nodes.append(node)
                for name in node.input:
                    if name in graph.constants:
                        self.constants[name] = graph.constants[name].values
            if target in words:
                self.words(node.output[0], target, words[target])

    def _product(self, layer: str, product: Product, node: Node) -> None:
        weights, bias = self.weights(layer, product), self.bias(layer, product)
        options = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.name not in ("alpha", "beta")}
        inputs, output = [node.input[0], weights], node.output[0]
        if bias and node.op_type == "MatMul":
            sums = self.node("MatMul", inputs, f"{output}_product", node.name)
            self.node("Add", [sums, bias], output, f"{layer}.bias_add")
        else:
            self.node(node.op_type, [*inputs, bias] if bias else inputs, output, node.name, **options)

    def finish(self, inputs: list[onnx.ValueInfoProto], opsets: list[onnx.OperatorSetIdProto]) -> onnx.ModelProto:
        """The model of all nodes.

        Args:
            inputs: of the graph.
            opsets: beside those of the file.
        """
        source = self.model.graph.model
        outputs = []
        for value in source.graph.output:
            own = onnx.ValueInfoProto()
            own.CopyFrom(value)
            outputs.append(own)
        constants = [numpy_helper.from_array(values, name) for name, values in self.constants.items()]
        graph = helper.make_graph(self.nodes, source.graph.name or self.model.name, inputs, outputs, constants)
        domains = {entry.domain: entry for entry in (*source.opset_import, *opsets)}
        return helper.make_model(
            graph, opset_imports=list(domains.values()), ir_version=source.ir_version, producer_name="fat_fpga"
        )

    @property
    def input(self) -> onnx.ValueInfoProto:
        """The input of the file."""
        graph = self.model.graph
        found: onnx.ValueInfoProto = next(value for value in graph.model.graph.input if value.name == graph.input)
        return found
