"""FINN's hardware layers, of all its versions: what they compute, as standard operators.

How a layer is folded (PE, SIMD), where its memory is and how it streams change no integer, and are not read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.lowering.forms.binary import base_name
from fat_fpga.network.lowering.forms.lowered import OURS, bits, convolution, count, shifted
from fat_fpga.network.lowering.forms.options import option, sizes_of
from fat_fpga.network.lowering.forms.rewriting import Rewriter, Rule, Unfolded
from fat_fpga.network.lowering.forms.streams import STREAMS
from fat_fpga.network.lowering.graph import Node, attributes, refuse

DOMAIN = "finn.custom_op.fpgadataflow"
FIRST_DOMAIN = "finn"
"""Where FINN's first versions had all of their operators."""
IDENTITIES = (
    "StreamingFIFO", "StreamingDataWidthConverter", "DuplicateStreams", "TLastMarker", "IODMA", "CheckSum",
)  # fmt: skip
"""Layers that only move a stream along, or double it."""


def hardware_rule(node: Node) -> Rule | None:
    first = node.domain == FIRST_DOMAIN and attributes(node).get("backend") == "fpgadataflow"
    if not first and node.domain != DOMAIN and not node.domain.startswith(f"{DOMAIN}."):
        return None
    name = base_name(node)
    return _same if name in IDENTITIES else _RULES.get(name)


def _same(node: Node, rewriter: Rewriter) -> None:
    rewriter.same(node)


def _windows(node: Node, rewriter: Rewriter) -> None:
    """ConvolutionInputGenerator."""
    depthwise = bool(option(node, "depthwise", 0))
    rewriter.unfolded[node.output[0]] = Unfolded(
        node.input[0], sizes_of(node, "ConvKernelDim"), sizes_of(node, "Stride"),
        sizes_of(node, "Dilation") if "Dilation" in attributes(node) else (1, 1), depthwise=depthwise,
    )  # fmt: skip


def _matrix(node: Node, rewriter: Rewriter) -> None:
    """MVAU: a product, and thresholds unless it has none."""
    matrix, datatype = rewriter.constant(node, 1), str(option(node, "weightDataType", ""))
    counting = bool(option(node, "binaryXnorMode", 0))
    if counting:
        matrix, datatype = bits(node, matrix), "BIPOLAR"
    windows = rewriter.unfolded.get(node.input[0])
    if windows is not None:
        made, layout = convolution(node, rewriter, windows, matrix, datatype), "NCHW"
    else:
        before = _in_rows(node, rewriter, len(matrix))
        made = rewriter.emit(node, "MatMul", [before, rewriter.store(matrix, node.input[1], datatype)], named=True)
        layout = "NC" if before != node.input[0] else _layout(node, rewriter)
    if counting:
        made = count(node, rewriter, made, matrix, layout)
    _activated(node, rewriter, made, layout, windows is not None)


def _in_rows(node: Node, rewriter: Rewriter, size: int) -> str:
    """What a product reads: where it takes all values of an image at once, these in a row, as they are streamed."""
    vectors = [int(count) for count in attributes(node).get("numInputVectors", [0])]
    axes = rewriter.axes_of(node.input[0])
    if len(vectors) != 1 or axes is None or axes < 3 or rewriter.last_of(node.input[0]) == size:
        return str(node.input[0])
    return rewriter.emit(node, "Flatten", [node.input[0]])


def _layout(node: Node, rewriter: Rewriter) -> str:
    """Order of the axes of a layer's stream, its channels last."""
    axes = rewriter.axes_of(node.input[0]) or len(option(node, "numInputVectors", [1])) + 1
    return {2: "NC", 3: "NWC"}.get(axes, "NHWC")


def _vector(node: Node, rewriter: Rewriter) -> None:
    """VVAU: a depthwise convolution, and thresholds unless it has none."""
    windows, weights = rewriter.unfolded.get(node.input[0]), rewriter.constant(node, 1)
    kernel = sizes_of(node, "Kernel")
    if windows is None:
        if kernel != (1, 1):
            raise refuse(node, "expected a ConvolutionInputGenerator in front of it")
        windows = Unfolded(node.input[0], (1, 1), (1, 1), (1, 1), depthwise=True)
    stored = rewriter.store(weights, node.input[1], str(option(node, "weightDataType", "")))
    before = rewriter.channels_first(node, windows.tensor)
    options: dict[str, Any] = {**windows.options(), "dilations": windows.dilations, "group": len(weights)}
    made = rewriter.emit(node, "Conv", [before, stored], **options, named=True)
    _activated(node, rewriter, made, "NCHW", True)


def _activated(node: Node, rewriter: Rewriter, tensor: str, layout: str, transposed: bool) -> None:
    """The thresholds of a layer, and its stream with the channels last again."""
    output = "" if transposed else node.output[0]
    if option(node, "noActivation", 0):
        made = tensor
        if not transposed:
            rewriter.emit(node, "Identity", [tensor], output)
    else:
        made = output or rewriter.new(node.output[0])
        _thresholds(node, rewriter, tensor, rewriter.constant(node, 2), made, layout)
    if transposed:
        rewriter.channels_last(node, made, output=node.output[0])


def _thresholds(
    node: Node, rewriter: Rewriter, tensor: str, thresholds: npt.NDArray[Any], output: str, layout: str
) -> None:
    datatype = str(option(node, "outputDataType", ""))
    datatype = "BIPOLAR" if node.output[0] in rewriter.bipolar else datatype
    rewriter.multithreshold(
        node, tensor, thresholds, int(option(node, "ActVal", 0)), datatype == "BIPOLAR", output, layout, datatype
    )


def _thresholding(node: Node, rewriter: Rewriter) -> None:
    layout = _layout(node, rewriter)
    _thresholds(node, rewriter, node.input[0], rewriter.constant(node, 1), node.output[0], layout)


def _padding(node: Node, rewriter: Rewriter) -> None:
    """FMPadding: zeros around height and width."""
    padding = [int(size) for size in option(node, "Padding")]
    if len(padding) == 2:  # of the first versions: all rows and columns together
        padding = [padding[0] // 2, padding[1] // 2, padding[0] - padding[0] // 2, padding[1] - padding[1] // 2]
    top, left, bottom, right = padding
    pads = [0, top, left, 0, 0, bottom, right, 0]
    if rewriter.opset < 11:
        rewriter.emit(node, "Pad", [node.input[0]], node.output[0], pads=pads)
    else:
        stored = rewriter.store(pads, node.output[0], dtype=np.int64)
        rewriter.emit(node, "Pad", [node.input[0], stored], node.output[0])


def _pixel_padding(node: Node, rewriter: Rewriter) -> None:
    """FMPadding_Pixel: zeros between the pixels, as a transposed convolution by 1 makes them."""
    channels = int(option(node, "NumChannels"))
    before = rewriter.channels_first(node, node.input[0])
    ones = rewriter.store(np.ones((channels, 1, 1, 1)), node.output[0], "BINARY")
    options: dict[str, Any] = {"kernel_shape": [1, 1], "strides": sizes_of(node, "Stride"), "group": channels}
    made = rewriter.emit(node, "ConvTranspose", [before, ones], named=True, **options)
    rewriter.channels_last(node, made, output=node.output[0])


def _max_pool(node: Node, rewriter: Rewriter) -> None:
    """StreamingMaxPool: windows beside each other."""
    size = sizes_of(node, "PoolDim")
    before = rewriter.channels_first(node, node.input[0])
    options: dict[str, Any] = {"kernel_shape": size, "strides": size, "ceil_mode": int(option(node, "CeilMode", 0))}
    made = rewriter.emit(node, "MaxPool", [before], **options, named=True)
    rewriter.channels_last(node, made, output=node.output[0])


def _pool(node: Node, rewriter: Rewriter) -> None:
    """Pool behind a ConvolutionInputGenerator."""
    windows, function = rewriter.unfolded.get(node.input[0]), option(node, "Function")
    if windows is None:
        raise refuse(node, "expected a ConvolutionInputGenerator in front of it")
    if windows.dilations != (1, 1):
        raise refuse(node, "dilations are not supported in a pool")
    before = rewriter.channels_first(node, windows.tensor)
    options: dict[str, Any] = {key: value for key, value in windows.options().items() if key != "pads"}
    if function in ("MaxPool", "AvgPool"):
        operator = "MaxPool" if function == "MaxPool" else "AveragePool"
        made = rewriter.emit(node, operator, [before], **options, named=True)
    elif function in ("AccPool", "QuantAvgPool"):
        made = rewriter.emit(node, "SumPool", [before], domain=OURS, **options, named=True)
        if function == "QuantAvgPool":
            made = _average_of(node, rewriter, made, windows.kernel)
    else:
        raise refuse(node, f"unknown Function {function}")
    rewriter.channels_last(node, made, output=node.output[0])


def _average_of(node: Node, rewriter: Rewriter, sums: str, kernel: tuple[int, int]) -> str:
    before, behind = str(option(node, "InputDataType")), str(option(node, "OutputDataType"))
    width = int(behind.removeprefix("U").removeprefix("INT"))
    largest = (2 ** int(before.removeprefix("U").removeprefix("INT")) - 1) * kernel[0] * kernel[1]
    return shifted(node, rewriter, sums, max(largest.bit_length() - width, 0), width, int(not behind.startswith("U")))


def _upsample(node: Node, rewriter: Rewriter) -> None:
    """UpsampleNearestNeighbour; of the first versions square, with one size for input and output."""
    sizes = [
        (
            int(option(node, f"{axis}O", option(node, "OFMDim", 0))),
            int(option(node, f"{axis}I", option(node, "IFMDim", 0))),
        )
        for axis in "HW"
    ]
    if any(before < 1 or behind % before for behind, before in sizes):
        raise refuse(node, f"its sizes {sizes} have no whole ratios: the file is damaged")
    before = rewriter.channels_first(node, node.input[0])
    scales = rewriter.store([1, 1, *(behind // before for behind, before in sizes)], node.output[0])
    inputs = [before, scales] if rewriter.opset < 11 else [before, rewriter.store([], node.output[0]), scales]
    options = {} if rewriter.opset < 11 else {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    made = rewriter.emit(
        node, "Resize" if rewriter.opset > 9 else "Upsample", inputs, mode="nearest", **options, named=True
    )
    rewriter.channels_last(node, made, output=node.output[0])


def _sum(node: Node, rewriter: Rewriter) -> None:
    """GlobalAccPool: the sum over height and width."""
    if rewriter.opset < 13:
        rewriter.emit(node, "ReduceSum", [node.input[0]], node.output[0], axes=[1, 2], keepdims=1)
    else:
        axes = rewriter.store([1, 2], node.output[0], dtype=np.int64)
        rewriter.emit(node, "ReduceSum", [node.input[0], axes], node.output[0], keepdims=1)


def _channelwise(node: Node, rewriter: Rewriter) -> None:
    """ChannelwiseOp: a number for each channel, which is added, multiplied, or compared with the values: its hardware
    asks with cmp_le whether the number is at most the value, as one of thresholds, and with cmp_ge the opposite."""
    function, numbers = option(node, "Func", "cmp_le"), rewriter.constant(node, 1).ravel()
    if function in ("cmp_le", "cmp_ge"):
        before, sign = str(node.input[0]), 1 if function == "cmp_le" else -1
        if sign < 0:
            before = rewriter.emit(node, "Mul", [before, rewriter.store(-1.0, before)])
        datatype = str(option(node, "outputDataType", "BINARY"))
        rewriter.multithreshold(
            node, before, sign * numbers[:, None], 0, datatype == "BIPOLAR", node.output[0], _layout(node, rewriter),
            datatype,
        )  # fmt: skip
        return
    if function not in ("add", "mul"):
        raise refuse(node, f"Func {function} is not known: expected add, mul, cmp_le or cmp_ge")
    stored = rewriter.store(numbers, node.input[1], rewriter.datatypes.get(node.input[1], ""))
    rewriter.emit(node, function.capitalize(), [node.input[0], stored], node.output[0])


def _labels(node: Node, rewriter: Rewriter) -> None:
    """LabelSelect: read as it is, in the domain of its first version."""
    own = type(node)()
    own.CopyFrom(node)
    own.op_type, own.domain = "LabelSelect", DOMAIN
    rewriter.add(own)


_RULES: dict[str, Rule] = {
    "ConvolutionInputGenerator": _windows,
    "ConvolutionInputGenerator1D": _windows,
    "ConvolutionInputGenerator_MMV": _windows,
    "MVAU": _matrix,
    "MatrixVectorActivation": _matrix,
    "StreamingFCLayer": _matrix,
    "VVAU": _vector,
    "VectorVectorActivation": _vector,
    "Vector_Vector_Activate": _vector,
    "Thresholding": _thresholding,
    "Thresholding_Binary_Search": _thresholding,
    "FMPadding": _padding,
    "FMPadding_Pixel": _pixel_padding,
    "StreamingMaxPool": _max_pool,
    "Pool": _pool,
    "GlobalAccPool": _sum,
    "UpsampleNearestNeighbour": _upsample,
    "ChannelwiseOp": _channelwise,
    "LabelSelect": _labels,
    **STREAMS,
}
