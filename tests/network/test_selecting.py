"""Nodes that select values: upsampling, slices, splits, shuffled channels, in every form of file, as qonnx does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import helper

from fat_fpga.errors import ModelError
from fat_fpga.network import Levels
from fat_fpga.network.layers import Select, Upsample
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
HALF = {"coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_floor"}


def conv(builder: GraphBuilder, outputs: int, inputs: int, **options: Any) -> None:
    floats = np.random.default_rng(outputs).normal(0, 0.5, (outputs, inputs, 3, 3))
    builder.node("Conv", builder.quant(0.25, 3, first=floats), kernel_shape=[3, 3], **options)


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
    conv(builder, 4, 3, pads=[1, 1, 1, 1])
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
        ([1, 1, 2, 2], {"mode": "linear"}, "mode linear computes values between activations: take mode nearest"),
        ([2, 1, 2, 2], ASYMMETRIC, "it must keep the batch axis"),
        ([1, 1, 2, 2], {"mode": "cubic"}, "mode cubic computes values between activations"),
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
    builder.quant(0.5, 3)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=np.random.default_rng(0).normal(0, 0.5, (108, 3))))
    assert [layer.name for layer in check_file(builder.model()).layers] == ["input.upsample", "conv0", "fc1"]


def test_the_operator_by_plain_loops() -> None:
    layer, stream = Upsample("up", (2, 3)), np.random.default_rng(0).integers(-5, 5, (2, 3, 4, 5)).astype(np.int32)
    made = layer.output(stream)
    assert made.shape == (2, *layer.output_shape((3, 4, 5))) == (2, 3, 8, 15)
    assert all(made[n, c, y, x] == stream[n, c, y // 2, x // 3] for n, c, y, x in np.ndindex(made.shape))
    assert layer.output_levels(Levels(0, 1, 4)) == Levels(0, 1, 4)
    with pytest.raises(ModelError, match="up: expected factors above 0, one of them above 1, got \\[1, 1\\]"):
        Upsample("up", (1, 1))


def ints(builder: GraphBuilder, *values: int) -> str:
    return builder.constant(values, np.int64)


def sliced(builder: GraphBuilder) -> None:
    bounds = [ints(builder, *values) for values in ((2, 1, -1), (-9, 3, -9), (1, 2, 3), (-1, 1, -2))]
    builder.node("Slice", *bounds)


def gathered(builder: GraphBuilder) -> None:
    builder.node("Gather", ints(builder, 2, 1, 0), axis=1)
    builder.node("Gather", ints(builder, 1), axis=2)
    builder.node("Gather", ints(builder, 3, 1), axis=-1)
    builder.node("Resize", builder.constant([]), [1, 1, 2, 1.0], mode="nearest", **ASYMMETRIC)
    builder.node("Resize", builder.constant([]), [1, 1, 2, 2.5], mode="nearest", **ASYMMETRIC)


def last(builder: GraphBuilder) -> None:
    builder.node("Transpose", perm=[0, 2, 3, 1])
    builder.node("Slice", ints(builder, 0, 1), ints(builder, 3, 3), ints(builder, 1, 2))
    builder.node("Gather", ints(builder, 1, 1, 2), axis=3)
    builder.node("Transpose", perm=[0, 3, 1, 2])


def smaller(builder: GraphBuilder) -> None:
    builder.node("Resize", builder.constant([]), [1, 1, 1.4, 0.75], mode="nearest", **HALF)


@pytest.mark.parametrize("before", [True, False], ids=["quantised", "floats"])
@pytest.mark.parametrize(
    ("between", "layers", "parts"),
    [
        (sliced, ["select"], ((2, 1, 0), (1, 2), (3, 1))),
        (gathered, ["select", "select2", "upsample", "select3"], ((2, 1, 0), (0, 1, 2), (0, 1, 2, 3))),
        (last, ["select"], ((1, 1, 2), (0, 1, 2), (1, 2))),
        (smaller, ["select"], ((0, 1, 2), (0, 1, 1, 2), (0, 1, 3))),
    ],
)
def test_parts(between: Any, layers: list[str], parts: tuple[tuple[int, ...], ...], before: bool) -> None:
    network = check_file(decoder(between, before))
    first, *_ = (layer for layer in network.layers if isinstance(layer, Select))
    assert first.parts == parts
    if before:
        assert [layer.name for layer in network.layers][1:-3] == [f"conv0.{word}" for word in layers]


@pytest.mark.parametrize("before", [True, False], ids=["quantised", "floats"])
def test_split_and_shuffle(before: bool) -> None:
    """Channels are split, each part goes its way, and both are put together, as in ShuffleNet."""

    def between(builder: GraphBuilder) -> None:
        sizes = ints(builder, 1, 2)
        builder.nodes.append(helper.make_node("Split", [builder.tensor, sizes], ["one", "two"], axis=1, name="Split"))
        builder.node("Relu", first="one")
        one = builder.quant(0.5, 2, signed=0, first=builder.nodes[-1].output[0])
        builder.tensor = builder.quant(0.5, 3, first="two")
        builder.node("Concat", one, axis=1)
        builder.node("Concat", builder.tensor, axis=1)
        builder.node("Reshape", ints(builder, 1, 2, 3, 3, 4))
        builder.node("Transpose", perm=[0, 2, 1, 3, 4])
        builder.node("Reshape", ints(builder, 1, 6, 3, 4))
        builder.node("Slice", ints(builder, 0), ints(builder, 3), ints(builder, 1))

    network = check_file(decoder(between, before))
    selects = [layer.channels for layer in network.layers if isinstance(layer, Select)]
    assert selects == [(0,), (1, 2), (0, 3, 1, 4, 2, 5), (0, 1, 2)]


@pytest.mark.parametrize(
    ("operator", "values", "options", "message"),
    [
        ("Gather", (0, 0), {"axis": 0}, "it must keep the batch axis, and each image by itself"),
        ("Gather", 1, {"axis": 2}, "it must keep all axes|each image by itself"),
        ("DepthToSpace", None, {"blocksize": 2}, "cannot be executed"),
    ],
)
def test_what_is_not_selected(operator: str, values: Any, options: dict[str, Any], message: str) -> None:
    def between(builder: GraphBuilder) -> None:
        builder.node(operator, *([] if values is None else [builder.constant(values, np.int64)]), **options)

    with pytest.raises(ModelError, match=message):
        lower(decoder(between), "network")


def test_parts_by_plain_loops() -> None:
    layer, stream = Select("s", (2, 0), (1, 1, 3), (4,)), np.random.default_rng(0).integers(-5, 5, (2, 3, 4, 5))
    made = layer.output(stream.astype(np.int32))
    assert made.shape[1:] == layer.output_shape((3, 4, 5)) == (2, 3, 1)
    for n, c, y, x in np.ndindex(made.shape):
        assert made[n, c, y, x] == stream[n, layer.channels[c], layer.rows[y], layer.columns[x]]
    with pytest.raises(ModelError, match=r"s: it selects up to \[2, 3, 4\], its input is \[2, 4, 5\]"):
        layer.output_shape((2, 4, 5))
    with pytest.raises(ModelError, match="s: it selects all of its input"):
        Select("s", (0, 1), (0,), (0,)).output_shape((2, 1, 1))
