"""FINN's hardware layers that take, move and rescale streams: the network of the same in standard operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from fat_fpga.engines.reference import execute
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder
from tests.designs.random_network import random_images

HARDWARE = "finn.custom_op.fpgadataflow"
RNG = np.random.default_rng(0)
WEIGHTS, WIDE = RNG.integers(-3, 4, (3, 3, 2, 4)), RNG.integers(-3, 4, (64, 3))
STEPS, FEW = np.sort(RNG.integers(-900, 900, (4, 3)), axis=1), np.sort(RNG.integers(-9, 9, (3, 3)), axis=1)
LAST = RNG.integers(-3, 4, (3, 3))
WINDOWS: dict[str, Any] = {"IFMChannels": 2, "IFMDim": [10, 10], "OFMDim": [8, 8], "Dilation": [1, 1], "depthwise": 0}


class Both:
    """A file in standard operators, and one of hardware layers."""

    def __init__(self, *shape: int) -> None:
        self.plain, self.layers = (GraphBuilder(shape, "UINT8") for _ in range(2))

    def both(self, operator: str, *parameters: Any, **options: Any) -> None:
        for builder in (self.plain, self.layers):
            builder.node(operator, *parameters, **options)

    def layer(self, operator: str, *parameters: Any, domain: str = HARDWARE, outputs: int = 1, **options: Any) -> None:
        self.layers.node(operator, *parameters, **options)
        node = self.layers.nodes[-1]
        node.domain = domain
        node.output.extend(f"{node.output[0]}.{number}" for number in range(1, outputs))

    def thresholds(self, values: Any, layout: str = "NC") -> None:
        self.both("MultiThreshold", values, out_dtype="UINT2", data_layout=layout)

    def check(self, images: int = 8) -> None:
        plain = check_file(self.plain.model(), images)
        assert lower(self.layers.model(), "network").fingerprint == plain.fingerprint


def convolved(pair: Both) -> None:
    """A convolution with zeros around an image [N, H, W, C], in both."""
    pair.plain.node("Transpose", perm=[0, 3, 1, 2])
    pair.plain.node("Conv", WEIGHTS.transpose(3, 2, 0, 1), kernel_shape=[3, 3], pads=[1] * 4)
    pair.plain.node("Transpose", perm=[0, 2, 3, 1])
    pair.layer("FMPadding_rtl", ImgDim=[8, 8], Padding=[1] * 4, NumChannels=2)
    pair.layer("ConvolutionInputGenerator_rtl", ConvKernelDim=[3, 3], Stride=[1, 1], **WINDOWS)
    pair.layer("MVAU_hls", WEIGHTS.reshape(18, 4), MW=18, MH=4, noActivation=1, numInputVectors=[1, 8, 8])


@pytest.mark.parametrize("first", ["padding", "thresholds"])
def test_an_image_with_its_channels_last(first: str) -> None:
    pair = Both(1, 8, 8, 2)
    if first == "thresholds":
        pair.thresholds(np.sort(RNG.integers(0, 256, (2, 3)), axis=1), "NHWC")
    convolved(pair)
    pair.thresholds(STEPS, "NHWC")
    pair.both("Flatten", axis=1)
    pair.both("MatMul", RNG.integers(-3, 4, (256, 3)))
    pair.check()


def test_an_image_with_its_channels_last_that_two_layers_read() -> None:
    pair = Both(1, 8, 8, 2)
    pair.thresholds(np.sort(RNG.integers(0, 256, (2, 3)), axis=1), "NHWC")
    starts = [builder.tensor for builder in (pair.plain, pair.layers)]
    convolved(pair)
    for builder, start, name in zip((pair.plain, pair.layers), starts, ("Add", "AddStreams_hls"), strict=True):
        builder.node("MultiThreshold", STEPS, out_dtype="UINT2", data_layout="NHWC")
        branch = builder.tensor
        builder.tensor = start
        builder.node("MatMul", WEIGHTS[0, 0])  # over the channels of each pixel
        builder.node("MultiThreshold", STEPS / 8, out_dtype="UINT2", data_layout="NHWC")
        builder.node(name, branch)
    pair.layers.nodes[-1].domain = HARDWARE
    pair.both("Flatten", axis=1)
    pair.both("MatMul", RNG.integers(-3, 4, (256, 3)))
    pair.check()


def test_a_product_over_each_pixel_of_an_image_with_its_channels_last() -> None:
    pair = Both(1, 4, 4, 6)
    weights = RNG.integers(-3, 4, (6, 4))
    pair.plain.node("MatMul", weights)
    pair.layer("MVAU_rtl", weights, MW=6, MH=4, noActivation=1, numInputVectors=[1, 4, 4])
    pair.thresholds(STEPS, "NHWC")
    pair.both("Flatten", axis=1)
    pair.both("MatMul", WIDE)
    pair.check()


@pytest.mark.parametrize("form", ["Flatten", "Reshape", "none"])
def test_a_product_over_all_pixels(form: str) -> None:
    """FINN leaves the Flatten out, where a layer streams all that it reads."""
    pair = Both(1, 4, 4, 2)
    weights = RNG.integers(-3, 4, (2, 4))
    pair.both("MatMul", weights)
    pair.thresholds(STEPS, "NHWC")
    pair.plain.node("Flatten", axis=1)
    if form == "Flatten":
        pair.layers.node("Flatten", axis=1)
    elif form == "Reshape":
        pair.layer("Reshape_rtl", inp_shape=[1, 4, 4, 4], out_shape=[1, 64], dtype="UINT2")
    pair.plain.node("MatMul", WIDE)
    pair.layer("MVAU_hls", WIDE, MW=64, MH=3, noActivation=1, numInputVectors=[1])
    read = pair.layers.nodes[-1].input[0]
    pair.thresholds(FEW)
    pair.both("MatMul", LAST)
    layers = pair.layers.model()
    if form == "none":
        layers.graph.value_info.append(helper.make_tensor_value_info(read, TensorProto.FLOAT, [1, 4, 4, 4]))
    assert lower(layers, "network").fingerprint == check_file(pair.plain.model(), images=8).fingerprint


def test_layers_of_the_first_version() -> None:
    pair = Both(1, 6)
    weights = RNG.integers(-3, 4, (6, 3))
    pair.plain.node("MatMul", weights)
    pair.plain.node("MultiThreshold", FEW * 50, out_dtype="UINT2")
    pair.layer(
        "StreamingFCLayer_Batch", weights, FEW * 50, domain="finn", backend="fpgadataflow", ActVal=0, MW=6, MH=3,
        outputDataType="UINT2", noActivation=0,
    )  # fmt: skip
    pair.both("MatMul", LAST)
    pair.check()


def sampled(pair: Both) -> None:
    pair.plain.node("Transpose", perm=[0, 3, 1, 2])
    pair.plain.node("Conv", LAST.T[:, :, None, None], kernel_shape=[1, 1], strides=[2, 2])
    pair.plain.node("Transpose", perm=[0, 2, 3, 1])
    pair.layer("DownSampler_hls", ImgDim=4, Stride=2, NumChannels=3)
    pair.layer("MVAU_hls", LAST, MW=3, MH=3, noActivation=1, numInputVectors=[1, 2, 2])
    pair.thresholds(FEW, "NHWC")


def cropped(pair: Both) -> None:
    starts, ends, axes = ([1, 0], [3, 3], [1, 2])
    pair.plain.node("Slice", *(pair.plain.constant(values, np.int64) for values in (starts, ends, axes)))
    pair.layer("Crop_hls", ImgDim=[4, 4], NumChannels=3, CropNorth=1, CropSouth=1, CropWest=0, CropEast=1)


def split(pair: Both) -> None:
    pair.plain.node("Split", pair.plain.constant([2, 1], np.int64), axis=3)
    pair.plain.nodes[-1].output.append("rest")
    pair.layer("StreamingSplit_hls", ChannelsPerStream=[2, 1], outputs=2)
    pair.plain.node("Concat", "rest", axis=3, first="rest")
    both = [pair.plain.tensor, pair.plain.nodes[-1].output[0]]
    pair.plain.node("Concat", both[1], axis=3)
    rest = pair.layers.nodes[-1].output[1]
    pair.layers.node("StreamingConcat_hls", rest, first=rest)
    pair.layers.nodes[-1].domain = HARDWARE
    pair.layer("StreamingConcat_hls", pair.layers.nodes[-1].output[0])


def shuffled(pair: Both) -> None:
    pair.plain.node("Transpose", perm=[0, 2, 1, 3])
    shape = [1, 4, 4, 3]
    pair.layer("OuterShuffle_hls", perm=[0, 2, 1, 3], in_shape=shape, transpose_in_shape=shape, out_shape=shape)


def rescaled(pair: Both) -> None:
    scales, shifts = np.array([0.5, 1.5, 0.75]), np.array([0.5, -0.25, 1])
    pair.plain.node("Mul", scales)
    pair.plain.node("Add", shifts)
    pair.plain.node("Add", 0.5)
    pair.plain.quant(1.0, 2, signed=0, mode="FLOOR")
    pair.layer("Requant_rtl", scales, shifts, NumChannels=3, outputDataType="UINT2")


def different(pair: Both) -> None:
    for builder, name in ((pair.plain, "Sub"), (pair.layers, "StreamingEltwise_hls")):
        start = builder.tensor
        builder.node("MatMul", LAST)
        builder.node("MultiThreshold", FEW, out_dtype="UINT2", data_layout="NHWC")
        builder.node(name, start, **({"eltwiseOp": "Sub"} if name != "Sub" else {}))
    pair.layers.nodes[-1].domain = HARDWARE


@pytest.mark.parametrize("make", [sampled, cropped, split, shuffled, rescaled, different])
def test_layers_that_move_and_rescale(make: Any) -> None:
    pair = Both(1, 4, 4, 2)
    pair.both("MatMul", RNG.integers(-3, 4, (2, 3)))
    pair.thresholds(FEW * 50, "NHWC")
    make(pair)
    pair.both("Transpose", perm=[0, 3, 1, 2])
    pair.both("Flatten", axis=1)
    count = {sampled: 12, cropped: 18, split: 64}.get(make, 48)
    pair.both("MatMul", RNG.integers(-3, 4, (count, 3)))
    pair.check()


@pytest.mark.parametrize("datatype", ["BINARY", "BIPOLAR", "UINT4", None])
@pytest.mark.parametrize("function", ["cmp_le", "cmp_ge", None])
@pytest.mark.parametrize("where", ["sums", "stream"])
def test_comparisons_with_a_number_for_each_channel(function: str | None, datatype: str | None, where: str) -> None:
    """finn-hlslib's ChannelWiseOperation calls the function with the number first: cmp_le is number <= value."""
    pair, numbers = Both(1, 64), np.array([-40, 0, 25])
    pair.both("MatMul", WIDE)
    if where == "stream":
        pair.thresholds(STEPS[:3])
        numbers = np.array([1, 3, 2])
    scale, bias = (2.0, -1.0) if datatype == "BIPOLAR" else (1.0, 0.0)
    if function == "cmp_ge":
        pair.plain.node("Mul", -1.0)
        numbers_in_plain = -numbers
    else:
        numbers_in_plain = numbers
    output = "BINARY" if datatype is None else datatype
    options: dict[str, Any] = {"out_scale": scale, "out_bias": bias, "out_dtype": output, "data_layout": "NC"}
    pair.plain.node("MultiThreshold", numbers_in_plain[:, None], **options)
    more: dict[str, Any] = {
        key: value for key, value in (("Func", function), ("outputDataType", datatype)) if value is not None
    }
    pair.layer("ChannelwiseOp_hls", numbers, NumChannels=3, PE=1, numInputVectors=[1], **more)
    pair.both("MatMul", LAST)
    pair.check()
    network = lower(pair.layers.model(), "network")
    images = random_images(network, 20)
    streams = execute(network, images)
    values = streams["input"].reshape(len(images), -1) @ WIDE
    if where == "stream":
        values = (values[:, :, None] >= STEPS[:3]).sum(axis=2)
    right = numbers >= values if function == "cmp_ge" else numbers <= values
    (made,) = (streams[name] for name in network.inputs[network.units[-1].name])
    assert np.array_equal(made[:, :, 0, 0], right * scale + bias)
    assert 0 < right.mean() < 1
