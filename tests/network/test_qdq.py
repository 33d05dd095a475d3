"""Files of QuantizeLinear, Clip and DequantizeLinear, as Brevitas and onnxruntime write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from fat_fpga.engines.reference import execute
from fat_fpga.errors import ModelError
from fat_fpga.network import Levels
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.against_qonnx import check_scores
from tests.designs.float_graph import GraphBuilder
from tests.designs.random_network import random_images

RNG = np.random.default_rng(0)
INPUTS, HIDDEN = 24, 12


class Pair(GraphBuilder):
    """Adds QuantizeLinear, Clip and DequantizeLinear in a row."""

    def pair(
        self,
        scale: Any,
        zero: int | None = 0,
        dtype: Any = np.int8,
        clip: tuple[int, int] | None = None,
        first: Any = None,
        **options: Any,
    ) -> str:
        """Quantise and dequantise; ``zero`` None leaves the zero point out (then uint8)."""
        sizes = np.asarray(scale, np.float32)
        zeros = [] if zero is None else [self.constant(np.full(sizes.shape, zero), dtype)]
        last = self.node("QuantizeLinear", self.constant(sizes), *zeros, first=first, **options)
        if clip:
            bounds = [self.constant(bound, dtype) for bound in clip]
            last = self.node("Clip", *bounds, first=None if first is None else last)
        return self.node(
            "DequantizeLinear", self.constant(sizes), *zeros, first=None if first is None else last, **options
        )

    def stored(self, weights: Any, scale: Any, zero: Any = 0, dtype: Any = np.int8, **options: Any) -> str:
        """Integer weights with a DequantizeLinear behind."""
        sizes = np.asarray(scale, np.float32)
        zeros = self.constant(np.broadcast_to(zero, sizes.shape), dtype)
        return self.node(
            "DequantizeLinear", self.constant(sizes), zeros, first=self.constant(weights, dtype), **options
        )


def start(shape: tuple[int, ...] = (1, INPUTS)) -> Pair:
    builder = Pair(shape)
    builder.pair(1 / 128)
    return builder


def finish(builder: Pair, opset: int = 13) -> onnx.ModelProto:
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (HIDDEN, 4)), 0.003))
    return builder.model(opset)


@pytest.mark.parametrize("zero", [0, 5, -128])
def test_activations_of_eight_bits(zero: int) -> None:
    builder = start()
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (INPUTS, HIDDEN)), 2.0**-7))
    builder.node("Relu")
    builder.pair(0.25, zero)
    network = check_scores(finish(builder))
    assert network.units[0].levels == Levels(-128 - zero, 1, 256)
    assert network.units[0].weight_type == "INT8"


def test_a_zero_point_that_is_left_out() -> None:
    builder = start()
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (INPUTS, HIDDEN)), 2.0**-7))
    builder.pair(0.25, None)
    assert check_scores(finish(builder)).units[0].levels == Levels(0, 1, 256)


@pytest.mark.parametrize(
    ("clip", "levels"), [((-2, 1), Levels(-2, 1, 4)), ((-3, 3), Levels(-3, 1, 7)), ((0, 5), Levels(0, 1, 6))]
)
def test_a_clip_between_cuts_the_levels(clip: tuple[int, int], levels: Levels) -> None:
    builder = start()
    floats = RNG.normal(0, 2, (INPUTS, HIDDEN))
    builder.node("MatMul", builder.pair(0.5, clip=(-4, 3), first=floats))
    builder.pair(0.5, clip=clip)
    network = check_scores(finish(builder))
    assert network.units[0].levels == levels
    assert network.units[0].weight_type == "INT3"


def test_ties_round_to_even_before_an_odd_zero_point_is_added() -> None:
    builder = Pair([1, INPUTS], "UINT8")
    builder.node("MatMul", np.eye(INPUTS, HIDDEN))
    builder.pair(2.0, 1)
    check_scores(finish(builder), raw=True)


def test_scales_of_weights_per_channel_and_zero_points() -> None:
    for axis, scales, zero in ((0, HIDDEN, 0), (0, HIDDEN, 3), (None, 1, -4)):
        builder = start((1, 2, 5, 5))
        scale = RNG.uniform(0.001, 0.01, scales) if axis is not None else np.float32(0.004)
        options = {} if axis is None else {"axis": axis}
        weights = RNG.integers(-100, 100, (HIDDEN, 2, 5, 5))
        builder.node("Conv", builder.stored(weights, scale, zero, **options))
        builder.pair(0.5)
        builder.node("Flatten", axis=1)
        network = check_scores(finish(builder))
        assert np.array_equal(network.units[0].weights, weights - zero)


def test_a_bias_of_stored_integers() -> None:
    builder = start((1, 2, 5, 5))
    bias = builder.stored(RNG.integers(-9000, 9000, HIDDEN), 2.0**-13, dtype=np.int32)
    builder.node("Conv", builder.stored(RNG.integers(-100, 100, (HIDDEN, 2, 5, 5)), 2.0**-6), bias)
    builder.pair(0.5)
    builder.node("MaxPool", kernel_shape=[1, 1])
    builder.pair(0.5)
    builder.node("Flatten", axis=1)
    check_scores(finish(builder))


def test_stored_pixels_at_the_input() -> None:
    builder = Pair([1, INPUTS])
    builder.inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, INPUTS])]
    builder.node("DequantizeLinear", builder.constant(1 / 64), builder.constant(128, np.uint8))
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (INPUTS, HIDDEN)), 2.0**-7))
    builder.pair(0.25)
    network = check_scores(finish(builder), raw=True)
    assert (network.input.min, network.input.max) == (-128, 127)


@pytest.mark.parametrize(("name", "low", "zero", "expected"), [("INT4", -8, 0, "INT4"), ("UINT4", 0, 8, "INT4")])
def test_stored_weights_of_four_bits(name: str, low: int, zero: int, expected: str) -> None:
    """As onnxruntime's quantisation stores them; qonnx does not execute these, onnxruntime does."""
    builder, kind = start(), TensorProto.DataType.Value(name)
    weights = RNG.integers(low, low + 16, (INPUTS, HIDDEN))
    builder.constants += [
        helper.make_tensor("weights", kind, weights.shape, weights.ravel().tolist()),
        helper.make_tensor("zero", kind, [], [zero]),
    ]
    builder.node("MatMul", builder.node("DequantizeLinear", builder.constant(0.25), "zero", first="weights"))
    builder.pair(0.25)
    model = finish(builder, 21)
    network = lower(model, "network")
    assert network.units[0].weight_type == expected
    images = random_images(network, 8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = execute(network, images)[network.units[-1].name]
    for image, scores in zip(images, found, strict=True):
        (right,) = session.run(None, {"image": image.reshape(1, -1).astype(np.float32) / np.float32(255)})
        assert np.allclose(right.ravel() / 0.00075, scores.ravel(), atol=0.01)


def test_what_is_refused() -> None:
    builder = start()
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (INPUTS, HIDDEN)), 2.0**-7))
    builder.pair(np.linspace(0.1, 1, HIDDEN), axis=1)
    with pytest.raises(ModelError, match=r"\(DequantizeLinear\) has a scale or zero point that differs between"):
        lower(finish(builder), "network")
    builder = start()
    builder.node("QLinearReduceMean", *[1.0] * 4)
    with pytest.raises(ModelError, match=r"\(QLinearReduceMean\): onnxruntime has no kernel .* ReduceMean between"):
        lower(builder.model(), "network")


@pytest.mark.parametrize("scale", [2.0**-10, 0.01])
def test_activations_of_16_bits(scale: float) -> None:
    builder = start()
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (INPUTS, HIDDEN)), 2.0**-7))
    builder.pair(scale, dtype=np.int16)
    network = check_file(finish(builder, 21))
    assert network.layers[1].type == ("requantise" if scale == 2.0**-10 else "table")


@pytest.mark.parametrize("per_channel", [False, True])
def test_an_export_of_brevitas(per_channel: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    from brevitas import nn as qnn
    from brevitas.export import export_onnx_qcdq

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
        qnn.QuantConv2d(
            1, 6, 3, bias=True, weight_bit_width=3, weight_scaling_per_output_channel=per_channel, padding=1
        ),
        torch.nn.BatchNorm2d(6),
        qnn.QuantReLU(bit_width=4, return_quant_tensor=True),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        qnn.QuantLinear(6 * 16, 5, bias=False, weight_bit_width=4),
    )
    model(torch.rand(16, 1, 8, 8))
    model.eval()
    path = tmp_path / "qcdq.onnx"
    export_onnx_qcdq(model, torch.rand(1, 1, 8, 8), export_path=str(path))
    network = check_scores(onnx.load(path))
    assert [layer.name for layer in network.layers] == ["conv0", "conv0.pool", "fc1"]
    assert [unit.weight_type for unit in network.units] == ["INT3", "INT4"]
    assert network.units[0].levels == Levels(0, 1, 16)


def check_classes(model: onnx.ModelProto) -> None:
    """The classes of a file that ends in a quantiser of 8 bits: its scales are no powers of two."""
    network = lower(model, "scores of 8 bits")
    assert [layer.name for layer in network.layers] == ["conv0", "conv0.pool", "fc1", "fc1.scores"]
    images = random_images(network, 50)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    scores = execute(network, images)[network.scores].reshape(50, -1)
    apart = 0
    for image, row in zip(images, scores, strict=True):
        output = session.run(None, {"image": image[None] / np.float32(255)})[0]
        apart += not np.array_equal(
            np.unique(output.ravel(), return_inverse=True)[1], np.unique(row, return_inverse=True)[1]
        )
    assert apart <= 2
    assert len({row.tobytes() for row in scores}) > 25


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("activations", ["QInt8", "QUInt8"])
def test_a_static_quantisation_of_onnxruntime(activations: str, per_channel: bool, tmp_path: Path) -> None:
    quantization = pytest.importorskip("onnxruntime.quantization")
    builder = GraphBuilder([1, 1, 8, 8])
    builder.node("Conv", RNG.normal(0, 0.3, (6, 1, 3, 3)), RNG.normal(0, 0.3, 6), kernel_shape=[3, 3])
    builder.node("Relu")
    builder.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    builder.node("Flatten", axis=1)
    builder.node("MatMul", RNG.normal(0, 0.2, (54, 5)))
    onnx.save(builder.model(), tmp_path / "float.onnx")

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.left = 16

        def get_next(self) -> dict[str, Any] | None:
            self.left -= 1
            return {"image": RNG.random((1, 1, 8, 8)).astype(np.float32)} if self.left >= 0 else None

    quantization.quantize_static(
        tmp_path / "float.onnx",
        tmp_path / "qdq.onnx",
        Reader(),
        per_channel=per_channel,
        activation_type=getattr(quantization.QuantType, activations),
        extra_options={"WeightSymmetric": True},
    )
    model = onnx.load(tmp_path / "qdq.onnx")
    check_classes(model)
    quantization.quantize_static(
        tmp_path / "float.onnx",
        tmp_path / "operators.onnx",
        Reader(),
        quant_format=quantization.QuantFormat.QOperator,
        per_channel=per_channel,
        activation_type=getattr(quantization.QuantType, activations),
        extra_options={"WeightSymmetric": True},
    )
    operators = onnx.load(tmp_path / "operators.onnx")
    assert {"QLinearConv", "QLinearMatMul"} <= {node.op_type for node in operators.graph.node}
    check_classes(operators)
    last = next(node for node in model.graph.node if node.op_type == "MatMul")  # leave the scores as they are
    while model.graph.node[-1] != last:
        del model.graph.node[-1]
    model.graph.output[0].name = last.output[0]
    if per_channel:  # so that the classes share one scale
        model.graph.node.remove(last)
        model.graph.node.add().CopyFrom(helper.make_node("QuantizeLinear", [last.input[0], "step", "zero"], ["stored"]))
        model.graph.node.add().CopyFrom(helper.make_node("DequantizeLinear", ["stored", "step", "zero"], ["steps"]))
        model.graph.node.add().CopyFrom(helper.make_node("MatMul", ["steps", "integers"], [last.output[0]]))
        values = {"step": np.float32(0.5), "zero": np.int8(0), "integers": RNG.integers(-3, 4, (54, 5))}
        for name, value in values.items():
            tensor = np.asarray(value, np.int8 if name == "zero" else np.float32)
            model.graph.initializer.append(onnx.numpy_helper.from_array(tensor, name))
    network = check_scores(model)
    assert [layer.name for layer in network.layers] == ["conv0", "conv0.pool", "fc1"]


def convolution(builder: Pair, channels: int, inputs: int, scale: float, zero: int) -> None:
    weights = builder.stored(RNG.integers(-128, 128, (channels, inputs, 3, 3)), 0.0123)
    builder.node("Conv", weights, pads=[1, 1, 1, 1])
    parameters = scale, builder.constant(zero, np.int8)
    builder.node("QuantizeLinear", *parameters)
    builder.node("DequantizeLinear", *parameters)


def requantise(builder: Pair, scale: float) -> None:
    parameters = scale, builder.constant(-128, np.int8)
    builder.node("QuantizeLinear", *parameters)
    builder.node("DequantizeLinear", *parameters)


def test_a_residual_block_of_branches_with_a_scale_each() -> None:
    builder = start((1, 3, 8, 8))
    convolution(builder, 8, 3, 0.031, -128)
    shortcut = builder.tensor
    convolution(builder, 8, 8, 0.0777, 3)
    builder.node("Add", shortcut)
    builder.node("Relu")
    requantise(builder, 0.05)
    builder.node("GlobalAveragePool")
    requantise(builder, 0.02)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (8, 5)), 0.0123))
    names = [layer.name for layer in check_file(builder.model(20), 2).layers]
    assert names == ["conv0", "conv1", "add0", "add0.thresholding", "add0.sum", "add0.thresholding2", "fc2"]


def test_functions_between_two_quantisers_are_tables() -> None:
    builder = start((1, 3, 6, 6))
    convolution(builder, 4, 3, 0.05, 7)
    builder.node("HardSwish")
    requantise(builder, 0.03)
    convolution(builder, 4, 4, 0.05, 7)
    before = builder.tensor
    builder.node("Sigmoid")
    builder.node("Mul", before)
    requantise(builder, 0.03)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.stored(RNG.integers(-128, 128, (144, 5)), 0.0123))
    assert [layer.type for layer in check_file(builder.model(20), 2).layers] == [
        "unit",
        "table",
        "unit",
        "table",
        "unit",
    ]
