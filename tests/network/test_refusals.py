"""What cannot be lowered is refused in one line that names the node, its operator and the reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from fat_fpga.errors import ModelError
from fat_fpga.network import load_network
from fat_fpga.network.lowering.walk import lower
from tests.designs.float_graph import GraphBuilder

Build = Callable[[], GraphBuilder]
RNG = np.random.default_rng(0)


def start(shape: tuple[int | str, ...] = (1, 2, 6, 6), datatype: str | None = None) -> GraphBuilder:
    builder = GraphBuilder(shape, datatype)
    builder.quant(1 / 128, 8)
    return builder


def conv(builder: GraphBuilder, channels: int = 2, **attributes: Any) -> GraphBuilder:
    weights = builder.quant(1.0, 2, first=RNG.normal(0, 1, (4, channels, 3, 3)))
    builder.node("Conv", weights, name="the_conv", **attributes)
    return builder


def dense(builder: GraphBuilder, inputs: int = 64, outputs: int = 3, name: str = "the_gemm") -> GraphBuilder:
    builder.node("Flatten", axis=1)
    weights = builder.node("BipolarQuant", 1.0, first=RNG.normal(0, 1, (inputs, outputs)))
    builder.node("MatMul", weights, name=name)
    return builder


def whole(**attributes: Any) -> GraphBuilder:
    """Convolution, quantiser, fully connected layer."""
    builder = conv(start(), **attributes)
    builder.quant(1.0, 2)
    return dense(builder)


def between(operator: str, *parameters: Any, **attributes: Any) -> GraphBuilder:
    """The node in question between convolution and activation quantiser."""
    builder = conv(start())
    builder.node(operator, *parameters, name="culprit", **attributes)
    builder.quant(1.0, 2)
    return dense(builder)


def behind_quantiser(operator: str, *parameters: Any, **attributes: Any) -> GraphBuilder:
    """The node in question between activation quantiser and fully connected layer."""
    builder = conv(start())
    builder.quant(1.0, 2)
    builder.node(operator, *parameters, name="culprit", **attributes)
    return dense(builder)


def tail(operator: str, *parameters: Any, **attributes: Any) -> GraphBuilder:
    builder = whole()
    builder.node(operator, *parameters, name="culprit", **attributes)
    return builder


def float_weights() -> GraphBuilder:
    builder = start()
    builder.node("Conv", RNG.normal(0, 1, (4, 2, 3, 3)), name="the_conv")
    return builder


def no_quantiser() -> GraphBuilder:
    builder = conv(start())
    builder.node("Add", RNG.normal(0, 1, (1, 4, 1, 1)))
    return dense(builder)


def residual() -> GraphBuilder:
    builder = conv(start())
    source = builder.tensor
    builder.node("Tanh")
    builder.node("Add", source, name="culprit")
    return dense(builder)


def square() -> GraphBuilder:
    builder = start()
    source = builder.tensor
    conv(builder).quant(1.0, 2)
    first = builder.tensor
    builder.tensor = source
    conv(builder).quant(1.0, 2)
    builder.node("Mul", first, name="culprit")
    return builder


def pool_first() -> GraphBuilder:
    builder = GraphBuilder([1, 3, 8, 8])
    builder.node("Sigmoid")
    builder.node("MaxPool", name="culprit", kernel_shape=[2, 2], strides=[2, 2])
    return builder


def pool_last() -> GraphBuilder:
    builder = conv(start())
    builder.node("ReduceMax", name="culprit", axes=[2, 3], keepdims=0)
    return builder


def norm_behind_pool() -> GraphBuilder:
    builder = conv(start())
    builder.quant(1.0, 2)
    builder.node("MaxPool", kernel_shape=[2, 2])
    builder.node("Mul", -1.0, name="culprit")
    return dense(builder, 36)


def two_scales() -> GraphBuilder:
    builder = conv(start())
    builder.quant(np.array([1, 1, 2, 1]).reshape(1, 4, 1, 1), 2)
    return dense(builder)


def scale_within_row() -> GraphBuilder:
    builder = start()
    scale = np.array([0.5, 1.0]).reshape(1, 2, 1, 1)
    builder.node("Conv", builder.quant(scale, 2, first=RNG.normal(0, 1, (4, 2, 3, 3))), name="the_conv")
    return builder


def no_flatten() -> GraphBuilder:
    builder = start((1, 2, 6, 6))
    builder.node("MatMul", builder.node("BipolarQuant", 1.0, first=RNG.normal(0, 1, (6, 3))), name="the_matmul")
    return builder


def open_output() -> GraphBuilder:
    builder = whole()
    builder.tensor = builder.nodes[1].output[0]
    return builder


CASES: dict[str, tuple[Build, str]] = {
    "unsupported operator": (lambda: between("LpPool", kernel_shape=[2, 2]), r"'culprit' \(LpPool\): unsup"),
    "sine": (lambda: behind_quantiser("Sin"), r"'the_gemm' \(MatMul\): float .* 'culprit' \(Sin\) needs a quantiser"),
    "square": (square, r"'culprit' \(Mul\): of several streams, only sum, difference"),
    "residual": (residual, r"'the_gemm' .* 'culprit' \(Add\) needs a quantiser behind it"),
    "float weights": (float_weights, r"'the_conv' \(Conv\): its weights 'constant\d+' are not quantised"),
    "no quantiser": (no_quantiser, r"'the_gemm' \(MatMul\): float activations reach it"),
    "groups": (lambda: whole(group=3), r"'the_conv' \(Conv\): its 4 output channels do not make 3 groups"),
    "wrong groups": (lambda: whole(group=2), r"'the_conv' \(Conv\): its weights .* in 2 groups do not fit an input"),
    "dilations": (lambda: whole(dilations=[5, 5], pads=[0] * 4), r"'the_conv' \(Conv\): its weights .* do not fit"),
    "auto_pad": (lambda: whole(auto_pad="SIDEWAYS"), r"'the_conv' \(Conv\): unknown auto_pad SIDEWAYS"),
    "wrong channels": (
        lambda: conv(start(), channels=3),
        r"'the_conv' \(Conv\): its weights \[4, 3, 3, 3\] do not fit",
    ),
    "pool first": (pool_first, r"'culprit' \(MaxPool\): float activations reach it: it needs a quantiser in front"),
    "pool last": (pool_last, r"'culprit' \(ReduceMax\): behind the last matrix product no max-pool is supported"),
    "dilated pool": (
        lambda: behind_quantiser("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]),
        r"'culprit' \(MaxPool\): dilations are not supported in a pool",
    ),
    "negative scale behind pool": (
        norm_behind_pool,
        r"\(MaxPool\): it lies in front of node 'culprit' \(Mul\), which decreases for channel 0",
    ),
    "scale per channel": (two_scales, r"'the_gemm' \(MatMul\): float activations reach it"),
    "scale within a row": (scale_within_row, r"'the_conv' \(Conv\): the scale of its weights .* the same within"),
    "parameters per pixel": (
        lambda: between("Mul", np.arange(1.0, 65).reshape(1, 4, 4, 4)),
        r"'culprit' \(Mul\): its parameters differ between the pixels",
    ),
    "parameters that do not fit": (lambda: between("Mul", np.ones((1, 3, 1, 1))), r"'culprit' \(Mul\): cannot be exec"),
    "not finite": (lambda: between("Div", 0.0), r"'culprit' \(Div\): it yields values that are not finite"),
    "not flat": (no_flatten, r"'the_matmul' \(MatMul\): its weights \[6, 3\] do not fit .* flatten it first"),
    "batch mixed up": (
        lambda: behind_quantiser("Transpose", perm=[1, 0, 2, 3]),
        r"'culprit' \(Transpose\): it must keep",
    ),
    "integer cast": (lambda: between("Cast", to=onnx.TensorProto.INT32), r"'culprit' \(Cast\): a cast to INT32 can"),
    "wide activations": (lambda: _wide(), r"'the_gemm' \(MatMul\): float activations .* lie levels of 17 bits"),
    "largest two": (lambda: _top(k=2), r"'culprit' \(TopK\): expected the one largest score, got the 2 largest"),
    "smallest": (lambda: _top(largest=0), r"'culprit' \(TopK\): expected the largest score"),
    "last largest": (lambda: tail("ArgMax", axis=1, select_last_index=1), r"'culprit' \(ArgMax\): expected the first"),
    "training batch norm": (
        lambda: between("BatchNormalization", *[np.ones(4)] * 4, training_mode=1),
        r"'culprit' \(BatchNormalization\): it is in training mode",
    ),
    "dynamic shape": (
        lambda: start((1, 2, "H", "W")),
        r"input 'image' has shape \[1, 2, H, W\]: expected \[N, C, H, W\]",
    ),
    "other datatype": (
        lambda: _annotated("FIXED<8,2>"),
        r"input 'image' is annotated FIXED<8,2>: expected FLOAT32 or a datatype of integers, as INT8",
    ),
    "no matrix product": (lambda: start(), r"it holds no matrix product"),
    "output elsewhere": (open_output, r"its output 'tensor1' is not the end of the chain"),
}


def _wide() -> GraphBuilder:
    builder = conv(start())
    builder.quant(1.0, 17)
    return dense(builder)


def _top(k: int = 1, largest: int = 1) -> GraphBuilder:
    builder = whole()
    builder.node("TopK", builder.constant([k], np.int64), name="culprit", largest=largest)
    builder.nodes[-1].output.append("indices")
    builder.tensor = "indices"
    return builder


def _annotated(datatype: str) -> GraphBuilder:
    builder = whole()
    builder.datatypes["image"] = datatype
    return builder


@pytest.mark.parametrize("case", CASES)
def test_refusal_names_node_operator_and_reason(case: str) -> None:
    build, message = CASES[case]
    with pytest.raises(ModelError) as caught:
        lower(build().model(), "network")
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_same_graphs_without_the_culprit_are_lowered() -> None:
    assert [layer.name for layer in lower(whole().model(), "network").layers] == ["conv0", "fc1"]
    for selector in (_top(), tail("ArgMax", axis=1), tail("Mul", 2.0), tail("Mul", np.full(3, -2.0))):
        assert len(lower(selector.model(), "network").units) == 2


def test_a_missing_initialiser_is_noticed() -> None:
    model = whole().model()
    del model.graph.initializer[-1]
    with pytest.raises(ModelError, match=r"comes from nowhere: the file is incomplete|got 2: image"):
        lower(model, "network")


def test_files_that_are_no_networks(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    with pytest.raises(ModelError, match=r"no file '.*network.onnx', and no bundled network of that name"):
        load_network(path)
    path.write_text("This is a text file, not a network.\n" * 20)
    with pytest.raises(ModelError, match=r"network.onnx is not an ONNX file, or is damaged"):
        load_network(path)
    path.write_bytes(b"")
    with pytest.raises(ModelError, match=r"network.onnx: it holds no network"):
        load_network(path)
    with pytest.raises(ModelError, match="it is a folder"):
        load_network(tmp_path)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    data = whole().model().SerializeToString()
    path = tmp_path / "network.onnx"
    for size in range(0, len(data), 37):
        path.write_bytes(data[:size])
        with pytest.raises(ModelError, match=r"network\.onnx") as caught:
            load_network(path)
        assert "\n" not in str(caught.value)


def test_the_path_is_part_of_the_message(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    onnx.save(square().model(), path)
    with pytest.raises(ModelError, match=r"network\.onnx: node 'culprit' \(Mul\): "):
        load_network(path)
