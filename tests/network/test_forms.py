"""Other forms of a file: channels last, lowered convolutions, FINN's hardware layers; the same network from each."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.bipolar_to_xnor import ConvertBipolarMatMulToXnorPopcount
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul
from qonnx.util.cleanup import cleanup_model

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

HARDWARE = "finn.custom_op.fpgadataflow"
RNG = np.random.default_rng(0)


def floats() -> ModelWrapper:
    """A convolution with batch norm, a pool, a depthwise convolution and a product, as qonnx's cleanup leaves them."""
    builder = GraphBuilder([1, 2, 8, 8])
    builder.quant(2.0**-7, 8)
    options = {"strides": [1, 1], "dilations": [1, 1]}
    weights = builder.quant(0.5, 3, first=RNG.normal(0, 1, (4, 2, 3, 3)))
    builder.node("Conv", weights, kernel_shape=[3, 3], pads=[1, 0, 0, 1], group=1, **options)
    builder.node("BatchNormalization", *RNG.uniform(0.5, 1, (2, 4)), RNG.normal(0, 1, 4), RNG.uniform(1, 2, 4))
    builder.node("Relu")
    builder.quant(0.5, 3, signed=0)
    builder.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
    weights = builder.quant(0.5, 3, first=RNG.normal(0, 1, (8, 1, 2, 2)))
    builder.node("Conv", weights, kernel_shape=[2, 2], pads=[0, 0, 0, 0], group=4, **options)
    builder.quant(0.5, 3)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.5, 3, first=RNG.normal(0, 1, (32, 4))))
    return cleanup_model(ModelWrapper(builder.model()).transform(InferShapes()))


def integers(bipolar: bool = False) -> ModelWrapper:
    """The same in FINN form: integer weights and thresholds; with bipolar weights and activations on request."""
    builder = GraphBuilder([1, 2, 8, 8], "UINT8")

    def weights(*shape: int) -> str:
        values = RNG.choice([-1, 1], shape) if bipolar else RNG.integers(-3, 4, shape)
        name = builder.constant(values)
        builder.datatypes[name] = "BIPOLAR" if bipolar else "INT3"
        return name

    def thresholds(channels: int, reach: int) -> None:
        values = np.sort(RNG.integers(-reach, reach, (channels, 1 if bipolar else 3)), axis=1)
        options: dict[str, Any] = {"out_dtype": "UINT2"}
        if bipolar:
            options = {"out_dtype": "BIPOLAR", "out_scale": 2.0, "out_bias": -1.0}
        builder.node("MultiThreshold", values, data_layout="NCHW" if reach != 9 else "NC", **options)

    options = {"dilations": [1, 1], "kernel_shape": [3, 3]}
    builder.node("Conv", weights(4, 2, 3, 3), strides=[1, 1], pads=[1] * 4, group=1, **options)
    thresholds(4, 300)
    groups = 1 if bipolar else 4
    options |= {"kernel_shape": [2, 2], "pads": [0] * 4}
    builder.node("Conv", weights(4, 4 // groups, 2, 2), strides=[2, 2], group=groups, **options)
    thresholds(4, 5)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", weights(64, 8))
    thresholds(8, 9)
    builder.node("MatMul", weights(8, 3))
    model = ModelWrapper(builder.model()).transform(InferShapes())
    return model.transform(InferDataTypes())


def test_channels_last() -> None:
    model = floats()
    network = check_file(model.model)
    last = model.transform(ConvertToChannelsLastAndClean())
    assert {"qonnx.custom_op.channels_last"} < {node.domain for node in last.graph.node}
    assert check_file(last.model).fingerprint == network.fingerprint


def test_lowered_convolutions() -> None:
    model = integers()
    network = check_file(model.model)
    assert network.units[1].groups == 4
    lowered = model.transform(LowerConvsToMatMul())
    assert "Im2Col" in {node.op_type for node in lowered.graph.node}
    assert check_file(lowered.model).fingerprint == network.fingerprint


def test_counts_of_equal_bits_are_bipolar_products_again() -> None:
    model = integers(bipolar=True)
    network = check_file(model.model)
    counting = model.transform(LowerConvsToMatMul()).transform(ConvertBipolarMatMulToXnorPopcount())
    assert [node.op_type for node in counting.graph.node].count("XnorPopcountMatMul") == 3
    assert check_file(counting.model).fingerprint == network.fingerprint


def test_counts_of_bits_that_another_node_reads_too() -> None:
    builder = GraphBuilder([1, 4], "UINT8")
    builder.node("MultiThreshold", RNG.integers(50, 200, (4, 1)), out_dtype="BINARY")
    bits = builder.tensor
    ends = []
    for domain, operator in (("qonnx.custom_op.general", "XnorPopcountMatMul"), ("", "MatMul")):
        weights = builder.constant(RNG.integers(0, 2, (4, 3)))
        builder.node(operator, weights, first=bits)
        builder.nodes[-1].domain = domain
        builder.tensor = builder.nodes[-1].output[0]
        builder.node("MultiThreshold", np.sort(RNG.integers(0, 4, (3, 2)), axis=1), out_dtype="UINT2")
        ends.append(builder.tensor)
    builder.tensor = ends[0]
    builder.node("Add", ends[1])
    builder.node("MatMul", RNG.integers(-3, 4, (3, 3)))
    network = check_file(builder.model(), images=8)
    assert network.levels_of["input"].values[0] == 0


def hardware() -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """A file in FINN form, and the same in FINN's hardware layers, written by hand."""
    plain = integers()
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in plain.graph.initializer}
    conv0, step0, conv1, step1, _, fc2, step2, fc3 = plain.graph.node
    graph = GraphBuilder([1, 2, 8, 8], "UINT8")

    def layer(operator: str, *parameters: Any, ending: str = "", **options: Any) -> None:
        graph.node(operator + ending, *parameters, **options)
        graph.nodes[-1].domain = HARDWARE + (f".{ending[1:]}" if ending in ("_hls", "_rtl") else "")

    graph.node("Transpose", perm=[0, 2, 3, 1])
    layer("FMPadding", ending="_rtl", ImgDim=[8, 8], Padding=[1, 1, 1, 1], NumChannels=2)
    size: dict[str, Any] = {
        "IFMChannels": 2,
        "IFMDim": [10, 10],
        "OFMDim": [8, 8],
        "Stride": [1, 1],
        "Dilation": [1, 1],
    }
    layer("ConvolutionInputGenerator", ending="_rtl", ConvKernelDim=[3, 3], depthwise=0, **size)
    matrix = values[conv0.input[1]].transpose(2, 3, 1, 0).reshape(-1, 4)
    common: dict[str, Any] = {"weightDataType": "INT3", "PE": 2, "SIMD": 1, "outputDataType": "UINT2", "ActVal": 0}
    layer("MVAU", matrix, values[step0.input[1]], ending="_hls", MW=18, MH=4, noActivation=0, **common)
    layer("StreamingFIFO", ending="_rtl", depth=32)
    size = {"IFMChannels": 4, "IFMDim": [8, 8], "OFMDim": [4, 4], "Stride": [2, 2], "Dilation": [1, 1]}
    layer("ConvolutionInputGenerator", ending="_hls", ConvKernelDim=[2, 2], depthwise=1, **size)
    layer("VVAU", values[conv1.input[1]], Kernel=[2, 2], Channels=4, Dim=[4, 4], noActivation=1, **common)
    layer("Thresholding", values[step1.input[1]], ending="_rtl", NumChannels=4, numInputVectors=[1, 4, 4], **common)
    graph.node("Transpose", perm=[0, 3, 1, 2])
    graph.node("Flatten", axis=1)
    layer("StreamingFCLayer", values[fc2.input[1]], values[step2.input[1]], ending="_Batch", MW=64, MH=8, **common)
    layer("MVAU", values[fc3.input[1]], ending="_rtl", MW=8, MH=3, noActivation=1, **common)
    layer("LabelSelect", ending="_hls", Labels=3, PE=1, K=1)
    return plain.model, graph.model()


def test_hardware_layers() -> None:
    plain, layers = hardware()
    assert lower(layers, "network").fingerprint == lower(plain, "network").fingerprint


@pytest.mark.parametrize("operator", ["StreamingMaxPool", "Pool", "AccPool", "GlobalAccPool"])
def test_pools_and_sums_in_hardware(operator: str) -> None:
    plain, layers = (GraphBuilder([1, 2, 4, 4], "UINT8") for _ in range(2))
    weights, last = RNG.integers(-3, 4, (2, 3)), RNG.integers(-3, 4, (3 if operator == "GlobalAccPool" else 12, 3))
    thresholds = np.sort(RNG.integers(-500, 500, (3, 3)), axis=1)
    for builder in (plain, layers):
        builder.node("Transpose", perm=[0, 2, 3, 1])
        builder.node("MatMul", weights)
        builder.node("MultiThreshold", thresholds, out_dtype="UINT2", data_layout="NHWC")
    plain.node("Transpose", perm=[0, 3, 1, 2])
    if operator == "StreamingMaxPool":
        layers.node("StreamingMaxPool_hls", ImgDim=[4, 4], PoolDim=[2, 2], NumChannels=3)
    elif operator == "GlobalAccPool":
        layers.node("GlobalAccPool", NumChannels=3, PE=1)
    else:
        layers.node("ConvolutionInputGenerator", ConvKernelDim=[2, 2], Stride=[2, 2], Dilation=[1, 1], depthwise=1)
        layers.nodes[-1].domain = HARDWARE
        function = "MaxPool" if operator == "Pool" else operator
        layers.node("Pool", Function=function, KernelSize=[2, 2], Channels=3)
    layers.nodes[-1].domain = HARDWARE
    layers.node("Transpose", perm=[0, 3, 1, 2])
    if operator == "GlobalAccPool":
        plain.node("ReduceSum", plain.constant([2, 3], np.int64))
    elif operator == "AccPool":
        plain.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
        plain.node("Mul", 4.0)
    else:
        plain.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    for builder in (plain, layers):
        builder.node("Flatten", axis=1)
        builder.node("MatMul", last)
    assert lower(layers.model(), "network").fingerprint == check_file(plain.model()).fingerprint


def test_streams_that_are_doubled_added_and_joined_in_hardware() -> None:
    plain, layers = (GraphBuilder([1, 4], "UINT8") for _ in range(2))
    first, second, last = (RNG.integers(-3, 4, shape) for shape in ((4, 3), (3, 3), (6, 3)))
    steps = [np.sort(RNG.integers(-300, 300, (3, 3)), axis=1), np.sort(RNG.integers(-9, 9, (3, 3)), axis=1)]
    for builder, forms in ((plain, ("Add", "Concat")), (layers, ("AddStreams", "StreamingConcat"))):
        builder.node("MatMul", first)
        builder.node("MultiThreshold", steps[0], out_dtype="UINT2")
        start = builder.tensor
        ends = [start, start]
        if builder is layers:
            double = helper.make_node("DuplicateStreams_hls", [start], ["one", "two"], "double", domain=HARDWARE)
            builder.nodes.append(double)
            ends = ["one", "two"]
        builder.tensor = ends[0]
        builder.node("MatMul", second)
        builder.node("MultiThreshold", steps[1], out_dtype="UINT2")
        branch = builder.tensor
        builder.node(forms[0], ends[1])
        builder.node(forms[1], branch, **({"axis": 1} if builder is plain else {}))
        if builder is layers:
            builder.nodes[-1].domain = builder.nodes[-2].domain = HARDWARE
        builder.node("MatMul", last)
    assert lower(layers.model(), "network").fingerprint == check_file(plain.model(), images=8).fingerprint


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a layer that is none of these": ("Lookup", {}, r"hardware layer of FINN that is not supported"),
    "a partition": ("StreamingDataflowPartition", {"model": "x.onnx"}, r"take the file that its attribute 'model'"),
    "windows for nothing": (
        "ConvolutionInputGenerator",
        {"ConvKernelDim": [2, 2], "Stride": [1, 1], "Dilation": [1, 1]},
        r"windows for a product: expected MatMul or MVAU",
    ),
    "another function": (
        "ChannelwiseOp",
        {"Func": "cmp_eq"},
        r"Func cmp_eq is not known: expected add, mul, cmp_le or cmp_ge",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    operator, options, reason = REFUSED[case]
    builder = GraphBuilder([1, 2, 4, 4], "UINT8")
    builder.node(operator, *([[1.0, 2.0]] if operator == "ChannelwiseOp" else []), name="culprit", **options)
    builder.nodes[-1].domain = HARDWARE
    builder.node("Relu")
    with pytest.raises(ModelError, match=reason):
        lower(builder.model(), "network")


def test_a_layer_whose_weights_are_elsewhere() -> None:
    builder = GraphBuilder([1, 4], "UINT8")
    builder.inputs.append(helper.make_tensor_value_info("weights", onnx.TensorProto.FLOAT, [4, 3]))
    builder.node("MVAU", "weights", name="culprit", MW=4, MH=3, noActivation=1)
    builder.nodes[-1].domain = HARDWARE
    with pytest.raises(ModelError, match=r"'culprit' \(MVAU\): its input 1 must be a constant in the file"):
        lower(builder.model(), "network")
