"""Upsampling to the nearest value: each activation repeated, in every form of file, as qonnx executes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fat_fpga.errors import ModelError
from fat_fpga.network import Levels
from fat_fpga.network.layers import Upsample
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
HALF = {"coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_floor"}


def conv(builder: GraphBuilder, outputs: int, inputs: int) -> None:
    floats = np.random.default_rng(outputs).normal(0, 0.5, (outputs, inputs, 3, 3))
    builder.node("Conv", builder.quant(0.25, 3, first=floats), kernel_shape=[3, 3])


def decoder(between: Any, before: bool = True, side: int = 2, opset: int = 13) -> Any:
    """Convolution, quantiser, what is tried, convolution, quantiser, scores; or the first quantiser behind it."""
    builder = GraphBuilder([1, 2, 5, 6])
    builder.quant(2**-4, 4, signed=0)
    conv(builder, 3, 2)
    if before:
        builder.quant(0.5, 3)
    between(builder)
    if not before:
        builder.node("BatchNormalization", [1.0, -0.5, 2.0], [0.1, 0, 0.3], [0.0, 1, 0], [1.0, 2, 1])
        builder.quant(0.5, 3)
    conv(builder, 4, 3)
    builder.node("Relu")
    builder.quant(1.0, 2, signed=0)
    builder.node("GlobalAveragePool")
    builder.node("Flatten", axis=1)
    weights = builder.quant(0.25, 3, first=np.random.default_rng(0).normal(0, 0.5, (4, 3)))
    builder.node("MatMul", weights)
    return builder.model(opset)


@pytest.mark.parametrize("before", [True, False], ids=["quantised", "floats"])
@pytest.mark.parametrize(("options", "factors"), [(ASYMMETRIC, (2, 2)), (HALF, (1, 3)), (HALF, (4, 2))])
def test_resize(options: dict[str, Any], factors: tuple[int, int], before: bool) -> None:
    def between(builder: GraphBuilder) -> None:
        builder.node("Resize", builder.constant([]), [1, 1, *factors], mode="nearest", **options)

    network = check_file(decoder(between, before))
    (layer,) = (layer for layer in network.layers if isinstance(layer, Upsample))
    assert (layer.name, layer.factors) == ("conv0.upsample", factors)


def test_sizes_and_upsample_of_the_first_versions() -> None:
    def sizes(builder: GraphBuilder) -> None:
        builder.node("Resize", "", "", builder.constant([1, 3, 6, 8], np.int64), mode="nearest", **HALF)

    def upsample(builder: GraphBuilder) -> None:
        builder.node("Upsample", [1, 1, 2, 2.0], mode="nearest")

    for between, opset in ((sizes, 13), (upsample, 9)):
        network = check_file(decoder(between, opset=opset))
        assert [layer.factors for layer in network.layers if isinstance(layer, Upsample)] == [(2, 2)]


def test_channels_last_and_a_pool_in_front() -> None:
    def between(builder: GraphBuilder) -> None:
        builder.node("MaxPool", kernel_shape=[2, 2], strides=[1, 1])
        builder.node("Transpose", perm=[0, 2, 3, 1])
        builder.node("Resize", builder.constant([]), [1, 2, 3, 1], mode="nearest", **ASYMMETRIC)
        builder.node("Transpose", perm=[0, 3, 1, 2])

    names = [layer.name for layer in check_file(decoder(between)).layers]
    assert names[1:3] == ["conv0.pool", "conv0.upsample"]


@pytest.mark.parametrize("sizes", [{"HI": 2, "WI": 3, "HO": 4, "WO": 9}, {"IFMDim": 3, "OFMDim": 6}])
def test_the_hardware_layer_of_finn(sizes: dict[str, int]) -> None:
    height, width = sizes.get("HI", 3), sizes.get("WI", 3)

    factors = (2, 3) if "HI" in sizes else (2, 2)

    def between(builder: GraphBuilder) -> None:
        builder.node("MaxPool", kernel_shape=[4 - height, 5 - width], strides=[1, 1])
        builder.node("Transpose", perm=[0, 2, 3, 1])
        builder.node("UpsampleNearestNeighbour_hls", NumChannels=3, **sizes)
        builder.nodes[-1].domain = "finn.custom_op.fpgadataflow.hls"
        builder.node("Transpose", perm=[0, 3, 1, 2])

    def standard(builder: GraphBuilder) -> None:
        builder.node("MaxPool", kernel_shape=[4 - height, 5 - width], strides=[1, 1])
        builder.node("Resize", builder.constant([]), [1, 1, *factors], mode="nearest", **ASYMMETRIC)

    network = lower(decoder(between), "network")
    (layer,) = (layer for layer in network.layers if isinstance(layer, Upsample))
    assert layer.factors == factors
    assert network.fingerprint == lower(decoder(standard), "network").fingerprint


def test_by_one_is_no_layer() -> None:
    def between(builder: GraphBuilder) -> None:
        builder.node("Resize", builder.constant([]), [1, 1, 1, 1], mode="nearest", **HALF)

    assert not any(isinstance(layer, Upsample) for layer in check_file(decoder(between)).layers)


@pytest.mark.parametrize(
    ("scales", "options", "message"),
    [
        ([1, 1, 1.5, 2], HALF, "it does not repeat each activation a whole number of times"),
        ([1, 1, 0.5, 0.5], HALF, "it does not repeat each activation a whole number of times"),
        ([1, 2, 2, 2], ASYMMETRIC, "it does not repeat each activation a whole number of times"),
        ([1, 1, 2, 2], {**ASYMMETRIC, "nearest_mode": "ceil"}, "it does not repeat each activation a whole number"),
        ([1, 1, 2, 2], {"mode": "linear"}, "mode linear computes values between activations: take mode nearest"),
        ([2, 1, 2, 2], ASYMMETRIC, "it must keep the batch axis"),
    ],
)
def test_what_is_refused(scales: list[float], options: dict[str, Any], message: str) -> None:
    def between(builder: GraphBuilder) -> None:
        builder.node("Resize", builder.constant([]), scales, **{"mode": "nearest", **options})

    with pytest.raises(ModelError, match=message):
        lower(decoder(between), "network")


def test_in_front_of_the_first_product() -> None:
    builder = GraphBuilder([1, 2, 4, 4])
    builder.quant(2**-4, 4, signed=0)
    builder.node("Resize", builder.constant([]), [1, 1, 2, 2], mode="nearest", **ASYMMETRIC)
    conv(builder, 3, 2)
    with pytest.raises(ModelError, match="give images of the larger size"):
        lower(builder.model(), "network")


def test_the_operator_by_plain_loops() -> None:
    layer, stream = Upsample("up", (2, 3)), np.random.default_rng(0).integers(-5, 5, (2, 3, 4, 5)).astype(np.int32)
    made = layer.output(stream)
    assert made.shape == (2, *layer.output_shape((3, 4, 5))) == (2, 3, 8, 15)
    assert all(made[n, c, y, x] == stream[n, c, y // 2, x // 3] for n, c, y, x in np.ndindex(made.shape))
    assert layer.output_levels(Levels(0, 1, 4)) == Levels(0, 1, 4)
    with pytest.raises(ModelError, match="up: expected factors above 0, one of them above 1, got \\[1, 1\\]"):
        Upsample("up", (1, 1))
