"""The integers that constants are made of: exact, through the arithmetic of exporters, never nearly."""

from __future__ import annotations

import re

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.extract_quant_scale_zeropt import ExtractQuantScaleZeroPt
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network.layers import Scores
from fat_fpga.network.lowering.constants import whole
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_qonnx import check_scores
from tests.designs.float_graph import GraphBuilder, random_float_graph

RNG = np.random.default_rng(0)
INPUTS = 64


def two_layers(scale: float, shift: float = 0.0, divisor: float = 128) -> GraphBuilder:
    """Two fully connected layers whose weights have a small scale, as those of wide layers."""
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / divisor, 8)
    builder.node("MatMul", builder.quant(scale, 4, first=RNG.normal(0, 3 * scale, (INPUTS, 32))))
    builder.quant(4 * scale, 3)
    if shift:
        builder.node("Add", shift)
    builder.node("MatMul", builder.quant(scale, 4, first=RNG.normal(0, 3 * scale, (32, 3))))
    return builder


@pytest.mark.parametrize("scale", [2.0**-4, 2.0**-9, 0.0011, 3e-6])
def test_scales_that_qonnx_has_taken_out_of_the_quantisers(scale: float) -> None:
    model = two_layers(scale).model()
    expected = check_scores(model)
    wrapped = ModelWrapper(model, make_deepcopy=True).transform(InferShapes())
    extracted = wrapped.transform(ExtractQuantScaleZeroPt())
    assert {node.op_type for node in extracted.graph.node} >= {"Mul", "Div"}
    network = check_scores(extracted.model)
    for mine, other in zip(network.units, expected.units, strict=True):
        assert np.array_equal(mine.weights, other.weights)


@pytest.mark.parametrize(
    ("operator", "values", "integers"),
    [
        ("Mul", 0.003, lambda w: w),
        ("Div", 300.0, lambda w: w),
        ("Mul", -0.003, lambda w: -w),
        ("Add", 2.0, lambda w: w + 2),
        ("Sub", 1.0, lambda w: w - 1),
        ("Mul", np.array([0.5, 0.25, 0.0]), lambda w: w * [1, 1, 0]),
        ("Neg", None, lambda w: -w),
    ],
)
def test_arithmetic_on_quantised_weights(operator: str, values: object, integers: object) -> None:
    weights = RNG.integers(-7, 8, (INPUTS, 3))
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / 128, 8)
    quantised = builder.quant(1.0, 4, first=weights)
    builder.node("MatMul", builder.node(operator, *([] if values is None else [values]), first=quantised))
    if isinstance(values, np.ndarray):
        assert isinstance(lower(builder.model(), "network").layers[-1], Scores)  # a scale for each class
        builder.node("MultiThreshold", np.zeros((3, 1)), out_dtype="BINARY")
        builder.node("MatMul", np.eye(3))
    network = check_scores(builder.model())
    assert np.array_equal(network.units[0].weights[:, :, 0, 0].T, integers(weights))  # type: ignore[operator]


def test_a_quantiser_minus_integers_and_plain_integers_with_a_scale() -> None:
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / 128, 8)
    weights = RNG.integers(-3, 4, (INPUTS, 3))
    quantised = builder.quant(0.5, 4, first=weights * 0.5)
    builder.node("MatMul", builder.node("Sub", quantised, first=np.array(1.0)))
    assert np.array_equal(check_scores(builder.model()).units[0].weights[:, :, 0, 0].T, 2 - weights)
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / 128, 8)
    builder.node("MatMul", builder.node("Mul", 0.01, first=weights))
    assert np.array_equal(check_scores(builder.model()).units[0].weights[:, :, 0, 0].T, weights)


@pytest.mark.parametrize("weights", [RNG.normal(0, 0.003, (INPUTS, 3)), RNG.integers(-3, 4, (INPUTS, 3)) * 0.003])
def test_small_floats_are_not_taken_for_zeros(weights: np.ndarray) -> None:
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / 128, 8)
    builder.node("MatMul", weights, name="the_product")
    with pytest.raises(ModelError, match=r"'the_product' \(MatMul\): its weights '\w+' are not quantised"):
        lower(builder.model(), "network")


@pytest.mark.parametrize("shift", [0.009, 0.001, 1e-5])
def test_a_small_shift_of_activations_is_not_dropped(shift: float) -> None:
    with pytest.raises(ModelError, match=r"float activations reach it: .*\(Add\) adds what is no multiple of the step"):
        lower(two_layers(0.25, shift=shift).model(), "network")
    check_scores(two_layers(0.25, shift=2.0).model())


def test_whole_absorbs_the_rounding_of_float32_and_nothing_else() -> None:
    integers = np.arange(-70000, 70001)
    for scale in (0.1, 1 / 3, 1e-6, 255.0, 3e5):
        step = np.float32(scale)
        absorbed = whole(integers.astype(np.float32) * step, step)
        assert absorbed is not None
        assert np.array_equal(absorbed, integers)
    for value, result in ((1.00001, None), (0.99999, None), (1e-9, None), (0.0, 0), (5.0, 5), (np.nan, None)):
        found = whole(np.array([value]), 1.0)
        assert (None if found is None else int(found[0])) == result, value


@pytest.mark.parametrize(("dtype", "datatype"), [(np.int8, "INT8"), (np.float32, "INT3")])
def test_stored_integers_that_are_cast_and_scaled(dtype: type, datatype: str) -> None:
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / 128, 8)
    weights = builder.constant(RNG.integers(-4, 4, (INPUTS, 3)), dtype)
    scaled = builder.node("Mul", 0.01, first=builder.node("Cast", first=weights, to=1))
    builder.node("MatMul", scaled)
    assert check_scores(builder.model()).units[0].weight_type == datatype


def test_weights_that_are_all_zero_are_told() -> None:
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / 128, 8)
    builder.node("MatMul", builder.quant(1.0, 4, first=RNG.normal(0, 0.01, (INPUTS, 3))), name="the_product")
    builder.node("BipolarQuant", 1.0)
    builder.node("MatMul", np.eye(3))
    with pytest.warns(ModelWarning) as caught:
        lower(builder.model(), "network")
    assert [str(w.message) for w in caught] == ["node 'the_product' (MatMul): all its weights are 0"]


def test_a_bit_width_that_is_no_integer() -> None:
    builder = GraphBuilder([1, INPUTS])
    builder.quant(1 / 128, 8)
    builder.node("MatMul", builder.quant(1.0, 2.5, first=RNG.normal(0, 1, (INPUTS, 3))))  # type: ignore[arg-type]
    with pytest.raises(ModelError) as caught:
        lower(builder.model(), "network")
    assert re.search(r"\(Quant\): its zero point and bit width must be integers", str(caught.value))


@pytest.mark.parametrize("seed", range(10))
def test_random_networks_whose_scales_qonnx_has_taken_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_float_graph(lambda options: options[int(rng.integers(len(options)))], rng, exact=bool(seed % 2))
    wrapped = ModelWrapper(graph.model, make_deepcopy=True).transform(InferShapes())
    extracted = wrapped.transform(ExtractQuantScaleZeroPt()).model
    assert lower(extracted, "network").fingerprint == lower(graph.model, "network").fingerprint
