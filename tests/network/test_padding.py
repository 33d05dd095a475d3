"""A Pad of zeros in front of a convolution, and parameters for each pixel that are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_qonnx import check_scores
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)


def padded(
    pads: list[int], opset: int, *more: Any, operator: str = "Conv", own: int = 0, quantise: int = 2, **attributes: Any
) -> GraphBuilder:
    builder = GraphBuilder([1, 2, 5, 5])
    builder.quant(1 / 128, 8)
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 2, 3, 3))))
    if quantise == 1:
        builder.node("BipolarQuant", 1.0)
    else:
        builder.quant(0.5, quantise)
    if opset < 11:
        builder.node("Pad", name="culprit", pads=pads, **attributes)
    else:
        builder.node("Pad", builder.constant(pads, np.int64), *more, name="culprit", **attributes)
    builder.node("Identity")
    if operator == "Conv":
        weights = builder.quant(1.0, 3, first=RNG.normal(0, 1, (3, 4, 3, 3)))
        builder.node("Conv", weights, pads=[own] * 4)
        builder.quant(1.0, 3)
    else:
        builder.node(operator, name="follower")
    builder.node("Flatten", axis=1)
    size = (3 + pads[2] + pads[6] - 2 + 2 * own) * (3 + pads[3] + pads[7] - 2 + 2 * own) * 3
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (size, 4))))
    return builder


@pytest.mark.parametrize("opset", [9, 13])
@pytest.mark.parametrize("own", [0, 1])
@pytest.mark.parametrize("bits", [1, 3])
def test_zeros_around_the_input_of_a_convolution(opset: int, own: int, bits: int) -> None:
    builder = padded([0, 0, 1, 2, 0, 0, 0, 1], opset, own=own, quantise=bits)
    network = check_scores(builder.model(opset))
    assert network.units[1].padding == (1 + own, 2 + own, own, 1 + own)


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 5)])
@pytest.mark.parametrize("strides", [[1, 1], [2, 3]])
@pytest.mark.parametrize("side", [6, 7])
def test_padding_that_follows_from_the_sizes(mode: str, kernel: tuple[int, int], strides: list[int], side: int) -> None:
    builder = GraphBuilder([1, 2, side, side])
    builder.quant(1 / 128, 8)
    weights = builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 2, *kernel)))
    builder.node("Conv", weights, auto_pad=mode, strides=strides)
    builder.quant(1.0, 3)
    builder.node("Flatten", axis=1)
    grown = [n if mode != "VALID" else n - k + 1 for n, k in zip((side, side), kernel, strict=True)]
    size = int(np.prod([-(-n // s) for n, s in zip(grown, strides, strict=True)])) * 4
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (size, 4))))
    check_scores(builder.model())


def test_the_form_with_axes_and_a_value() -> None:
    builder = GraphBuilder([1, 2, 5, 5])
    builder.quant(1 / 128, 8)
    builder.node("Pad", builder.constant([1, 2], np.int64), 0.0, builder.constant([-1], np.int64), mode="constant")
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 2, 5, 8))))
    builder.node("Flatten", axis=1)
    assert check_scores(builder.model(18)).units[0].padding == (0, 1, 0, 2)


@pytest.mark.parametrize(
    ("arguments", "attributes", "reason"),
    [
        (([0, 0, 1, 1, 0, 0, 1, 1], 13, 1.0), {}, "expected zeros, got the value 1"),
        (([0, 0, 1, 1, 0, 0, 1, 1], 13), {"mode": "reflect"}, "expected zeros, got mode reflect"),
        (([0, 1, 1, 1, 0, 0, 1, 1], 13), {}, "expected zeros around height and width only"),
        (([0, 0, -1, 1, 0, 0, 1, 1], 13), {}, "expected zeros around height and width only"),
        (
            ([0, 0, 1, 1, 0, 0, 1, 1], 13),
            {"operator": "Relu"},
            "expected a convolution or a pool behind it, got node 'follower'",
        ),
    ],
)
def test_other_pads_are_refused(arguments: tuple[Any, ...], attributes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        lower(padded(*arguments, **attributes).model(13), "network")
    assert str(caught.value).startswith(f"node 'culprit' (Pad): {reason}")


def flat(rows: Any) -> GraphBuilder:
    """A flat image of 784 pixels, each with thresholds of its own."""
    builder = GraphBuilder([1, 784])
    builder.node("MultiThreshold", rows, name="culprit", out_dtype="UINT4")
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (784, 4))))
    return builder


@pytest.mark.parametrize("shape", [(1, 28, 28), (4, 14, 14), None])
def test_thresholds_for_each_pixel(shape: tuple[int, int, int] | None) -> None:
    rows = np.linspace(0.1, 0.9, 15)[None].repeat(784, axis=0)
    model = flat(rows).model()
    assert check_scores(model, image_shape=shape).input.shape == (shape or (784, 1, 1))
    rows[783] += 0.01
    model = flat(rows).model()
    assert check_scores(model, image_shape=shape).input.shape == (shape or (784, 1, 1))  # a table for each pixel


def conv_then(operator: str, *parameters: Any) -> GraphBuilder:
    builder = GraphBuilder([1, 2, 6, 6])
    builder.quant(1 / 128, 8)
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 2, 3, 3))))
    builder.node(operator, *parameters, name="culprit")
    builder.quant(0.5, 3)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (64, 4))))
    return builder


def test_a_pad_at_the_end() -> None:
    builder = GraphBuilder([1, 2, 5, 5])
    builder.quant(1 / 128, 8)
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 2, 5, 5))))
    builder.node("Pad", builder.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64), name="culprit")
    with pytest.raises(ModelError, match=r"'culprit' \(Pad\): expected a convolution or a pool behind it, got"):
        lower(builder.model(), "network")


def test_parameters_for_each_image_of_a_batch() -> None:
    values = RNG.uniform(0.2, 1, (2, 4, 1, 1))
    with pytest.raises(ModelError, match=r"'culprit' \(Mul\): its parameters differ between the images of a batch"):
        lower(conv_then("Mul", values).model(16), "network")


def test_a_bias_for_each_image_of_a_batch() -> None:
    def gemm(bias: np.ndarray) -> onnx.ModelProto:
        builder = GraphBuilder([2, 12])
        builder.quant(1 / 128, 8)
        builder.node("Gemm", builder.quant(1.0, 3, first=RNG.normal(0, 1, (12, 4))), bias, name="culprit")
        builder.quant(0.5, 3)
        builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 3))))
        return builder.model()

    bias = RNG.normal(0, 1, (2, 4))
    with pytest.raises(ModelError, match=r"'culprit' \(Gemm\): its bias differs between the images of a batch"):
        lower(gemm(bias), "network")
    bias[1] = bias[0]
    assert len(lower(gemm(bias), "network").units) == 2


@pytest.mark.parametrize("operator", ["Mul", "Add", "Max", "PRelu"])
def test_parameters_for_each_pixel_that_are_equal(operator: str) -> None:
    values = RNG.uniform(0.2, 1, (4, 1, 1)).repeat(4, 1).repeat(4, 2)
    check_scores(conv_then(operator, values).model(16))
    values[0, 3, 3] += 0.1
    with pytest.raises(ModelError, match=rf"'culprit' \({operator}\): its parameters differ between the pixels"):
        lower(conv_then(operator, values).model(16), "network")
