"""Sums beyond 2^24, which float32 does not hold: the network is the integer one, as hardware computes it.

The right value is onnxruntime's execution of the same file in double precision.
"""

from __future__ import annotations

from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.errors import EngineError
from fat_fpga.faults import fault_space
from fat_fpga.network import Network, load_network
from fat_fpga.network.lowering.walk import lower
from tests.designs.float_graph import GraphBuilder

INPUTS, CHANNELS = 5000, 6
SCALE = 2.0**-20
RNG = np.random.default_rng(0)


def wide(gammas: npt.NDArray[Any]) -> tuple[onnx.ModelProto, str]:
    """A product of 5,000 inputs of 8 bits and weights of 8 bits, batch norm and a quantiser of 4 bits; the name of what
    the quantiser takes."""
    builder = GraphBuilder([1, INPUTS], "UINT8")
    weights = builder.quant(1.0, 8, narrow=1, first=RNG.integers(-127, 128, (INPUTS, CHANNELS)).astype(float))
    builder.node("MatMul", weights)
    builder.node("Mul", SCALE)
    mean, variance = RNG.normal(0, 1, CHANNELS), RNG.uniform(0.5, 2, CHANNELS)
    builder.node("BatchNormalization", gammas, RNG.normal(0, 1, CHANNELS), mean, variance)
    front = builder.tensor
    builder.quant(0.25, 4)
    builder.node("MatMul", np.arange(2 * CHANNELS).reshape(CHANNELS, 2) % 5 - 2)
    return builder.model(), front


def in_double(model: onnx.ModelProto, until: str, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The tensor ``until``, by onnxruntime in double precision; weights are the integers behind the first quantiser."""
    nodes = [node for node in model.graph.node if node.op_type != "Quant"]
    quantised = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Quant"}
    last = next(i for i, node in enumerate(nodes) if until in node.output)
    nodes = nodes[: last + 1]
    for node in nodes:
        node.input[:] = [quantised.get(name, name) for name in node.input]
    constants = [
        numpy_helper.from_array(numpy_helper.to_array(t).astype(np.float64), t.name) for t in model.graph.initializer
    ]
    graph = helper.make_graph(
        nodes,
        "double",
        [helper.make_tensor_value_info("image", TensorProto.DOUBLE, [1, INPUTS])],
        [helper.make_tensor_value_info(until, TensorProto.DOUBLE, None)],
        constants,
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    result: npt.NDArray[np.float64] = session.run([until], {"image": image.astype(np.float64)})[0]
    return result


def images_of(network: Network, count: int) -> npt.NDArray[np.uint8]:
    """Random images, and ones that take the sums of a channel as far as they go."""
    signs = np.sign(network.units[0].weights.reshape(CHANNELS, -1))
    far = np.concatenate([(signs > 0) * 255, (signs < 0) * 255])
    noise = RNG.integers(0, 256, (count, INPUTS))
    return np.concatenate([far, noise]).astype(np.uint8).reshape(-1, INPUTS, 1, 1)


def test_levels_are_those_of_double_precision() -> None:
    model, front = wide(np.array([1.0, -1.5, 0.5, 2.0, -0.25, 1.0]))
    network = lower(model, "wide")
    images = images_of(network, 20)
    streams = get("reference").open(network).trace(images)
    sums = np.einsum(
        "nk,mk->nm", images.reshape(-1, INPUTS).astype(int), network.units[0].weights.reshape(CHANNELS, -1)
    )
    assert np.abs(sums).max() > 2**25
    for n, image in enumerate(images):
        real = in_double(model, front, image.reshape(1, INPUTS))
        levels = np.clip(np.rint(real / 0.25), -8, 7)
        assert np.array_equal(streams["fc0"][n].ravel(), levels.ravel())
    native = get("native").open(network).trace(images)
    assert np.array_equal(native["fc0"], streams["fc0"])


@pytest.mark.parametrize("kind", ["weight", "threshold", "accumulator"])
def test_engines_agree_on_faults_in_wide_sums(kind: str) -> None:
    model, _ = wide(np.array([1.0, -1.5, 0.5, 2.0, -0.25, 1.0]))
    network = lower(model, "wide")
    images = images_of(network, 4)
    golden = get("reference").open(network).trace(images)["fc0"]
    differ = 0
    for fault in fault_space(network, kind, ["fc0"]).sample(24, 1):
        expected = get("reference").open(network).trace(images, fault)["fc0"]
        for name in ("native", "torch"):
            assert np.array_equal(get(name).open(network).trace(images, fault)["fc0"], expected), (name, fault)
        differ += not np.array_equal(expected, golden)
    assert differ >= {"weight": 0, "threshold": 1, "accumulator": 5}[kind]  # low bits move wide sums by little


def test_the_file_is_no_judge_of_them(tmp_path: Path) -> None:
    model, _ = wide(np.ones(CHANNELS))
    onnx.save(model, tmp_path / "wide.onnx")
    judge = get(f"file:{tmp_path / 'wide.onnx'}")
    network = load_network(tmp_path / "wide.onnx")
    with pytest.raises(EngineError, match="fc0: its accumulators do not fit in float32, which the file computes in"):
        judge.open(network).trace(images_of(network, 1))


@pytest.mark.parametrize("operator", ["LeakyRelu", "Elu", "HardSigmoid", "Softplus", "Erf", "QuantizeLinear"])
def test_operators_that_onnxruntime_has_in_float32_only(operator: str) -> None:
    """Behind wide sums they are computed in double precision, too."""
    builder = GraphBuilder([1, INPUTS], "UINT8")
    weights = RNG.integers(-127, 128, (INPUTS, CHANNELS))
    builder.node("MatMul", builder.quant(1.0, 8, narrow=1, first=weights.astype(float)))
    builder.node("Mul", SCALE)
    if operator != "QuantizeLinear":
        builder.node(operator, **({"alpha": 0.25} if operator in ("LeakyRelu", "Elu", "HardSigmoid") else {}))
    step = 2.0**-4
    parameters = builder.constant(step), builder.constant(3, np.int8)
    builder.node("QuantizeLinear", *parameters)
    builder.node("DequantizeLinear", *parameters)
    builder.node("MatMul", np.arange(2 * CHANNELS).reshape(CHANNELS, 2) % 5 - 2)
    network = lower(builder.model(), "wide")
    functions: dict[str, Any] = {
        "LeakyRelu": lambda x: np.where(x < 0, 0.25 * x, x),
        "Elu": lambda x: np.where(x < 0, 0.25 * np.expm1(x), x),
        "HardSigmoid": lambda x: np.clip(0.25 * x + 0.5, 0, 1),
        "Softplus": lambda x: np.log1p(np.exp(x)),
        "Erf": np.vectorize(erf),
        "QuantizeLinear": lambda x: x,
    }
    rows = RNG.integers(0, 256, (50, INPUTS, 1, 1)).astype(np.uint8)
    sums = rows.reshape(50, -1).astype(np.int64) @ weights
    levels = np.clip(np.rint(functions[operator](sums * SCALE) / step) + 3, -128, 127) - 3
    unit = network.units[0].name
    assert np.array_equal(execute(network, rows)[unit].reshape(50, -1), levels)
    assert len(np.unique(levels)) > 2
