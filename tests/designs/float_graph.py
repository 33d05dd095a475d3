"""Graphs of float nodes as Brevitas exports them: quantised weights, random scaling and batch norm, quantisers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"
Choose = Callable[[Sequence[Any]], Any]
"""Takes one of the options."""


def chooser(rng: np.random.Generator) -> Choose:
    """Takes any of them, each as often."""
    return lambda options: options[int(rng.integers(len(options)))]


class GraphBuilder:
    """Adds nodes to a chain. ``tensor`` is the end of the chain; every parameter becomes an initialiser."""

    def __init__(self, input_shape: Sequence[int | str], datatype: str | None = None) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self.inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, list(input_shape))]
        self.tensor = "image"
        self.datatypes = {} if datatype is None else {"image": datatype}

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add an initialiser and return its name."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, operator: str, *parameters: Any, first: Any = None, **attributes: Any) -> str:
        """Add a node on the chain's end and return its output.

        Args:
            parameters: further inputs: names, or values for new initialisers.
            first: if given, the node's first input instead of the chain's end, which does not move on then.
        """
        inputs = [p if isinstance(p, str) else self.constant(p) for p in parameters]
        head = self.tensor if first is None else first if isinstance(first, str) else self.constant(first)
        domain = QONNX if operator in ("Quant", "BipolarQuant", "MultiThreshold") else ""
        output = f"tensor{len(self.nodes)}"
        name = attributes.pop("name", f"{operator}_{len(self.nodes)}")
        node = helper.make_node(operator, [head, *inputs], [output], name=name, domain=domain, **attributes)
        self.nodes.append(node)
        if first is None:
            self.tensor = output
        return output

    def quant(
        self, scale: Any, bits: int, signed: int = 1, narrow: int = 0, first: Any = None, mode: str = "ROUND"
    ) -> str:
        """Add a Quant node with zero point 0."""
        options = {"signed": signed, "narrow": narrow, "rounding_mode": mode}
        return self.node("Quant", scale, 0.0, float(bits), first=first, **options)

    def model(self, opset: int = 13) -> onnx.ModelProto:
        """The finished model."""
        output = helper.make_tensor_value_info(self.tensor, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "graph", self.inputs, [output], self.constants)
        for tensor, datatype in self.datatypes.items():
            annotation = onnx.TensorAnnotation(tensor_name=tensor)
            annotation.quant_parameter_tensor_names.add(key="finn_datatype", value=datatype)
            graph.quantization_annotation.append(annotation)
        domains = [helper.make_opsetid("", opset), helper.make_opsetid(QONNX, 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=8)


@dataclass
class FloatGraph:
    """A graph with the places to look at.

    Attributes:
        accumulators: tensor behind the last matrix product, and its real value of one step.
        activations: tensor of each unit's activations in front of any pooling, and its real value of one step.
    """

    model: onnx.ModelProto
    accumulators: tuple[str, float]
    activations: list[tuple[str, float]]


def random_float_graph(choose: Choose, rng: np.random.Generator, exact: bool = True, images: int = 1) -> FloatGraph:
    """A random quantised network of one to four matrix products.

    Args:
        exact: scales are powers of two, so that float32 sums are exact whatever their order.
        images: how many images it takes at once.
    """

    def scale() -> float:
        power = float(2.0 ** choose([0, -1, -3, 1]))
        return power if exact else power * float(rng.uniform(0.7, 1.4))

    channels, side = choose([1, 3]), choose([1, 6, 7])
    convolutions = choose([0, 1, 2]) if side > 1 else 0
    builder = GraphBuilder([images, channels, side, side])
    _image_quantiser(builder, choose, scale)
    step = builder_scale(builder)
    activations = []
    flat = False
    shape = (channels, side, side)
    for index in range(convolutions + choose([1, 2])):
        outputs = choose([4, 9, 17])
        if index < convolutions:
            kernel = min(choose([3, 1, 2]), shape[1])
            stride, padding = choose([1, 2]), choose([0, 1])
            weights, weight_scale = _weights(builder, choose, rng, (outputs, shape[0], kernel, kernel), scale)
            bias = [rng.normal(0, 3, outputs) * step] if choose([False, True]) else []
            options = {"strides": [stride] * 2, "pads": [padding] * 4, "kernel_shape": [kernel] * 2}
            builder.node("Conv", weights, *bias, **options)
            rows = (shape[1] + 2 * padding - kernel) // stride + 1
            shape = (outputs, rows, rows)
        else:
            if not flat:
                _flatten(builder, choose, int(np.prod(shape)))
                flat = True
            weights, weight_scale = _dense(builder, choose, rng, (outputs, int(np.prod(shape))), scale)
            shape = (outputs, 1, 1)
        step = _chain(builder, choose, rng, outputs, flat, step * weight_scale, scale)
        activations.append((builder.tensor, step))
        if not flat and shape[1] > 2 and choose([False, True]):
            builder.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            shape = (outputs, shape[1] // 2, shape[2] // 2)
    if not flat:
        _flatten(builder, choose, int(np.prod(shape)))
    classes = choose([3, 10])
    weights, weight_scale = _dense(builder, choose, rng, (classes, int(np.prod(shape))), scale)
    last = builder.tensor
    for operator in choose([(), ("Sub", "Div", "Mul", "Add"), ("Mul",)]):
        builder.node(operator, [float(rng.uniform(0.5, 2))])
    return FloatGraph(builder.model(), (last, step * weight_scale), activations)


def builder_scale(builder: GraphBuilder) -> float:
    """Scale of the quantiser that was added last."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in builder.constants}
    return float(constants[builder.nodes[-1].input[1]].ravel()[0])


def _image_quantiser(builder: GraphBuilder, choose: Choose, scale: Callable[[], float]) -> None:
    if choose([True, False]):
        builder.node("Mul", 2.0)
        builder.node("Sub", 1.0)
    if choose([False, True]):
        builder.node("BipolarQuant", scale())
    else:
        divisor, bits = choose([(128, 8), (128, 2), (2, 2), (2, 3), (4, 2), (4, 3)])
        builder.quant(scale() / divisor, bits, narrow=choose([0, 1]))


def _weights(
    builder: GraphBuilder, choose: Choose, rng: np.random.Generator, shape: tuple[int, ...], scale: Callable[[], float]
) -> tuple[str, float]:
    """Latent floats and their quantiser; returns the quantised tensor and its scale."""
    floats, step = rng.normal(0, 1, shape), scale()
    bits = choose([1, 2, 4])
    if bits == 1:
        return builder.node("BipolarQuant", step, first=floats), step
    return builder.quant(step, bits, narrow=choose([1, 0]), first=floats), step


def _dense(
    builder: GraphBuilder, choose: Choose, rng: np.random.Generator, shape: tuple[int, int], scale: Callable[[], float]
) -> tuple[str, float]:
    form = choose(["Gemm", "MatMul", "Transpose"])
    weights, step = _weights(builder, choose, rng, shape[::-1] if form == "MatMul" else shape, scale)
    if form == "Gemm":
        builder.node("Gemm", weights, transB=1)
    else:
        if form == "Transpose":
            weights = builder.node("Transpose", first=weights, perm=[1, 0])
        builder.node("MatMul", weights)
    return weights, step


def _flatten(builder: GraphBuilder, choose: Choose, size: int) -> None:
    if choose([True, False]):
        builder.node("Flatten", axis=1)
    else:
        images = builder.inputs[0].type.tensor_type.shape.dim[0].dim_value
        builder.node("Reshape", builder.constant(choose([[-1, size], [images, size], [0, -1]]), np.int64))


def _chain(
    builder: GraphBuilder,
    choose: Choose,
    rng: np.random.Generator,
    channels: int,
    flat: bool,
    step: float,
    scale: Callable[[], float],
) -> float:
    """Scaling, batch norm and quantiser behind a product whose accumulators have ``step``; returns the new step."""
    axes = (1, channels) if flat else (1, channels, 1, 1)
    gamma = rng.choice([-1.0, 1.0, 1.0, 0.0], channels) * rng.uniform(0.3, 2, channels)
    spread = step * 4
    for operator in choose([("Norm",), (), ("Mul", "Add"), ("Div", "Sub"), ("Add", "Norm")]):
        if operator == "Norm":
            mean, variance = rng.normal(0, spread, channels), rng.uniform(0.3, 3, channels) * spread**2
            builder.node("BatchNormalization", gamma, rng.normal(0, 0.5, channels), mean, variance, epsilon=1e-4)
        elif operator == "Mul":
            builder.node("Mul", (gamma / spread).reshape(axes))
        elif operator == "Div":
            builder.node("Div", np.where(gamma == 0, 1, gamma * spread).reshape(axes))
        else:
            builder.node(operator, rng.normal(0, 1, axes))
    step = scale()
    signed = choose([1, 0])
    if choose([False, True]):
        builder.node("BipolarQuant", step)
        return step
    if not signed and choose([False, True]):
        builder.node("Relu")
    bits = choose([2, 1, 3, 4]) if not signed else choose([2, 3, 4])
    mode = choose(["ROUND", "FLOOR", "CEIL"])
    builder.quant(step, bits, signed, narrow=0 if bits == 1 else choose([0, 1]), mode=mode)
    return step
