"""Operators of qonnx that FINN's earlier steps make: Im2Col and products of it, XNOR and popcount, pools."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.lowering.forms.rewriting import QONNX, Rewriter, Rule, Unfolded
from fat_fpga.network.lowering.graph import Node, attributes, refuse

GENERAL = (QONNX, "finn.custom_op.general", "finn", "")
OURS = "fat_fpga.qonnx_ops"


def lowered_rule(node: Node) -> Rule | None:
    if node.domain not in GENERAL:
        return None
    if node.op_type == "MatMul":
        return _product if node.domain == "" else None
    if node.op_type == "MultiThreshold":
        return _multithreshold
    return _RULES.get(node.op_type)


def _im2col(node: Node, rewriter: Rewriter) -> None:
    options = attributes(node)
    if options.get("pad_value"):
        raise refuse(node, f"expected zeros around the image, got pad_value {options['pad_value']}")
    kernel, pads = _pair(options["kernel_size"]), options.get("pad_amount", [0] * 4)
    if len(pads) == 2:
        pads = [0, pads[0], 0, pads[1]]
    rewriter.unfolded[node.output[0]] = Unfolded(
        node.input[0], kernel, _pair(options.get("stride", [1, 1])), _pair(options.get("dilations", [1, 1])),
        tuple(pads), bool(options.get("depthwise", 0)),
    )  # fmt: skip


def _pair(sizes: Any) -> tuple[int, int]:
    found = [int(size) for size in sizes] if isinstance(sizes, list | tuple) else [int(sizes)] * 2
    return found[0], found[-1]


def _product(node: Node, rewriter: Rewriter) -> None:
    """A MatMul: a convolution where it reads windows, else as it is."""
    windows = rewriter.unfolded.get(node.input[0])
    if windows is None:
        rewriter.add(node)
        return
    matrix = rewriter.constant(node, 1)
    made = convolution(node, rewriter, windows, matrix, rewriter.datatypes.get(node.input[1], ""))
    rewriter.channels_last(node, made, output=node.output[0])


def convolution(node: Node, rewriter: Rewriter, windows: Unfolded, matrix: npt.NDArray[Any], datatype: str) -> str:
    """A product [windows, M] as a convolution; its output has the channels first.

    A depthwise product, whose matrix is zero outside of blocks, becomes a grouped convolution.
    """
    (height, width), (rows, outputs) = windows.kernel, matrix.shape
    channels = rows // (height * width)
    weights = matrix.T.reshape(outputs, height, width, channels).transpose(0, 3, 1, 2)
    if windows.depthwise and outputs == channels and not np.any(weights[~np.eye(channels, dtype=bool)]):
        own = weights[np.arange(channels), np.arange(channels)][:, None]
        return _convolution(node, rewriter, windows, own, channels, datatype)
    return _convolution(node, rewriter, windows, weights, 1, datatype)


def _convolution(
    node: Node, rewriter: Rewriter, windows: Unfolded, weights: npt.NDArray[Any], groups: int, datatype: str
) -> str:
    stored = rewriter.store(weights, node.input[1], datatype)
    before = rewriter.channels_first(node, windows.tensor)
    made = rewriter.emit(
        node, "Conv", [before, stored], group=groups, dilations=windows.dilations, **windows.options(), named=True
    )
    return made


def bits(node: Node, matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A matrix of bits as one of -1 and +1."""
    if np.all(np.isin(matrix, (-1, 1))):
        return matrix
    if not np.all(np.isin(matrix, (0, 1))):
        raise refuse(node, "expected bits as weights, for XNOR and popcount")
    return 2 * matrix - 1


def count(node: Node, rewriter: Rewriter, tensor: str, matrix: npt.NDArray[Any], layout: str, output: str = "") -> str:
    """How many bits are equal, of a product with a matrix of -1 and +1.

    The product is with bits, or with -1 and +1 where the node is among the `Rewriter.bipolar` ones.
    """
    if node.output[0] in rewriter.bipolar:
        half = rewriter.emit(node, "Mul", [tensor, rewriter.store(0.5, node.input[1])])
        return rewriter.emit(node, "Add", [half, rewriter.store(len(matrix) / 2, node.input[1])], output, named=False)
    zeros = (matrix < 0).sum(axis=0)
    shape = (-1, 1, 1) if layout == "NCHW" else (-1,)
    stored = rewriter.store(zeros.reshape(shape), node.input[1])
    return rewriter.emit(node, "Add", [tensor, stored], output, named=False)


def _xnor(node: Node, rewriter: Rewriter) -> None:
    matrix = bits(node, rewriter.constant(node, 1))
    windows = rewriter.unfolded.get(node.input[0])
    if windows is None:
        made = rewriter.emit(
            node, "MatMul", [node.input[0], rewriter.store(matrix, node.input[1], "BIPOLAR")], named=True
        )
    else:
        if any(windows.pads):
            raise refuse(node, "XNOR and popcount with padding, whose zeros stand for -1, are not supported")
        made = rewriter.channels_last(node, convolution(node, rewriter, windows, matrix, "BIPOLAR"))
    count(node, rewriter, made, matrix, "NC", node.output[0])


def _multithreshold(node: Node, rewriter: Rewriter) -> None:
    """As it is, but -1 and +1 where its bits are for XNOR alone."""
    if node.output[0] not in rewriter.bipolar:
        rewriter.add(node)
        return
    options = {**attributes(node), "out_scale": 2.0, "out_bias": -1.0, "out_dtype": "BIPOLAR"}
    rewriter.emit(node, "MultiThreshold", node.input, node.output[0], QONNX, **options)


def _max_pool(node: Node, rewriter: Rewriter) -> None:
    options = attributes(node)
    before = rewriter.channels_first(node, node.input[0])
    made = rewriter.emit(node, "MaxPool", [before], **options, named=True)
    rewriter.channels_last(node, made, output=node.output[0])


def _average(node: Node, rewriter: Rewriter) -> None:
    """QuantAvgPool2d: a sum, shifted to the right."""
    options = attributes(node)
    size, last = int(options["kernel"]), options.get("data_layout", "NCHW") == "NHWC"
    before = rewriter.channels_first(node, node.input[0]) if last else node.input[0]
    options = {"kernel_shape": [size] * 2, "strides": [int(options["stride"])] * 2, **_shifted(node)}
    shift, output_bits, signed = (options.pop(key) for key in ("shift", "bits", "signed"))
    made = rewriter.emit(node, "SumPool", [before], domain=OURS, **options, named=True)
    shifted(node, rewriter, made, shift, output_bits, signed, "" if last else node.output[0])
    if last:
        rewriter.channels_last(node, rewriter.nodes[-1].output[0], output=node.output[0])


def _shifted(node: Node) -> dict[str, Any]:
    options = attributes(node)
    largest = (2 ** int(options["ibits"]) - 1) * int(options["kernel"]) ** 2
    output_bits = int(options["obits"])
    shift = max(largest.bit_length() - output_bits, 0)
    return {"shift": shift, "bits": output_bits, "signed": int(options.get("signed", 0))}


def shifted(node: Node, rewriter: Rewriter, tensor: str, shift: int, width: int, signed: int, output: str = "") -> str:
    """Integers divided by a power of two, rounded down to integers of so many bits."""
    scaled = rewriter.emit(node, "Mul", [tensor, rewriter.store(2.0**-shift, tensor)])
    parameters = [rewriter.store(value, tensor) for value in (1.0, 0.0, float(width))]
    options: dict[str, Any] = {"signed": signed, "narrow": 0, "rounding_mode": "FLOOR"}
    return rewriter.emit(node, "Quant", [scaled, *parameters], output, QONNX, **options)


_RULES: dict[str, Rule] = {
    "Im2Col": _im2col,
    "XnorPopcountMatMul": _xnor,
    "MaxPoolNHWC": _max_pool,
    "QuantAvgPool2d": _average,
}
