"""Damaged and hostile ONNX files: refused in one line, before anything of the size that they declare is made."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fat_fpga.errors import ModelError
from fat_fpga.network import load_network
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.lowering.sizes import MOST_NODES, MOST_STEPS
from tests.designs.float_graph import QONNX, GraphBuilder

Model = onnx.ModelProto
MEMORY = 2 * 2**30


def whole() -> Model:
    """An image quantiser, weights [4, 12] and their quantiser, a product, an activation, a product of 3 classes."""
    builder = GraphBuilder([1, 3, 2, 2])
    builder.quant(1 / 128, 8)
    builder.node("Flatten", axis=1)
    rng = np.random.default_rng(0)
    builder.node("MatMul", builder.quant(0.5, 2, first=rng.normal(0, 1, (12, 4))), name="the_product")
    builder.quant(1.0, 2)
    builder.node("MatMul", builder.quant(0.5, 2, first=rng.normal(0, 1, (4, 3))))
    return builder.model()


@pytest.fixture
def little_memory() -> Iterator[None]:
    """No more address space than 2 GiB beside what is mapped already."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def weights(model: Model) -> TensorProto:
    tensors: Sequence[TensorProto] = model.graph.initializer
    return next(tensor for tensor in tensors if list(tensor.dims) == [12, 4])


def dims(*sizes: int) -> Callable[[Model], None]:
    def spoil(model: Model) -> None:
        tensor = weights(model)
        del tensor.dims[:]
        tensor.dims.extend(sizes)

    return spoil


def data(change: Callable[[bytes], bytes]) -> Callable[[Model], None]:
    def spoil(model: Model) -> None:
        weights(model).raw_data = change(weights(model).raw_data)

    return spoil


def data_twice(model: Model) -> None:
    weights(model).float_data.append(1.0)


def element_type(code: int) -> Callable[[Model], None]:
    def spoil(model: Model) -> None:
        weights(model).data_type = code

    return spoil


def add(model: Model, name: str, values: object, dtype: type = np.int64) -> None:
    model.graph.initializer.add().CopyFrom(numpy_helper.from_array(np.asarray(values, dtype), name))


def computed(operator: str, *inputs: object, **attributes: Any) -> Callable[[Model], None]:
    """The weights are computed by one node of small constants."""

    def spoil(model: Model) -> None:
        tensor = weights(model)
        names = [f"small{i}" for i in range(len(inputs))]
        for name, values in zip(names, inputs, strict=True):
            add(model, name, values, np.float32 if isinstance(np.asarray(values).flat[0], np.floating) else np.int64)
        node = helper.make_node(operator, names, [tensor.name], name="the_bomb", **attributes)
        model.graph.initializer.remove(tensor)
        model.graph.node.insert(0, node)

    return spoil


def doubling(model: Model) -> None:
    tensor, source = weights(model), "small"
    add(model, source, [1.0, 1.0], np.float32)
    for number in range(40):
        target = tensor.name if number == 39 else f"double{number}"
        model.graph.node.insert(number, helper.make_node("Concat", [source, source], [target], axis=0))
        source = target
    model.graph.initializer.remove(tensor)


def long(operator: str, count: int) -> Callable[[Model], None]:
    def spoil(model: Model) -> None:
        nodes = list(model.graph.node)
        chain = [helper.make_node(operator, [f"long{i}"], [f"long{i + 1}"]) for i in range(count)]
        chain[0].input[0] = nodes[0].input[0]
        nodes[0].input[0] = f"long{count}"
        del model.graph.node[:]
        model.graph.node.extend(chain + nodes)

    return spoil


def function(*calls: str) -> Callable[[Model], None]:
    """Functions a, b, ... in which each calls the next so many times; the last calls what ``calls`` ends with."""

    def spoil(model: Model) -> None:
        model.opset_import.add(domain="d", version=1)
        for name, called in pairwise(calls):
            body = model.functions.add(name=name, domain="d", input=["x"], output=["y9"])
            body.opset_import.add(domain="d", version=1)
            body.opset_import.add(domain="", version=13)
            for i in range(10):
                source = "x" if i == 0 else f"y{i - 1}"
                body.node.append(helper.make_node(called, [source], [f"y{i}"], domain="d" if called in calls else ""))
        first = model.graph.node[0]
        model.graph.node.insert(0, helper.make_node(calls[0], [first.input[0]], ["called"], domain="d"))
        model.graph.node[1].input[0] = "called"

    return spoil


def same_constant(model: Model) -> None:
    model.graph.initializer.add().CopyFrom(weights(model))


def same_output(model: Model) -> None:
    model.graph.node[4].output[0] = model.graph.node[0].output[0]


def output_is_input(model: Model) -> None:
    model.graph.node[0].output[0] = model.graph.input[0].name


def cycle(model: Model) -> None:
    model.graph.node[0].input[0] = model.graph.node[-1].output[0]


def reversed_order(model: Model) -> None:
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def input_shape(*sizes: int) -> Callable[[Model], None]:
    def spoil(model: Model) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, sizes))

    return spoil


def quantiser(position: int, value: float) -> Callable[[Model], None]:
    """Scale (1) or bits (3) of the quantiser of the weights."""

    def spoil(model: Model) -> None:
        node = next(n for n in model.graph.node if n.input[0] == weights(model).name)
        name = node.input[position]
        tensor = next(t for t in model.graph.initializer if t.name == name)
        tensor.CopyFrom(numpy_helper.from_array(np.array(value, np.float32), name))

    return spoil


def activation_scale(value: float) -> Callable[[Model], None]:
    def spoil(model: Model) -> None:
        node = [n for n in model.graph.node if n.op_type == "Quant"][2]
        tensor = next(t for t in model.graph.initializer if t.name == node.input[1])
        tensor.CopyFrom(numpy_helper.from_array(np.array(value, np.float32), tensor.name))

    return spoil


def attribute(model: Model) -> None:
    next(n for n in model.graph.node if n.name == "the_product").attribute.append(helper.make_attribute("group", 3))


def versions(form: int = 8, *operators: int) -> Callable[[Model], None]:
    """Version of the format, and versions of the standard operators."""

    def spoil(model: Model) -> None:
        model.ir_version = form
        del model.opset_import[:]
        model.opset_import.add(domain=QONNX, version=1)
        for version in operators:
            model.opset_import.add(domain="", version=version)

    return spoil


def more_inputs(model: Model) -> None:
    node = next(n for n in model.graph.node if n.name == "the_product")
    node.input.append(node.input[1])


def no_inputs(model: Model) -> None:
    del next(n for n in model.graph.node if n.op_type == "Flatten").input[:]


def attribute_of_another_type(model: Model) -> None:
    model.graph.node[0].attribute[0].type = onnx.AttributeProto.FLOATS


CASES: dict[str, tuple[Callable[[Model], None], str]] = {
    "tebibytes": (dims(2**40), r"shape \[1099511627776\]: expected at most"),
    "negative": (dims(-4, -12), r"shape \[-4, -12\]"),
    "overflow": (dims(2**62, 2**62, 4), "expected at most"),
    "other shape": (
        dims(12, 5),
        r"should have 240 bytes, of shape \[12, 5\] and type FLOAT; it has 192: the file is dam",
    ),
    "no data": (data(lambda raw: b""), "it has 0: the file is damaged"),
    "more data": (data(lambda raw: raw + b"\0"), "it has 193: the file is damaged"),
    "data twice": (data_twice, "holds its values more than once: the file is damaged"),
    "unknown type": (element_type(99), "has the unknown element type 99"),
    "text": (element_type(TensorProto.STRING), "holds text, expected numbers"),
    "shape of ones": (
        computed("ConstantOfShape", [2**40, 12]),
        r"'the_bomb' .*make a constant of shape \[1099511627776",
    ),
    "tile": (computed("Tile", [[1.5, 2.5]], [2**30, 2**30]), r"'the_bomb' \(Tile\): it would make a constant"),
    "expand": (computed("Expand", [[1.5]], [2**33, 4]), r"'the_bomb' \(Expand\): it would make a constant"),
    "range": (
        computed("Range", 0, 2**40, 1),
        r"'the_bomb' \(Range\): it would make a constant of shape \[1099511627776\]",
    ),
    "outer product": (
        computed("Mul", np.ones((2**16, 1), np.float32), np.ones((1, 2**16), np.float32)),
        "65536, 65536",
    ),
    "pad": (computed("Pad", [1.5], [0, 2**40]), r"'the_bomb' \(Pad\): it would make a constant"),
    "doubling": (doubling, r"expected at most 134,217,728 values|more than 268,435,456 values"),
    "nodes": (long("Identity", MOST_NODES), r"it has 10007 nodes, expected at most 10,000"),
    "steps": (long("Relu", MOST_STEPS + 1), f"more than {MOST_STEPS} element-wise nodes follow each other"),
    "recursion": (function("a", "b", "a"), "its function 'a' calls itself"),
    "functions": (function(*"abcdefgh", "Identity"), r"it has 100000007 nodes, expected at most 10,000"),
    "same constant": (same_constant, r"two of its tensors are called 'constant6': the file is damaged"),
    "same output": (same_output, "two of its tensors are called"),
    "output is input": (output_is_input, "two of its tensors are called 'image'"),
    "cycle": (cycle, "is made by a node after it: the nodes have a cycle, or stand in another order"),
    "order": (reversed_order, "is made by a node after it: the nodes have a cycle, or stand in another order"),
    "image": (input_shape(1, 3, 2**20, 2**20), "expected at most 16,777,216 values"),
    "batch": (input_shape(2**40, 3, 2, 2), "expected at most 16,777,216 values"),
    "attribute": (
        attribute,
        r"'the_product' \(MatMul\): it has the attribute 'group', which the operator does not have",
    ),
    "attribute of another type": (
        attribute_of_another_type,
        r"\(Quant\): its attribute 'narrow' is damaged: type field",
    ),
    "more inputs": (more_inputs, r"'the_product' \(MatMul\): it has 3 inputs, expected 2: the file is damaged"),
    "no inputs": (no_inputs, r"\(Flatten\): it has 0 inputs, expected 1: the file is damaged"),
    "no version": (versions(), r"does not say which version .* imports \(opset_import\): export the model again"),
    "versions": (versions(8, 11, 13), r"several versions of the standard operators, \[11, 13\]"),
    "unknown version": (versions(8, 99), r"imports version 99 of the standard operators, expected 1 to \d+: install"),
    "negative version": (versions(8, -1), "imports version -1 of the standard operators, expected 1 to .*: export"),
    "no form": (versions(0, 13), r"in version 0 of the ONNX format, expected 3 to \d+: export"),
    "form of the future": (versions(99, 13), r"in version 99 of the ONNX format, expected 3 to \d+: install"),
    "bits": (quantiser(3, 1e9), "its bit width must be from 1 to 32"),
    "infinite scale": (activation_scale(np.inf), "its scale must be positive, and finite"),
    "no scale": (activation_scale(np.nan), "its scale must be positive, and finite"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("little_memory")
def test_refused(case: str, tmp_path: Path) -> None:
    spoil, message = CASES[case]
    model = whole()
    spoil(model)
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match=message) as raised:
        load_network(tmp_path / "model.onnx")
    assert "\n" not in str(raised.value)
    assert "model.onnx" in str(raised.value)


def test_what_they_are_made_from_is_read(tmp_path: Path) -> None:
    model = whole()
    onnx.save(model, tmp_path / "model.onnx")
    assert load_network(tmp_path / "model.onnx").shapes == ((4, 1, 1), (3, 1, 1))
    long("Identity", 1000)(model)
    onnx.save(model, tmp_path / "long.onnx")
    assert load_network(tmp_path / "long.onnx").shapes == ((4, 1, 1), (3, 1, 1))
    assert QONNX in {opset.domain for opset in model.opset_import}


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "a/../../secret"])
def test_weights_outside_the_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_bytes(bytes(192))
    model = whole()
    tensor = weights(model)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    (tmp_path / "model" / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="a file outside the model's folder is not read"):
        load_network(tmp_path / "model" / "model.onnx")


def test_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    for path, what in (
        (tmp_path / "pipe.onnx", "a device or a pipe"),
        (Path("/dev/zero"), "a device"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(ModelError, match=f"cannot read network file .*: it is a.*{what.split()[-1]}"):
            load_network(path)


def test_a_datatype_of_a_billion_bits_is_none() -> None:
    assert span_of("INT999999999") is None
    assert span_of("UINT128") == (0, 2**128 - 1)
