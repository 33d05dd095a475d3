"""What is folded into a product, what its layers are called, and which tensors become words."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fat_fpga.errors import ModelError
from fat_fpga.fixed_point import Formats, QFormat, quantise
from fat_fpga.fixed_point.float_model import read_float_model
from fat_fpga.fixed_point.quantise import Quantised
from fat_fpga.network import load_network
from fat_fpga.network.layers import Requantise, Table
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(0, 0.5, (3, 2, 1, 1)).astype(np.float32)
BIAS = RNG.normal(0, 0.5, 3).astype(np.float32)
C = np.array([2.0, -0.5, 3.0], np.float32).reshape(3, 1, 1)


def start() -> GraphBuilder:
    builder = GraphBuilder([1, 2, 4, 4])
    builder.node("Conv", WEIGHTS, BIAS, name="first")
    return builder


def finished(builder: GraphBuilder) -> onnx.ModelProto:
    builder.node("Flatten", axis=1)
    builder.node("MatMul", RNG.normal(0, 0.5, (48, 2)), name="last")
    return builder.model()


FOLDED: list[tuple[str, Any, bool, Any, Any]] = [
    ("Mul", C, False, C, 0.0),
    ("Div", C, False, 1 / C, 0.0),
    ("Add", C, False, 1.0, C),
    ("Sub", C, False, 1.0, -C),
    ("Sub", C, True, -1.0, C),
    ("Mul", np.float32(0.25), True, 0.25, 0.0),
]


@pytest.mark.parametrize(("operator", "value", "first", "factor", "offset"), FOLDED)
def test_what_is_linear_is_folded(operator: str, value: Any, first: bool, factor: Any, offset: Any) -> None:
    builder = start()
    tensor = builder.tensor
    builder.node(operator, *([tensor] if first else [value]), first=value if first else None)
    if first:
        builder.tensor = builder.nodes[-1].output[0]
    found = read_float_model(finished(builder), "net").products["first"]
    factor, offset = (np.broadcast_to(np.ravel(np.asarray(v, np.float64)), 3) for v in (factor, offset))
    assert np.allclose(found.weights, WEIGHTS * factor[:, None, None, None], rtol=1e-12)
    assert np.allclose(found.bias, BIAS * factor + offset, rtol=1e-12)


def test_what_differs_between_pixels_is_not_folded() -> None:
    builder = start()
    builder.node("Mul", np.ones((1, 1, 4, 4)), name="mask")
    found = read_float_model(finished(builder), "net")
    assert np.array_equal(found.products["first"].weights, WEIGHTS)


def test_what_two_nodes_read_is_not_folded() -> None:
    builder = start()
    fork = builder.tensor
    one = builder.node("Mul", 2.0, first=fork)
    builder.tensor = fork
    builder.node("Add", one, name="join")
    found = read_float_model(finished(builder), "net")
    assert np.array_equal(found.products["first"].weights, WEIGHTS)
    assert found.layers == ("input", "first", "Mul_1", "last")  # a function of one word, whose sum is no join


def test_layers_are_called_after_modules() -> None:
    builder = GraphBuilder([1, 2, 4, 4])
    builder.node("Conv", "block.0.conv.weight", name="/block/block.0/conv/Conv")
    builder.constants.append(numpy_helper.from_array(WEIGHTS, "block.0.conv.weight"))
    builder.node("Conv", np.ones((3, 3, 1, 1)), name="/block/block.1/Conv")
    builder.node("Conv", np.ones((3, 3, 1, 1)), name="again")
    builder.node("Conv", np.ones((3, 3, 1, 1)), name="again")
    model = read_float_model(finished(builder), "net")
    assert model.layers == ("input", "block.0.conv", "block.block.1", "again", "again.2", "last")


def words(builder: GraphBuilder) -> Quantised:
    return quantise(read_float_model(finished(builder), "net"), Formats(QFormat(2, 4), QFormat(3, 4)))


def test_a_function_of_one_word_is_a_table() -> None:
    """SiLU: the sums become a word, of which x * sigmoid(x) is a function, which becomes a word again."""
    builder = start()
    word = builder.tensor
    gate = builder.node("Sigmoid", first=word)
    builder.node("Mul", gate, name="silu")
    network = load_network(words(builder).model, "net", pixels="unit")
    assert [type(layer).__name__ for layer in network.layers] == ["MatrixVectorUnit", "Table", "MatrixVectorUnit"]
    table = next(layer for layer in network.layers if isinstance(layer, Table))
    x = np.arange(-64, 64, dtype=np.int32)
    real = x / np.float32(16)
    wanted = np.rint(16 * real / (1 + np.exp(-real.astype(np.float32))))
    assert np.array_equal(table.output(np.tile(x, (1, 3, 1))[..., None])[0, 0, :, 0], wanted)


def test_words_of_more_than_8_bits_are_fixed_point() -> None:
    builder = start()
    builder.node("Relu")
    found = quantise(read_float_model(finished(builder), "net"), Formats(QFormat(2, 4), QFormat(4, 6)))
    network = load_network(found.model, "net", pixels="unit")
    layer = next(layer for layer in network.layers if isinstance(layer, Requantise))
    assert (layer.shift, layer.rounding, layer.low, layer.high) == (4, "even", 0, 511)  # 4 + 6 bits to 6, of a ReLU
    assert np.array_equal(layer.factors, np.ones(3))
    assert np.array_equal(layer.offsets, np.rint(BIAS.astype(np.float64) * 2**10))


def test_biases_are_multiples_of_the_step_of_sums() -> None:
    builder = start()
    builder.node("Relu")
    model = words(builder).model
    bias = next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == "first.bias")
    assert np.array_equal(bias.astype(np.float64) * 2**8, np.rint(BIAS.astype(np.float64) * 2**8))


def test_rows_say_what_became_of_a_layer() -> None:
    builder = GraphBuilder([1, 2, 4, 4])
    builder.node("Conv", np.array([[0.5, -3.0], [0.25, 9.0]]).reshape(2, 2, 1, 1), name="first")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", np.ones((32, 2)), name="last")
    found = quantise(read_float_model(builder.model(), "net"), Formats(QFormat(2, 2), QFormat(3, 1)))
    first = found.rows[1]
    assert (first.name, str(first.weights), str(first.activations)) == ("first", "Q2.2", "Q3.1")
    assert (first.count, first.largest, first.clipped) == (4, 9.0, 2)
    assert first.sum_bits == (8 * (2 + 8)).bit_length() + 1  # words down to -8; 0.5 and -2 as integers are 2 and -8
    assert found.rows[2].activations is None


def test_sums_beyond_32_bits_are_refused() -> None:
    builder = start()
    builder.node("Conv", np.ones((3, 3, 1, 1)), name="wide")
    builder.node("Conv", 4.0 * np.ones((5, 3, 1, 1)), name="wider")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", np.ones((80, 2)), name="last")
    wide = Formats(QFormat(3, 13), QFormat(3, 13))
    with pytest.raises(
        ModelError, match=r"layer 'wider': sums of Q3.13 weights and Q3.13 activations reach 3,221,127,168"
    ):
        quantise(read_float_model(builder.model(), "net"), wide)


def test_a_quantised_network_is_refused() -> None:
    builder = start()
    builder.quant(0.25, 8)
    with pytest.raises(ModelError, match=r"net: node 'Quant_1' \(Quant\): the network is quantised already"):
        read_float_model(finished(builder), "net")


def test_concatenations_need_one_format() -> None:
    builder = start()
    builder.node("Relu")
    left = builder.tensor
    builder.node("Conv", np.ones((3, 3, 1, 1)), name="branch")
    builder.node("Concat", left, axis=1, name="cat")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", np.ones((96, 2)), name="last")
    model = read_float_model(builder.model(), "net")
    formats = Formats(QFormat(2, 4), QFormat(3, 4))
    assert load_network(quantise(model, formats).model, "net", pixels="unit").classes == 2
    with pytest.raises(
        ModelError, match=r"node 'cat' \(Concat\) joins words of .*: give the layers in front of it one"
    ):
        quantise(model, formats.changed("branch", None, QFormat(4, 3)))
