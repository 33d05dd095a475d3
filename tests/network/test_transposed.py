"""Transposed convolutions: as qonnx executes them, by plain loops, under faults, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.errors import ModelError, ModelWarning, PlanError
from fat_fpga.hardening.costs.streams import stream_types
from fat_fpga.network import Levels, Network, load_network, write_qonnx
from fat_fpga.network.layers import MatrixVectorUnit, Select, ZeroInsertion
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder
from tests.designs.random_network import random_images


def decoder(
    kernel: tuple[int, int] = (3, 2), groups: int = 1, bias: bool = False, each: bool = False, quantiser: str = "Quant",
    shape: tuple[int, int] = (3, 4), seed: int = 0, **options: Any,
) -> onnx.ModelProto:  # fmt: skip
    """Convolution, quantiser, transposed convolution of 4 channels to 6, quantiser, scores."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder([1, 2, *shape])
    builder.quant(2**-4, 4, signed=0)
    weights = builder.quant(0.25, 3, first=rng.normal(0, 0.5, (4, 2, 1, 1)))
    builder.node("Conv", weights, kernel_shape=[1, 1])
    builder.node("BipolarQuant", 1.0) if quantiser == "BipolarQuant" else builder.quant(0.5, 3)
    floats, outputs = rng.normal(0, 0.5, (4, 6 // groups, *kernel)), 6
    scale = rng.choice([0.25, 0.5], (1, 6 // groups, 1, 1)) if each else 0.25
    weights = builder.quant(scale, 4, first=floats)
    more = [rng.normal(0, 1, outputs)] if bias else []
    builder.node("ConvTranspose", weights, *more, kernel_shape=kernel, group=groups, **options)
    builder.node("BatchNormalization", rng.choice([-1.0, 0.7, 2.0], 6), rng.normal(0, 1, 6), np.zeros(6), np.ones(6))
    builder.quant(0.5, 3)
    weights = builder.quant(0.25, 3, first=rng.normal(0, 0.5, (3, 6, 1, 1)))
    builder.node("Conv", weights, kernel_shape=[1, 1])
    builder.quant(1.0, 4)
    builder.node("GlobalAveragePool")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (3, 4))))
    return builder.model()


@pytest.mark.parametrize(
    "options",
    [
        {"strides": [2, 2]},
        {"strides": [2, 3], "pads": [1, 0, 0, 1]},
        {"strides": [3, 1], "output_padding": [2, 0], "pads": [2, 1, 1, 0]},
        {"strides": [2, 2], "dilations": [2, 1], "pads": [1, 1, 1, 1]},
        {"pads": [1, 0, 1, 1]},
        {"kernel": (1, 2), "strides": [2, 2], "pads": [2, 1, 1, 0]},
        {"kernel": (2, 2), "strides": [2, 2], "groups": 2, "bias": True},
        {"strides": [2, 2], "each": True, "bias": True},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        {"strides": [2, 2], "auto_pad": "VALID"},
        {"kernel": (1, 2), "strides": [3, 2], "auto_pad": "SAME_UPPER"},
        {"kernel": (2, 3), "strides": [3, 2], "auto_pad": "SAME_LOWER"},
        {"strides": [2, 2], "output_shape": [6, 7]},
        {"strides": [2, 2], "output_shape": [5, 8], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "quantiser": "BipolarQuant"},
        {"strides": [4, 4], "kernel": (2, 3)},
        {"strides": [3, 2], "shape": (1, 4)},
        {"strides": [3, 2], "shape": (1, 1)},
    ],
    ids=str,
)
def test_as_qonnx_executes_it(options: dict[str, Any]) -> None:
    network = check_file(decoder(**options))
    spread = [layer for layer in network.layers if isinstance(layer, ZeroInsertion)]
    strides, sizes = options.get("strides", (1, 1)), options.get("shape", (3, 4))
    wanted = [stride if size > 1 else 1 for stride, size in zip(strides, sizes, strict=True)]
    assert [layer.stride for layer in spread] == ([] if wanted == [1, 1] else [tuple(wanted)])
    if spread:
        assert spread[0].name == "conv0.zeros"


def model_output_size(model: onnx.ModelProto) -> list[int]:
    """Rows and columns behind the transposed convolution, by the formula of ONNX."""
    (node,) = (node for node in model.graph.node if node.op_type == "ConvTranspose")
    options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    sizes = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][2:]
    return [
        options["strides"][at] * (sizes[at] - 1) + options["output_padding"][at] + 1 - options["pads"][at]
        + (options["kernel_shape"][at] - 1) * options["dilations"][at] - options["pads"][at + 2]
        for at in (0, 1)
    ]  # fmt: skip


@settings(max_examples=25)
@given(st.data())
def test_any_attributes(data: st.DataObject) -> None:
    def each(low: int, high: int, count: int = 2) -> list[int]:
        return data.draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    strides, dilations = each(1, 3), each(1, 2)
    more = [data.draw(st.integers(0, s - 1)) for s in strides]
    kernel = (data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4)))
    shape = (data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4)))
    model = decoder(
        kernel, groups=data.draw(st.sampled_from([1, 2])), seed=data.draw(st.integers(0, 99)), strides=strides,
        dilations=dilations, output_padding=more, pads=each(0, 2, 4), shape=shape,
        quantiser=data.draw(st.sampled_from(["Quant", "BipolarQuant"])),
    )  # fmt: skip
    if min(model_output_size(model)) > 0:
        check_file(model, images=2, told=False)
    else:
        with pytest.raises(ModelError, match="its pads leave nothing"):
            lower(model, "network")


def test_of_a_signal() -> None:
    builder = GraphBuilder([1, 2, 5])
    builder.quant(2**-4, 4, signed=0)
    rng = np.random.default_rng(0)
    for operator, shape, options in (
        ("Conv", (3, 2, 1), {}),
        ("ConvTranspose", (3, 4, 3), {"strides": [2], "pads": [1, 0], "output_padding": [1]}),
    ):
        builder.node(operator, builder.quant(0.25, 3, first=rng.normal(0, 0.5, shape)), **options)
        builder.quant(0.125, 4)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (44, 3))))
    network = check_file(builder.model())
    assert network.shape_of["conv1"] == (4, 1, 11)


def test_behind_the_image_itself() -> None:
    builder, rng = GraphBuilder([1, 2, 3, 3]), np.random.default_rng(0)
    builder.quant(2**-4, 4, signed=0)
    builder.node("ConvTranspose", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (2, 4, 3, 3))), strides=[2, 2])
    builder.quant(0.5, 3)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (196, 3))))
    network = check_file(builder.model())
    assert [layer.name for layer in network.layers] == ["input.zeros", "conv0", "fc1"]
    images, labels = random_images(network, 3), np.zeros(3, np.int64)
    engines = {name: get(name) for name in ("reference", "torch", "qonnx")}
    check = crosscheck(network, images, sample_faults(network, KINDS, 6, 3, 0), engines)
    assert check.equal, crosscheck_text(check)
    with pytest.warns(ModelWarning, match=r"input.zeros: the native engine has no ZeroInsertion yet: the torch engine"):
        assert get("native").open(network).run(images, labels, []).golden.shape == (3,)


def test_the_hardware_layer_of_finn() -> None:
    """Zeros between the pixels, and a convolution: what FINN makes of a transposed one."""

    def graph(hardware: bool) -> onnx.ModelProto:
        rng = np.random.default_rng(0)
        builder = GraphBuilder([1, 2, 3, 4])
        builder.quant(2**-4, 4, signed=0)
        builder.node("Conv", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (3, 2, 1, 1))))
        builder.quant(1.0, 4)
        weights = np.rint(rng.normal(0, 2, (3, 4, 3, 3)))
        if hardware:
            builder.node("Transpose", perm=[0, 2, 3, 1])
            sizes = {"ImgDim": [3, 4], "Stride": [2, 3], "NumChannels": 3, "inputDataType": "INT4"}
            builder.node("FMPadding_Pixel_hls", **sizes)
            builder.nodes[-1].domain = "finn.custom_op.fpgadataflow.hls"
            builder.node("Transpose", perm=[0, 3, 1, 2])
            turned = np.ascontiguousarray(np.flip(weights.swapaxes(0, 1), (2, 3)))
            builder.node("Conv", builder.constant(turned), pads=[2, 2, 2, 2])
        else:
            builder.node("ConvTranspose", builder.constant(weights), strides=[2, 3])
        builder.quant(2.0, 3)
        builder.node("Flatten", axis=1)
        builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (4 * 7 * 12, 3))))
        return builder.model()

    found = lower(graph(hardware=True), "network")
    assert found.fingerprint == lower(graph(hardware=False), "network").fingerprint
    assert isinstance(found.layers[1], ZeroInsertion)


def test_a_pad_in_front() -> None:
    builder, rng = GraphBuilder([1, 2, 3, 3]), np.random.default_rng(0)
    builder.quant(2**-4, 4, signed=0)
    builder.node("Conv", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (3, 2, 1, 1))))
    builder.quant(0.125, 4)
    builder.node("Pad", builder.constant([0, 0, 1, 0, 0, 0, 0, 2], np.int64))
    builder.node("ConvTranspose", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (3, 4, 3, 3))), strides=[2, 2])
    builder.quant(0.125, 4)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (4 * 9 * 11, 3))))
    check_file(builder.model())


def test_the_weights_of_the_unit_are_those_of_the_file(tmp_path: Path) -> None:
    """A fault in each part of the network, in the file itself: each weight is at its place, turned round."""
    for groups, strides in ((1, [2, 2]), (2, [3, 2])):
        path = tmp_path / f"decoder{groups}.onnx"
        onnx.save(decoder((3, 2), groups, strides=strides), path)
        engine = FileEngine(path)
        network = engine.network
        images = random_images(network, 2)
        check = crosscheck(
            network, images, sample_faults(network, KINDS, 12, 2, 0), {"reference": get("reference"), "file": engine}
        )
        assert check.equal, crosscheck_text(check)


def test_written_and_read_again(tmp_path: Path) -> None:
    for options in ({"strides": [2, 2]}, {"kernel": (1, 2), "strides": [2, 2], "pads": [2, 1, 1, 0]}):
        network = lower(decoder(**options), "network")
        write_qonnx(network, tmp_path / "network.onnx")
        assert load_network(tmp_path / "network.onnx").fingerprint == network.fingerprint


def test_the_operator_by_plain_loops() -> None:
    layer, stream = ZeroInsertion("z", (2, 3)), np.random.default_rng(0).integers(1, 5, (2, 3, 4, 5)).astype(np.int32)
    made = layer.output(stream)
    assert made.shape[1:] == layer.output_shape((3, 4, 5)) == (3, 7, 13)
    for n, c, y, x in np.ndindex(made.shape):
        assert made[n, c, y, x] == (0 if y % 2 or x % 3 else stream[n, c, y // 2, x // 3])
    for before, behind in (
        (Levels(-1, 2, 2), Levels(-1, 1, 3)),
        (Levels(-2, 1, 4), Levels(-2, 1, 4)),
        (Levels(4, 2, 3), Levels(0, 2, 5)),
        (Levels(-9, 3, 2), Levels(-9, 3, 4)),
    ):
        assert layer.output_levels(before) == behind
    with pytest.raises(ModelError, match=r"z: expected strides above 0, one of them above 1, got \[1, 1\]"):
        ZeroInsertion("z", (1, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strides": [2, 2], "output_padding": [2, 0]}, "its output_padding 2 must be below its stride 2"),
        ({"strides": [2, 2], "output_padding": [1]}, r"expected 2 numbers of its attribute output_padding, got \[1\]"),
        ({"strides": [2, 2], "output_shape": [20, 9]}, "its output_shape 20 is larger than the 7 that its windows"),
        ({"strides": [2, 2], "pads": [1, 1]}, r"expected 4 pads, got \[1, 1\]"),
        ({"strides": [2, 2], "pads": [-1, 0, 0, 0]}, "negative pads are not supported"),
        ({"strides": [2, 2], "pads": [3, 0, 4, 0]}, "its pads leave nothing of an input"),
        ({"strides": [4000, 4000]}, r"with zeros its input is \[4, 8005, 12003\], expected at most 16,777,216 values"),
        ({"strides": [0, 2]}, r"expected strides above 0, got \[0, 2\]"),
        ({"strides": [2, 2], "auto_pad": "ALL"}, "unknown auto_pad ALL"),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        lower(decoder(**options), "network")


def test_weights_of_several_scales_within_a_channel() -> None:
    model = decoder(strides=[2, 2])
    builder = GraphBuilder([1, 4, 3, 3])
    builder.quant(2**-4, 4, signed=0)
    scale = np.array([0.25, 0.5, 0.25, 0.25]).reshape(4, 1, 1, 1)
    builder.node("ConvTranspose", builder.quant(scale, 3, first=np.ones((4, 2, 2, 2))), strides=[2, 2])
    builder.quant(0.5, 3)
    with pytest.raises(ModelError, match="the same within an output channel"):
        lower(builder.model(), "network")
    assert isinstance(lower(model, "network"), Network)


def test_rooms_that_hold_less_refuse_by_name() -> None:
    network = lower(decoder(strides=[2, 2]), "network")
    with pytest.raises(PlanError, match=r"conv0.zeros: .* has no ZeroInsertion yet"):
        stream_types(network)


def test_kinds_of_layers() -> None:
    kinds = [type(layer) for layer in lower(decoder(kernel=(1, 2), strides=[2, 2], pads=[2, 1, 1, 0]), "n").layers]
    assert kinds[:4] == [MatrixVectorUnit, ZeroInsertion, Select, MatrixVectorUnit]
