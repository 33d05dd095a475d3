"""onnxruntime's operators on integers: QLinearConv and its like, ConvInteger, MatMulInteger; against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from fat_fpga.engines.reference import execute
from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.walk import lower_with_sites
from tests.designs.float_graph import GraphBuilder
from tests.designs.random_network import random_images

RNG = np.random.default_rng(0)
MICROSOFT = "com.microsoft"


class Integers(GraphBuilder):
    """Adds operators on integers, with the scales and zero points that they take."""

    def operator(self, name: str, *parameters: Any, domain: str = "", **options: Any) -> str:
        made = self.node(name, *parameters, **options)
        self.nodes[-1].domain = domain
        return made

    def of(self, scale: Any, zero: Any = 0, dtype: Any = np.uint8) -> tuple[str, str]:
        """A scale and a zero point."""
        return self.constant(scale), self.constant(np.broadcast_to(zero, np.shape(scale)), dtype)

    def start(self, zero: int = 3) -> tuple[str, str]:
        found = self.of(1 / 64, zero)
        self.node("QuantizeLinear", *found)
        return found

    def weights(self, *shape: int) -> str:
        return self.constant(RNG.integers(-127, 128, shape), np.int8)

    def finished(self, opset: int = 13) -> onnx.ModelProto:
        model = self.model(opset)
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
        return model


def check(model: onnx.ModelProto, images: int = 20, apart: float = 0, **arguments: Any) -> Any:
    """The classes of a file, as onnxruntime executes it, and its outputs, as far as they are integers."""
    network, sites = lower_with_sites(model, "network", **arguments)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    rows = random_images(network, images)
    sums, different = execute(network, rows)[network.scores].reshape(images, -1), 0
    made = []
    for row in rows:
        output = session.run(None, {"image": sites.image.values(row[None])})[0].ravel()
        made.append(output)
    for output, own in zip(made, sums, strict=True):
        order, scores = np.argsort(output, kind="stable"), own[np.argsort(output, kind="stable")]
        assert np.all(np.diff(scores)[np.diff(output[order]) > 0] > 0) or apart, (output, own)
        different += int(np.argmax(output) != np.argmax(own))
    assert different <= apart * images
    assert len({row.tobytes() for row in sums}) > images // 2, "equal scores tell nothing"
    return network


@pytest.mark.parametrize("channel", [True, False])
def test_convolution_pool_and_product(channel: bool) -> None:
    graph = Integers([1, 2, 6, 6])
    source, mid, last = graph.start(), graph.of(0.3, 7), graph.of(0.5, 128)
    scales = RNG.uniform(0.02, 0.04, 4) if channel else 0.03
    bias = graph.constant(RNG.integers(-900, 900, 4), np.int32)
    graph.operator(
        "QLinearConv", *source, graph.weights(4, 2, 3, 3), *graph.of(scales, 0, np.int8), *mid, bias,
        kernel_shape=[3, 3], pads=[1] * 4,
    )  # fmt: skip
    graph.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    graph.node("Reshape", graph.constant([1, -1], np.int64))
    graph.operator("QLinearMatMul", *mid, graph.weights(36, 5), *graph.of(0.004, 0, np.int8), *last)
    graph.node("DequantizeLinear", *last)
    network = check(graph.finished())
    assert [layer.name for layer in network.units] == ["conv0", "fc1"]
    assert network.units[0].weight_type == "INT8"


@pytest.mark.parametrize("real", [True, False])
def test_a_product_with_bias_of_onnxruntime(real: bool) -> None:
    graph = Integers([1, 12])
    source, mid = graph.start(), graph.of(0.25, 9)
    common: Any = {"transB": 1, "domain": MICROSOFT}
    bias = graph.constant(RNG.integers(-900, 900, 8), np.int32)
    graph.operator("QGemm", *source, graph.weights(8, 12), *graph.of(0.003, 0, np.int8), bias, *mid, **common)
    bias = graph.constant(RNG.integers(-900, 900, 4), np.int32)
    end = () if real else graph.of(0.02, 100)
    graph.operator("QGemm", *mid, graph.weights(4, 8), *graph.of(0.003, 0, np.int8), bias, *end, **common)
    if not real:
        graph.node("DequantizeLinear", *end)
    check(graph.finished())


def test_sums_of_more_than_24_bits_are_rounded_as_the_file_rounds_them() -> None:
    graph = Integers([1, 1200])
    source, mid, last = graph.of(1 / 255), graph.of(0.01, 0), graph.of(0.3, 100)
    graph.node("QuantizeLinear", *source)
    weights = graph.constant(RNG.integers(100, 128, (1200, 6)) * RNG.choice([-1, 1], (1200, 6)), np.int8)
    graph.operator("QLinearMatMul", *source, weights, *graph.of(0.0003, 0, np.int8), *mid)
    graph.operator("QLinearMatMul", *mid, graph.weights(6, 4), *graph.of(0.004, 0, np.int8), *last)
    graph.node("DequantizeLinear", *last)
    check(graph.finished())


@pytest.mark.parametrize("zeros", [(0, 0, 0), (3, 130, 77)])
def test_sums_of_two_streams(zeros: tuple[int, int, int]) -> None:
    graph = Integers([1, 12])
    source, mid = graph.start(), graph.of(0.25, zeros[0])
    graph.operator("QLinearMatMul", *source, graph.weights(12, 8), *graph.of(2.0**-8, 0, np.int8), *mid)
    one, other, total = graph.tensor, graph.of(0.5, zeros[1]), graph.of(0.25, zeros[2])
    graph.operator("QLinearMatMul", *mid, graph.weights(8, 8), *graph.of(2.0**-9, 0, np.int8), *other)
    graph.operator("QLinearAdd", *other, one, *mid, *total, domain=MICROSOFT)
    graph.operator("MatMulInteger", graph.weights(8, 4), total[1], graph.constant(0, np.int8))
    graph.node("Cast", to=TensorProto.FLOAT)
    check(graph.finished())


def test_integer_convolution_with_a_bias_of_integers() -> None:
    graph = Integers([1, 2, 5, 5])
    _, zero = graph.start()
    graph.operator(
        "ConvInteger", graph.constant(RNG.integers(0, 256, (3, 2, 3, 3)), np.uint8), zero, graph.constant(128, np.uint8)
    )
    graph.node("Add", graph.constant(RNG.integers(-5000, 5000, (1, 3, 1, 1)), np.int32))
    graph.node("Cast", to=TensorProto.FLOAT)
    graph.node("Mul", 2.0**-9)
    graph.node("Relu")
    graph.node("QuantizeLinear", *graph.of(0.5, 0))
    graph.node("Flatten", axis=1)
    graph.operator("MatMulInteger", graph.weights(27, 4), graph.constant(0, np.uint8))
    graph.node("Cast", to=TensorProto.FLOAT)
    check(graph.finished())


@pytest.mark.parametrize("kind", ["LeakyRelu", "Sigmoid", "GlobalAveragePool", "AveragePool", "Concat", "Mul"])
def test_functions_and_pools(kind: str) -> None:
    graph = Integers([1, 2, 4, 4])
    source, mid, behind = graph.start(), graph.of(0.25, 120), graph.of(0.125, 60)
    weights = graph.weights(3, 2, 3, 3)
    graph.operator(
        "QLinearConv", *source, weights, *graph.of(2.0**-7, 0, np.int8), *mid, kernel_shape=[3, 3], pads=[1] * 4
    )
    windows: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
    options = {"LeakyRelu": {"alpha": 0.25}, "AveragePool": windows}.get(kind, {})
    if kind == "Sigmoid":
        behind = graph.of(1 / 256, 0)
    name = f"QLinear{kind}"
    if kind == "Concat":
        read = graph.tensor
        graph.operator(name, behind[1], read, *mid, read, *mid, first=behind[0], axis=1, domain=MICROSOFT)
        graph.tensor = graph.nodes[-1].output[0]
    elif kind == "Mul":
        graph.operator(name, *mid, graph.constant(5, np.uint8), *graph.of(0.5, 3), *behind, domain=MICROSOFT)
    else:
        graph.operator(name, *mid, *behind, domain=MICROSOFT, **options)
    graph.node("Flatten", axis=1)
    count = {"GlobalAveragePool": 3, "AveragePool": 12, "Concat": 96}.get(kind, 48)
    graph.operator("MatMulInteger", graph.weights(count, 4), behind[1], graph.constant(0, np.int8))
    graph.node("Cast", to=TensorProto.FLOAT)
    check(graph.finished())


def test_scales_from_the_input_itself_are_refused() -> None:
    graph = Integers([1, 8])
    graph.node("DynamicQuantizeLinear")
    read, scale, zero = graph.tensor, f"{graph.tensor}.scale", f"{graph.tensor}.zero"
    graph.nodes[-1].output.extend([scale, zero])
    graph.operator("MatMulInteger", graph.weights(8, 4), zero, first=read)
    graph.tensor = graph.nodes[-1].output[0]
    with pytest.raises(ModelError, match="takes its scale from each input anew"):
        lower_with_sites(graph.finished(), "network")


def with_softmax(step: float, behind: str, count: int = 6) -> onnx.ModelProto:
    """Scores of 8 bits with steps of ``step``, a softmax of them, and what is ``behind`` it."""
    graph = Integers([1, 2, 4, 4])
    source, mid, last = graph.start(), graph.of(step, 120), graph.of(1 / 256, 0)
    graph.node("Flatten", axis=1)
    graph.operator("QLinearMatMul", *source, graph.weights(32, count), *graph.of(step / 60, 0, np.int8), *mid)
    graph.operator("QLinearSoftmax", *mid, *last, domain=MICROSOFT, axis=1, opset=13)
    if behind == "ArgMax":
        graph.node("ArgMax", axis=1)
    elif behind == "DequantizeLinear":
        graph.node("DequantizeLinear", *last)
    kinds = {"": TensorProto.UINT8, "ArgMax": TensorProto.INT64}
    return with_output(graph.finished(), kinds.get(behind, TensorProto.FLOAT))


def with_output(model: onnx.ModelProto, kind: int) -> onnx.ModelProto:
    """The model, whose output has an element type."""
    model.graph.output[0].type.tensor_type.elem_type = kind
    return model


@pytest.mark.parametrize("behind", ["", "DequantizeLinear", "ArgMax"])
def test_a_softmax_whose_integers_have_the_order_of_the_scores(behind: str) -> None:
    model = with_softmax(0.05, behind)
    network, sites = lower_with_sites(model, "network")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rows = random_images(network, 60)
    ours = execute(network, rows)[network.scores].reshape(len(rows), -1).argmax(axis=1)
    files = [session.run(None, {"image": sites.image.values(row[None])})[0].ravel() for row in rows]
    assert [int(found[0] if behind == "ArgMax" else found.argmax()) for found in files] == ours.tolist()
    assert len(set(ours.tolist())) > 1


def test_what_a_softmax_of_8_bits_keeps_by_its_kernel() -> None:
    """Of scores that are one step apart, onnxruntime's kernel has one largest integer where the check lets it pass;
    at smaller steps it has several."""
    several = dict.fromkeys([0.01, 0.03, 0.05, 0.2, 1.0], False)
    for step in several:
        graph = Integers([1, 6])
        one = graph.of(step, 0)
        graph.node("QuantizeLinear", *one)
        graph.operator("QLinearSoftmax", *one, *graph.of(1 / 256, 0), domain=MICROSOFT, axis=1, opset=13)
        model = with_output(graph.finished(), TensorProto.UINT8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for row in RNG.integers(0, 3, (200, 6)):
            found = session.run(None, {"image": (row[None] * step).astype(np.float32)})[0].ravel()
            assert found.argmax() == row.argmax() or step < 0.04
            several[step] |= int((found == found.max()).sum()) != int((row == row.max()).sum())
    assert several == {0.01: True, 0.03: several[0.03], 0.05: False, 0.2: False, 1.0: False}


@pytest.mark.parametrize(("step", "count"), [(0.01, 6), (0.05, 100)])
def test_a_softmax_that_may_choose_another_class_is_refused(step: float, count: int) -> None:
    with pytest.raises(ModelError, match=f"of {count} scores with steps of {step}, several can be its largest"):
        lower_with_sites(with_softmax(step, "", count), "network")


@pytest.mark.parametrize("operator", ["QLinearReduceMean", "QLinearConvTranspose"])
def test_what_onnxruntime_itself_does_not_execute(operator: str) -> None:
    graph = Integers([1, 2, 4, 4])
    source = graph.start()
    graph.operator(operator, *source, *graph.of(0.5, 0), domain=MICROSOFT)
    with pytest.raises(ModelError, match="onnxruntime has no kernel for it on processors"):
        lower_with_sites(graph.finished(), "network")


def test_a_mean_that_onnxruntime_does_not_execute_either() -> None:
    graph = Integers([1, 2, 4, 4])
    source = graph.start()
    graph.operator("QLinearReduceMean", *source, *graph.of(0.5, 0), domain=MICROSOFT, axes=[2, 3], keepdims=1)
    model = with_output(graph.finished(), TensorProto.UINT8).SerializeToString()
    with pytest.raises(Exception, match="Could not find an implementation for QLinearReduceMean"):
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
