"""Thresholds against an exhaustive run of the float chain, and corner cases of the search."""

from __future__ import annotations

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.engines.reference import execute
from fat_fpga.network import Levels, MatrixVectorUnit
from fat_fpga.network.lowering.walk import lower
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)


def pixel_by_pixel(builder: GraphBuilder, activation: str, step: float = 1.0) -> None:
    """Compare the first layer's activations for each of the 256 pixel values."""
    model = ModelWrapper(builder.model()).transform(InferShapes())
    network = lower(model.model, "probe")
    assert network.canonical.fingerprint == network.fingerprint
    pixels = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1, 1)
    tensors = execute_onnx(model, {"image": pixels.astype(np.float32)}, return_full_exec_context=True)
    assert np.array_equal(tensors[activation], execute(network, pixels)[network.layers[0].name] * step)


def probe() -> GraphBuilder:
    """One raw pixel, weighted by -3 to 3 into seven channels."""
    builder = GraphBuilder([256, 1, 1, 1], "UINT8")
    builder.node("Conv", np.arange(-3.0, 4).reshape(7, 1, 1, 1))
    return builder


def finish(builder: GraphBuilder) -> tuple[GraphBuilder, str]:
    activation = builder.tensor
    builder.node("Flatten", axis=1)
    builder.node("MatMul", np.ones((7, 2)))
    return builder, activation


@pytest.mark.parametrize("mode", ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"])
def test_every_rounding_mode_ties_included(mode: str) -> None:
    builder = probe()
    builder.node("Mul", 1 / 32)
    builder.quant(1.0, 4, narrow=1, mode=mode)
    pixel_by_pixel(*finish(builder))


@pytest.mark.parametrize("gamma", [1.0, -1.0, 0.0])
def test_sign_of_gamma(gamma: float) -> None:
    builder = probe()
    mean, variance = RNG.normal(0, 100, 7), RNG.uniform(1e3, 1e5, 7)
    builder.node("BatchNormalization", np.full(7, gamma), RNG.normal(0, 0.3, 7), mean, variance)
    builder.quant(0.25, 3)
    pixel_by_pixel(*finish(builder), step=0.25)


def test_multi_threshold_with_unordered_rows_and_scaling() -> None:
    builder = probe()
    thresholds = RNG.normal(0, 200, (7, 6))
    builder.node("MultiThreshold", thresholds, out_dtype="INT4", out_scale=2.0, out_bias=-7.0, data_layout="NCHW")
    pixel_by_pixel(*finish(builder))


def test_zero_point_and_two_quantisers_in_a_row() -> None:
    builder = probe()
    builder.node("Quant", 4.0, 0.0, 16.0, signed=1, narrow=0, rounding_mode="ROUND")
    builder.node("Relu")
    builder.node("Quant", 64.0, 3.0, 4.0, signed=0, narrow=0, rounding_mode="ROUND")
    builder.node("Mul", 1 / 64)
    model, activation = finish(builder)
    pixel_by_pixel(model, activation)
    assert lower(model.model(), "probe").units[0].levels == Levels(-3, 1, 16)


@pytest.mark.parametrize(("scale", "bias"), [(0.25, -0.5), (0.5, -0.25), (3.0, -3.0)])
def test_output_scale_of_multi_threshold(scale: float, bias: float) -> None:
    builder = probe()
    builder.node("MultiThreshold", np.array([[-5.0, 0.5, 100]]), out_dtype="INT4", out_scale=scale, out_bias=bias)
    levels = lower(finish(builder)[0].model(), "probe").units[0].levels
    assert levels == {0.25: Levels(-2, 1, 4), 0.5: Levels(-1, 2, 4), 3.0: Levels(-3, 3, 4)}[scale]


def test_negated_rows_widen_the_datatype_only_where_they_must() -> None:
    for weights, datatype in ((np.array([[-2.0, 1], [1, 0]]), "INT3"), (np.array([[-1.0, 1], [1, 0]]), "INT2")):
        builder = GraphBuilder([1, 2, 1, 1], "UINT8")
        builder.node("Conv", builder.quant(1.0, 2, first=weights.reshape(2, 2, 1, 1)))
        builder.node("Mul", -1.0)
        builder.node("BipolarQuant", 1.0)
        builder.node("Flatten", axis=1)
        builder.node("MatMul", builder.node("BipolarQuant", 1.0, first=np.ones((2, 2))))
        first, last = lower(builder.model(), "negated").units
        assert first.weight_type == datatype
        assert np.array_equal(first.weights[:, :, 0, 0], -weights)
        assert last.weight_type == "BIPOLAR"


def test_accumulators_too_many_to_visit_them_all() -> None:
    inputs, channels = 4000, 24
    builder = GraphBuilder([1, inputs], "UINT8")
    weights = RNG.integers(-8, 8, (inputs, channels)).astype(float)
    builder.node("MatMul", weights)
    limits = np.sort(RNG.normal(0, 1e5, (channels, 15)), axis=1)
    builder.node("MultiThreshold", limits, out_dtype="UINT4", data_layout="NC")
    builder.node("MatMul", np.ones((channels, 2)))
    unit = lower(builder.model(), "wide").layers[0]
    assert isinstance(unit, MatrixVectorUnit)
    assert unit.thresholds is not None
    assert np.array_equal(unit.thresholds, np.ceil(limits.astype(np.float32)))
