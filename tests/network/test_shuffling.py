"""Pixel shuffles: DepthToSpace, SpaceToDepth and what torch exports of them, as qonnx executes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.engines.reference import execute
from fat_fpga.errors import ModelError, ModelWarning, PlanError
from fat_fpga.hardening import rearranged
from fat_fpga.hardening.ties import ties
from fat_fpga.network import Levels, MatrixVectorUnit, load_network, write_qonnx
from fat_fpga.network.layers import Shuffle
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.shuffling import shuffle_of
from fat_fpga.network.lowering.walk import lower, lower_with_sites
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder
from tests.designs.random_network import random_images


def ints(builder: GraphBuilder, *values: int) -> str:
    return builder.constant(values, np.int64)


def conv(builder: GraphBuilder, outputs: int, inputs: int, seed: int = 0, first: str | None = None) -> str:
    floats = np.random.default_rng(seed).normal(0, 0.5, (outputs, inputs, 1, 1))
    weights = builder.quant(0.25, 3, first=floats)
    return builder.node("Conv", weights, first=first, kernel_shape=[1, 1])


def framed(between: Any, channels: int, quantised: bool = True, opset: int = 13) -> onnx.ModelProto:
    """Convolution to 8 channels of 4 x 6 pixels, quantiser, what is tried, convolution of ``channels``, scores."""
    builder = GraphBuilder([1, 2, 4, 6])
    builder.quant(2**-4, 4, signed=0)
    conv(builder, 8, 2)
    if quantised:
        builder.quant(0.125, 4)
    between(builder)
    if not quantised:
        builder.quant(0.125, 4)
    conv(builder, 3, channels, 1)
    builder.quant(0.5, 4)
    builder.node("GlobalAveragePool")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=np.random.default_rng(2).normal(0, 0.5, (3, 4))))
    return builder.model(opset)


def dcr(builder: GraphBuilder) -> None:
    builder.node("DepthToSpace", blocksize=2)


def crd(builder: GraphBuilder) -> None:
    builder.node("DepthToSpace", blocksize=2, mode="CRD")


def back(builder: GraphBuilder) -> None:
    builder.node("SpaceToDepth", blocksize=2)


def torch_shuffle(builder: GraphBuilder) -> None:
    builder.node("Reshape", ints(builder, 1, 2, 2, 2, 4, 6))
    builder.node("Transpose", perm=[0, 1, 4, 2, 5, 3])
    builder.node("Reshape", ints(builder, 1, 2, 8, 12))


def torch_unshuffle(builder: GraphBuilder) -> None:
    builder.node("Reshape", ints(builder, 1, 8, 2, 2, 3, 2))
    builder.node("Transpose", perm=[0, 1, 3, 5, 2, 4])
    builder.node("Reshape", ints(builder, 1, 32, 2, 3))


def turned(builder: GraphBuilder) -> None:
    builder.node("Transpose", perm=[0, 1, 3, 2])


def reshaped(builder: GraphBuilder) -> None:
    builder.node("Reshape", ints(builder, 1, 4, 8, 6))


SHUFFLES = {
    "dcr": (dcr, 2, (2, 8, 12)),
    "crd": (crd, 2, (2, 8, 12)),
    "back": (back, 32, (32, 2, 3)),
    "torch": (torch_shuffle, 2, (2, 8, 12)),
    "torch back": (torch_unshuffle, 32, (32, 2, 3)),
    "turned": (turned, 8, (8, 6, 4)),
    "reshaped": (reshaped, 4, (4, 8, 6)),
}


@pytest.mark.parametrize("quantised", [True, False], ids=["quantised", "floats"])
@pytest.mark.parametrize("name", SHUFFLES)
def test_as_qonnx_executes_it(name: str, quantised: bool) -> None:
    between, channels, shape = SHUFFLES[name]
    network = check_file(framed(between, channels, quantised))
    (layer,) = (layer for layer in network.layers if isinstance(layer, Shuffle))
    assert (layer.name, layer.shape) == ("conv0.shuffle", shape)


def test_one_shuffle_whatever_wrote_it() -> None:
    """torch's PixelShuffle has the order CRD, written as one operator or as three."""
    assert lower(framed(crd, 2), "n").fingerprint == lower(framed(torch_shuffle, 2), "n").fingerprint
    assert lower(framed(crd, 2), "n").fingerprint != lower(framed(dcr, 2), "n").fingerprint


@pytest.mark.parametrize("shuffle", [dcr, back])
@pytest.mark.parametrize("quantised", [True, False], ids=["quantised", "floats"])
def test_parameters_for_each_channel_behind_it(shuffle: Any, quantised: bool) -> None:
    """Behind a DepthToSpace one for several channels of the unit; behind a SpaceToDepth several for one of them."""
    channels = 2 if shuffle is dcr else 32

    def between(builder: GraphBuilder) -> None:
        rng = np.random.default_rng(0)
        shuffle(builder)
        norm = rng.choice([-1.0, 0.5, 2], channels), rng.normal(0, 1, channels), np.zeros(channels), np.ones(channels)
        builder.node("BatchNormalization", *norm)
        builder.quant(0.25, 3)

    names = [layer.name for layer in check_file(framed(between, channels, quantised)).layers]
    assert "conv0.shuffle" in names
    assert (names[2] == "conv0.table") == (shuffle is back), "else it is the unit's own"


def test_there_and_back_is_nothing() -> None:
    def between(builder: GraphBuilder) -> None:
        builder.node("DepthToSpace", blocksize=2)
        builder.node("SpaceToDepth", blocksize=2)

    assert not any(isinstance(layer, Shuffle) for layer in lower(framed(between, 8), "n").layers)


def test_pools_pads_sums_and_parts_behind_it() -> None:
    def between(builder: GraphBuilder) -> None:
        dcr(builder)
        both = builder.tensor
        builder.node("MaxPool", kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
        builder.node("Add", both)
        builder.node("Slice", ints(builder, 1), ints(builder, 7), ints(builder, 2))
        builder.quant(0.25, 4)
        back(builder)
        builder.node("Pad", ints(builder, 0, 0, 1, 0, 0, 0, 0, 1))

    network = check_file(framed(between, 8))
    words = [layer.name.split(".")[-1] for layer in network.layers]
    assert words.count("shuffle") == 2, "one in front of the two branches, one behind them"
    assert "select" in words


def test_flat_products_read_it_as_it_is() -> None:
    builder = GraphBuilder([1, 2, 4, 6])
    builder.quant(2**-4, 4, signed=0)
    conv(builder, 8, 2)
    builder.quant(0.125, 4)
    dcr(builder)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=np.random.default_rng(2).normal(0, 0.5, (192, 4))))
    assert [layer.name for layer in check_file(builder.model()).layers] == ["conv0", "fc1"]


def test_the_image_itself() -> None:
    """Pixels are taken in the order that the first product reads them in: no layer."""
    builder = GraphBuilder([1, 2, 4, 6])
    builder.quant(2**-4, 4, signed=0)
    back(builder)
    conv(builder, 4, 8)
    builder.quant(0.125, 4)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=np.random.default_rng(2).normal(0, 0.5, (24, 4))))
    network = check_file(builder.model())
    assert (network.input.shape, network.input.row_shape) == ((8, 2, 3), (2, 4, 6))
    assert not any(isinstance(layer, Shuffle) for layer in network.layers)


def test_values_in_the_order_of_the_file() -> None:
    """Super-resolution: the outputs are pixels, which a shuffle has made of channels."""
    builder = GraphBuilder([1, 2, 4, 6])
    builder.quant(2**-4, 4, signed=0)
    conv(builder, 8, 2)
    dcr(builder)
    network, sites = lower_with_sites(builder.model(), "network")
    assert [layer.name for layer in network.layers] == ["conv0", "conv0.shuffle"]
    assert network.shapes[-1] == (2, 8, 12)
    assert network.outputs is not None
    image = random_images(network, 1)
    real = execute_onnx(ModelWrapper(builder.model()).transform(InferShapes()), {"image": sites.image.values(image)})[
        builder.tensor
    ]
    assert np.array_equal(execute(network, image)[network.scores] * network.outputs.scales[0], real)


def test_faults_in_the_file_itself(tmp_path: Path) -> None:
    for number, (between, channels, _) in enumerate(SHUFFLES.values()):
        path = tmp_path / f"shuffle{number}.onnx"
        onnx.save(framed(between, channels), path)
        engine = FileEngine(path)
        images, faults = random_images(engine.network, 2), sample_faults(engine.network, KINDS, 4, 2, number)
        engines = {"reference": get("reference"), "file": engine, "torch": get("torch")}
        check = crosscheck(engine.network, images, faults, engines)
        assert check.equal, crosscheck_text(check)


def test_written_and_read_again(tmp_path: Path) -> None:
    for between, channels, _ in SHUFFLES.values():
        network = lower(framed(between, channels), "network")
        write_qonnx(network, tmp_path / "network.onnx")
        loaded = load_network(tmp_path / "network.onnx")
        assert loaded.fingerprint == network.fingerprint
        assert [layer.name for layer in loaded.layers] == [layer.name for layer in network.layers]


@given(st.data())
def test_any_transposition_is_found(data: st.DataObject) -> None:
    """Reshape, transpose, reshape: the layer that is found moves the values as these do."""
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    order = data.draw(st.permutations(range(len(sizes))))
    places = np.arange(np.prod(sizes)).reshape(sizes).transpose(order)
    channels = data.draw(st.sampled_from([n for n in range(1, places.size + 1) if places.size % n == 0]))
    pixels = places.size // channels
    height = data.draw(st.sampled_from([n for n in range(1, pixels + 1) if pixels % n == 0]))
    behind = (channels, height, pixels // height)
    front = (places.size, 1, 1)
    layout = Layout(front, places.reshape(behind))
    found = shuffle_of(layout, "s", "")
    if found is None:
        assert layout.is_image or layout.channels_last
        return
    layer, made = found
    stream = np.random.default_rng(0).integers(-9, 9, (2, *front)).astype(np.int32)
    expected = stream.reshape(2, *sizes).transpose(0, *(axis + 1 for axis in order)).reshape(2, *behind)
    assert np.array_equal(layer.output(stream), expected)
    assert layer.output_shape(front) == made.shape == behind


def test_moves_that_are_no_transposition() -> None:
    once = np.arange(6).reshape(2, 3).T.ravel().reshape(2, 3).T.ravel()
    assert shuffle_of(Layout((6, 1, 1), once.reshape(3, 2, 1)), "s", "") is None


def test_the_operator_by_plain_loops() -> None:
    layer = Shuffle("s", (2, 2, 5, 6), (2, 0, 3, 1), (1, 10, 12))
    stream = np.random.default_rng(0).integers(-5, 5, (2, 4, 5, 6)).astype(np.int32)
    made = layer.output(stream)
    assert made.shape[1:] == layer.output_shape((4, 5, 6)) == (1, 10, 12)
    for n, _, y, x in np.ndindex(made.shape):
        assert made[n, 0, y, x] == stream[n, 2 * (y % 2) + x % 2, y // 2, x // 2]
    assert layer.output_levels(Levels(0, 1, 4)) == Levels(0, 1, 4)


def test_one_fingerprint_for_one_function() -> None:
    """Axes of size 1, and those that stay beside each other, change nothing."""

    def hashed(sizes: tuple[int, ...], order: tuple[int, ...]) -> list[bytes]:
        return list(Shuffle("s", sizes, order, (6, 4, 1)).hashed())

    assert hashed((6, 4), (1, 0)) == hashed((2, 3, 4), (2, 0, 1)) == hashed((2, 3, 1, 2, 1, 2), (2, 3, 5, 0, 4, 1))
    assert hashed((6, 4), (1, 0)) != hashed((2, 3, 4), (2, 1, 0))
    assert hashed((2, 3, 4), (0, 1, 2)) == hashed((24,), (0,))


@pytest.mark.parametrize(
    ("sizes", "order", "shape", "message"),
    [
        ((2, 3), (0, 0), (2, 3, 1), r"s: .* each of their axes once, got \[2, 3\] and \[0, 0\]"),
        ((2, 0), (1, 0), (2, 3, 1), "s: expected sizes above 0"),
        ((2, 3), (1, 0), (2, 2, 1), r"s: axes of \[2, 3\] do not make a stream of \[2, 2, 1\]"),
        ((2, 3), (1, 0), (2, 3, 1), r"s: it makes \[2, 3, 1\] of its input \[4, 1, 1\]"),
        ((2, 2), (0, 1), (4, 1, 1), r"s: it leaves its input \[4, 1, 1\] as it is: leave it out"),
    ],
)  # fmt: skip
def test_what_does_not_fit(sizes: Any, order: Any, shape: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Shuffle("s", sizes, order, shape).output_shape((4, 1, 1))


def test_blocks_that_do_not_fit_are_refused() -> None:
    def between(builder: GraphBuilder) -> None:
        builder.node("DepthToSpace", blocksize=3)

    with pytest.raises(ModelError, match=r"DepthToSpace.*: cannot be executed"):
        lower(framed(between, 1), "network")


def test_rooms() -> None:
    """Its channels keep their order; native hands it over."""
    network = lower(framed(dcr, 2), "network")
    assert ties(network).fixed["conv0"] == "conv0"
    order = [1, 0, *range(2, 8)]
    with pytest.raises(PlanError, match=r"conv0.shuffle: .* have to stay in their order"):
        rearranged(network, "conv0", order, order)
    with pytest.warns(ModelWarning, match=r"conv0.shuffle: the native engine has no Shuffle yet: the torch engine"):
        get("native").open(network)
    unit = network.layers[2]
    assert isinstance(unit, MatrixVectorUnit)
    rearranged(network, unit.name, (1, 0, 2), (1, 0, 2))
