"""FINN form of a Brevitas export: integer weights, MultiThreshold, as FINN's ConvertQONNXtoFINN makes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.intquant import int_quant
from qonnx.util.cleanup import cleanup_model

from tests.designs.float_graph import QONNX

Floats = npt.NDArray[np.float32]


def finn_form(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same function, to the last bit, with integer weights and thresholds in place of quantisers.

    Scales must be common to a tensor, and zero points 0.
    """
    cleaned: onnx.ModelProto = cleanup_model(ModelWrapper(model, make_deepcopy=True)).model
    graph = cleaned.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    scale_of: dict[str, float] = {}
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, values: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    for node in graph.node:
        output = node.output[0]
        if (node.op_type == "MatMul" and node.input[1] in scale_of) or node.op_type in ("Conv", "Gemm"):
            nodes += _product(node, constants, constant, scale_of)
            continue
        if node.op_type not in ("Quant", "BipolarQuant"):
            nodes.append(node)
            continue
        quantise, scale, base, count, step = _function(node, constants)
        if node.input[0] in constants:
            integers = np.rint(quantise(constants[node.input[0]]) / scale).astype(np.float32)
            constants[output], scale_of[output] = integers, scale
            constant(output, integers)
            continue
        levels = [np.float32((base + step * i) * np.float32(scale)) for i in range(1, count)]
        thresholds = constant(f"{output}_thresholds", [[_smallest(quantise, level) for level in levels]])
        bipolar = step == 2
        options: dict[str, Any] = {"out_dtype": f"UINT{(count - 1).bit_length()}"}
        if bipolar:
            options = {"out_scale": 2.0, "out_bias": -1.0, "out_dtype": "BIPOLAR"}
        last = f"{output}_steps"
        nodes.append(helper.make_node("MultiThreshold", [node.input[0], thresholds], [last], domain=QONNX, **options))
        if not bipolar:
            nodes.append(helper.make_node("Add", [last, constant(f"{output}_base", base)], [f"{output}_shifted"]))
            last = f"{output}_shifted"
        nodes.append(helper.make_node("Mul", [last, constant(f"{output}_scale", scale)], [output]))
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.quantization_annotation[:]
    return cleaned


def _product(node: onnx.NodeProto, constants: Any, constant: Any, scale_of: Any) -> list[onnx.NodeProto]:
    """The product with integer weights, and its weights' scale behind it."""
    product, output, weights = onnx.NodeProto(), node.output[0], node.input[1]
    product.CopyFrom(node)
    product.output[0] = f"{output}_integer"
    nodes = [product]
    last = constant(f"{output}_scale", scale_of[weights])
    nodes.append(helper.make_node("Mul", [product.output[0], last], [output]))
    if len(node.input) > 2:
        bias = constants[node.input[2]]
        del product.input[2]
        nodes[-1].output[0] = f"{output}_scaled"
        shape = (1, -1, 1, 1) if node.op_type == "Conv" else (1, -1)
        nodes.append(
            helper.make_node("Add", [f"{output}_scaled", constant(f"{output}_bias", bias.reshape(shape))], [output])
        )
    if node.op_type == "Gemm":
        del product.attribute[:]
        product.op_type = "MatMul"
        product.input[1] = constant(f"{weights}_transposed", constants[weights].T)
    return nodes


def _function(node: onnx.NodeProto, constants: Any) -> tuple[Any, float, int, int, int]:
    """The quantiser as a function; its scale, smallest integer, number of levels and distance between them."""
    scale = constants[node.input[1]]
    if node.op_type == "BipolarQuant":
        return (lambda x: binary_quant(x, scale)), float(scale.ravel()[0]), -1, 2, 2
    options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    bits, signed, narrow = constants[node.input[3]], bool(options["signed"]), bool(options["narrow"])
    mode = options["rounding_mode"].decode()
    low = -(2 ** (int(bits) - 1)) + narrow if signed else 0
    high = 2 ** (int(bits) - 1) - 1 if signed else 2 ** int(bits) - 1 - narrow

    def quantise(x: Floats) -> Floats:
        result: Floats = int_quant(x, scale, constants[node.input[2]], bits, signed, narrow, mode)
        return result.astype(np.float32)

    return quantise, float(scale.ravel()[0]), low, high - low + 1, 1


def _smallest(quantise: Any, level: np.float32) -> np.float32:
    """The smallest float32 that is quantised to ``level`` or more, by bisection over the floats in their order."""
    low, high = -(2**31 - 2**23) + 1, 2**31 - 2**23 - 1
    while low < high:
        middle = (low + high) // 2
        if quantise(np.array([_float(middle)], np.float32))[0] >= level - abs(level) * 1e-6:
            high = middle
        else:
            low = middle + 1
    return _float(low)


def _float(position: int) -> np.float32:
    """The finite float32 at a position in their ascending order; 0 is at 0."""
    bits = np.array([abs(position)], np.uint32).view(np.float32)[0]
    return np.float32(bits if position >= 0 else -bits)
