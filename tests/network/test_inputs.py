"""How pixels enter a file: raw or in [0, 1], as images or flat, in either order of axes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network import InputQuantiser, Network
from fat_fpga.network.layers import IntArray
from fat_fpga.network.lowering.pixels import Normalise
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)
PIXELS = np.arange(256)


def dense(builder: GraphBuilder, inputs: int, outputs: int = 3) -> GraphBuilder:
    builder.node("MatMul", builder.node("BipolarQuant", 1.0, first=RNG.normal(0, 1, (inputs, outputs))))
    return builder


def table_of(network: Network) -> IntArray:
    """What the first layer sees for each pixel."""
    assert isinstance(network.input, InputQuantiser)
    return network.input.table


def test_raw_pixels_without_a_quantiser_are_the_identity() -> None:
    network = lower(dense(GraphBuilder([1, 12], "UINT8"), 12).model(), "raw")
    assert network.input.shape == (12, 1, 1)
    assert np.array_equal(table_of(network), np.tile(PIXELS, (12, 1)))
    assert network.input.scale == 1


def test_pixels_divided_in_the_file_equal_pixels_divided_before() -> None:
    tables = []
    for datatype, divide in (("UINT8", True), (None, False)):
        builder = GraphBuilder([1, 12], datatype)
        if divide:
            builder.node("Div", 255.0)
        builder.node("Mul", 2.0)
        builder.node("Sub", 1.0)
        builder.quant(2.0**-7, 8)
        tables.append(table_of(lower(dense(builder, 12).model(), "scaled")))
    assert np.array_equal(tables[0], tables[1])
    assert np.array_equal(tables[0][0], np.clip(np.rint((PIXELS / 255 * 2 - 1) * 128), -128, 127))


def test_the_pixels_argument_overrides_the_annotation() -> None:
    builder = GraphBuilder([1, 12], "UINT8")
    builder.quant(1 / 64, 7, signed=0)
    model = dense(builder, 12).model()
    with pytest.warns(ModelWarning, match="raw pixels 0..255 reach only 3 of the 128 levels"):
        assert table_of(lower(model, "raw"))[0, 5] == 127
    assert table_of(lower(model, "unit", "unit"))[0, 255] == 64


def test_unquantised_floats_in_front_of_the_first_layer() -> None:
    network = lower(dense(GraphBuilder([1, 12]), 12).model(), "unit")
    assert np.array_equal(table_of(network)[0], PIXELS)
    assert network.input.scale == pytest.approx(1 / 255)
    builder = GraphBuilder([1, 12])
    builder.node("Sub", 0.1234)
    with pytest.raises(ModelError, match=r"\(MatMul\): float activations reach it"):
        lower(dense(builder, 12).model(), "shifted")


def test_every_channel_has_its_own_table() -> None:
    builder = GraphBuilder([1, 3, 4, 4])
    builder.node("Sub", np.array([0.5, 0.25, 0.0]).reshape(1, 3, 1, 1))
    builder.quant(1 / 64, 8)
    builder.node("Flatten", axis=1)
    table = table_of(lower(dense(builder, 48).model(), "coloured"))
    assert [table[c, 0] for c in range(3)] == [-32, -16, 0]


@pytest.mark.parametrize("batch", [1, 4, "N"])
def test_flat_and_reshaped_inputs(batch: int | str) -> None:
    flat = GraphBuilder([batch, 784])
    flat.quant(1 / 128, 8)
    dense(flat, 784)
    assert lower(flat.model(), "flat").input.shape == (784, 1, 1)
    network = lower(flat.model(), "flat", image_shape=(1, 28, 28))
    assert network.input.shape == (1, 28, 28)
    assert network.units[0].weights.shape == (3, 1, 28, 28)
    with pytest.raises(ModelError, match=r"the file takes 784 values per image, and \[1, 32, 32\] are 1024"):
        lower(flat.model(), "flat", image_shape=(1, 32, 32))


@pytest.mark.parametrize("quantise_first", [False, True])
@pytest.mark.parametrize("batch", [1, 4, "N"])
def test_a_flat_input_that_is_reshaped_is_an_image(batch: int | str, quantise_first: bool) -> None:
    builder = GraphBuilder([batch, 784])
    if quantise_first:
        builder.quant(1 / 128, 8)
    builder.node("Reshape", builder.constant([1 if batch == "N" else batch, 1, 28, 28], np.int64))
    if not quantise_first:
        builder.quant(1 / 128, 8)
    builder.node("Conv", builder.node("BipolarQuant", 1.0, first=RNG.normal(0, 1, (2, 1, 28, 28))))
    builder.node("Flatten", axis=1)
    network = lower(builder.model(), "reshaped")
    assert network.input.shape == (1, 28, 28)
    assert [layer.name for layer in network.layers] == ["conv0"]


def test_channels_last_flattening_permutes_the_weights() -> None:
    weights = RNG.choice([-1.0, 1.0], (2 * 3 * 5, 4))
    networks = []
    for transposed in (False, True):
        builder = GraphBuilder([1, 2, 3, 5])
        builder.quant(1 / 128, 8)
        matrix = weights.reshape(2, 3, 5, 4)
        if transposed:
            builder.node("Transpose", perm=[0, 2, 3, 1])
            builder.node("Mul", np.array([1.0]))
            matrix = matrix.transpose(1, 2, 0, 3)
        builder.node("Flatten", axis=1)
        builder.node("MatMul", matrix.reshape(-1, 4))
        networks.append(lower(builder.model(), "order"))
    assert networks[0].fingerprint == networks[1].fingerprint
    assert np.array_equal(networks[0].units[0].weights, weights.T.reshape(4, 2, 3, 5))


def test_flattening_by_the_shape_of_the_tensor() -> None:
    fingerprints = []
    for by_shape in (False, True):
        builder = GraphBuilder(["N", 2, 3, 5])
        source = builder.tensor
        builder.quant(1 / 128, 8)
        if by_shape:
            shape = builder.node("Shape", first=source)
            batch = builder.node("Gather", builder.constant([0], np.int64), first=shape)
            target = builder.node("Concat", builder.constant([-1], np.int64), first=batch, axis=0)
            builder.node("Reshape", target)
        else:
            builder.node("Flatten", axis=1)
        builder.node("MatMul", np.sign(np.random.default_rng(0).normal(0, 1, (30, 3))))
        fingerprints.append(lower(builder.model(), "view").fingerprint)
    assert fingerprints[0] == fingerprints[1]


def test_importing_the_networks_loads_no_onnx() -> None:
    code = (
        "import sys, fat_fpga.network, fat_fpga.engines;"
        "sys.exit(any(m.split('.')[0] in ('onnx', 'onnxruntime', 'qonnx', 'torch') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("normalise", [((0.5,), (0.25,)), ((0.4, 0.5, 0.6), (0.2, 0.3, 0.1))])
def test_pixels_are_normalised_as_torchvision_does(normalise: Normalise) -> None:
    """The table is what the quantiser makes of (pixel / 255 - mean) / std, all in float32."""
    builder = GraphBuilder([1, 3, 4, 4])
    builder.quant(1 / 32, 8)
    builder.node("Flatten", axis=1)
    table = table_of(lower(dense(builder, 48).model(), "normal", normalise=normalise))
    for channel in range(3):
        mean, deviation = (np.float32(given[channel % len(given)]) for given in normalise)
        real = (PIXELS.astype(np.float32) / np.float32(255) - mean) / deviation
        assert np.array_equal(table[channel], np.clip(np.rint(real * np.float32(32)), -128, 127))
    assert len(np.unique(table[0])) > 100


@pytest.mark.parametrize(
    ("datatype", "pixels", "normalise", "words"),
    [
        (None, "raw", ((0.5,), (0.5,)), "--normalise is for pixels divided by 255: leave --pixels raw out"),
        (None, "none", ((0.5,), (0.5,)), "--normalise is for pixels divided by 255, and the file takes other data"),
        ("INT8", "auto", ((0.5,), (0.5,)), "--normalise is for pixels divided by 255, and the file takes other data"),
        (None, "unit", ((0.5, 0.5), (0.5,)), "--normalise: expected 1 or 12 means, one for each channel, got 2"),
        (None, "unit", ((0.5,), (0.0,)), "expected finite means, and standard deviations above 0"),
        (None, "unit", ((float("nan"),), (1.0,)), "expected finite means, and standard deviations above 0"),
        (None, "INT", None, "pixels 'INT': expected auto, raw, unit, none, or a QONNX datatype of integers"),
        ("FIXED<8,4>", "auto", None, r"annotated FIXED<8,4>: expected FLOAT32 or a datatype of integers, as INT8"),
        ("INT20", "auto", None, "float activations reach it.*the file's input is of real values"),
        (None, "none", None, "float activations reach it.*the file's input is of real values"),
    ],
)
def test_what_a_file_does_not_take(datatype: str | None, pixels: str, normalise: Normalise, words: str) -> None:
    builder = GraphBuilder([1, 12], datatype)
    with pytest.raises(ModelError, match=words):
        lower(dense(builder, 12).model(), "wrong", pixels, normalise=normalise)


def test_three_axes_are_signals_and_a_datatype_is_believed() -> None:
    builder = GraphBuilder([1, 2, 9])
    builder.quant(0.25, 4)
    builder.node("Flatten", axis=1)
    assert repr(lower(dense(builder, 18).model(), "signal").input) == (
        "<FeatureQuantiser: 2x1x9 real values to integers {-8..7}>"
    )
    for name, pixels in (("BIPOLAR", "auto"), (None, "BIPOLAR")):
        network = lower(dense(GraphBuilder([1, 12], name), 12).model(), "bits", pixels)
        assert repr(network.input) == "<IntegerInput: 12x1x1 integers BIPOLAR>"


def test_signs_that_become_bits() -> None:
    """-1 and +1 enter, and the file makes 0 and 1 of them: there is no integer between."""
    builder = GraphBuilder([1, 12], "BIPOLAR")
    builder.node("Add", 1.0)
    builder.node("Div", 2.0)
    dense(builder, 12, 6)
    builder.quant(1.0, 4)
    builder.node("MatMul", builder.node("BipolarQuant", 1.0, first=RNG.normal(0, 1, (6, 3))))
    network = check_file(builder.model(), images=8)
    assert network.levels_of["input"].values == range(0, 4, 2)


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_signs_that_are_turned(factor: float) -> None:
    """-1 and +1 enter, are shifted and multiplied, and become -1 and +1 again, or the other way round."""
    builder = GraphBuilder([1, 12], "BIPOLAR")
    builder.node("Sub", 0.125)
    builder.node("Mul", factor)
    builder.node("BipolarQuant", 1.0)
    dense(builder, 12, 6)
    builder.quant(1.0, 4)
    builder.node("MatMul", builder.node("BipolarQuant", 1.0, first=RNG.normal(0, 1, (6, 3))))
    network = check_file(builder.model(), images=8)
    both = np.array([[-1.0] * 12, [1.0] * 12], np.float32).reshape(2, *network.input.shape)
    assert np.array_equal(network.input.integers(both), np.sign(factor) * both)
