"""ONNX files: damaged bytes, and models that are valid protobuf and mean what nobody meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets import good as common

Model = onnx.ModelProto
HUGE = (0, -1, 1, 2**20, 2**31 - 1, 2**31, 2**40, 2**62, -(2**63))
NAMES = ("", "x" * 10_000, "\x1b[2J\x1b[31m", "a\nb", "‮abc", "image", "../../x", "conv0", "\x00")
OPERATORS = (
    "Relu", "Loop", "If", "Scan", "Range", "Tile", "Expand", "Abs", "Conv", "MatMul", "Gemm", "MaxPool", "Sigmoid",
    "Mod", "Identity", "Reshape", "Transpose", "Resize", "NonZero", "Shape", "TopK", "MultiThreshold", "Quant", "Pad",
    "Clip",
    "BatchNormalization", "Constant", "Cast", "Split", "Concat", "ArgMax", "QuantizeLinear", "Einsum", "\x1b[2J",
)  # fmt: skip


def _tensor(model: Model, rng: Rng) -> TensorProto:
    tensors: Sequence[TensorProto] = model.graph.initializer or [model.graph.initializer.add()]
    return tensors[int(rng.integers(len(tensors)))]


def _node(model: Model, rng: Rng) -> onnx.NodeProto:
    nodes: Sequence[onnx.NodeProto] = model.graph.node or [model.graph.node.add()]
    return nodes[int(rng.integers(len(nodes)))]


def _dims(model: Model, rng: Rng) -> None:
    tensor = _tensor(model, rng)
    if tensor.dims and rng.random() < 0.7:
        tensor.dims[int(rng.integers(len(tensor.dims)))] = int(pick(rng, *HUGE, 2, 3))
    else:
        tensor.dims.append(int(pick(rng, *HUGE)))


def _values(model: Model, rng: Rng) -> None:
    tensor = _tensor(model, rng)
    try:
        values = np.array(numpy_helper.to_array(tensor))
    except Exception:
        return
    if not values.size:
        return
    value = pick(rng, 0, np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-45, 2.0**31, -1, 0.3, 1e9, 2**31 - 1, 255)
    with np.errstate(all="ignore"):
        if rng.random() < 0.5:
            values[...] = value if np.isfinite(value) or values.dtype.kind == "f" else 0
        else:
            values.flat[int(rng.integers(values.size))] = value if np.isfinite(value) or values.dtype.kind == "f" else 0
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _type(model: Model, rng: Rng) -> None:
    _tensor(model, rng).data_type = int(pick(rng, *range(26), 99, -1, 2**31 - 1))


def _data(model: Model, rng: Rng) -> None:
    tensor = _tensor(model, rng)
    raw = tensor.raw_data
    tensor.raw_data = bytes(pick(rng, b"", raw[: len(raw) // 2], raw + b"\x00", raw * 2, rng.bytes(len(raw))))
    if rng.random() < 0.3:
        tensor.float_data.extend([1.0] * int(pick(rng, 1, 100)))
    if rng.random() < 0.2:
        tensor.string_data.append(b"\x1b")


def _external(model: Model, rng: Rng) -> None:
    tensor = _tensor(model, rng)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    places = (
        "weights.bin",
        "../../../../etc/passwd",
        "/etc/passwd",
        "/dev/zero",
        "fifo",
        "nowhere",
        ".",
        "",
        "link",
        "\x1b",
    )
    tensor.external_data.add(key="location", value=str(pick(rng, *places)))
    if rng.random() < 0.7:
        tensor.external_data.add(key="offset", value=str(pick(rng, 0, 4, -1, 2**40, 2**63, "x", "9" * 5000)))
        tensor.external_data.add(key="length", value=str(pick(rng, 0, 4, -1, 2**40, 2**63, "x", 36)))


def _rename(model: Model, rng: Rng) -> None:
    name, node = str(pick(rng, *NAMES)), _node(model, rng)
    what = int(rng.integers(6))
    if what == 0:
        node.name = name
    elif what == 1 and node.input:
        node.input[int(rng.integers(len(node.input)))] = name
    elif what == 2 and node.output:
        node.output[0] = name
    elif what == 3:
        _tensor(model, rng).name = name
    elif what == 4 and model.graph.input:
        model.graph.input[0].name = name
    elif model.graph.output:
        model.graph.output[0].name = name


def _wire(model: Model, rng: Rng) -> None:
    """Inputs and outputs of two nodes are mixed up: cycles, branches, doubles."""
    a, b = _node(model, rng), _node(model, rng)
    what = int(rng.integers(5))
    if what == 0 and a.input and b.output:
        a.input[0] = b.output[0]
    elif what == 1 and a.output and b.output:
        a.output[0] = b.output[0]
    elif what == 2 and a.input:
        a.input.append(str(pick(rng, a.input[0], "", "image")))
    elif what == 3 and a.input:
        del a.input[int(rng.integers(len(a.input))) :]
    else:
        tensors = list(model.graph.initializer)
        if len(tensors) > 1:
            tensors[0].name = tensors[-1].name


def _operator(model: Model, rng: Rng) -> None:
    _node(model, rng).op_type = str(pick(rng, *OPERATORS))
    if rng.random() < 0.3:
        _node(model, rng).domain = str(pick(rng, "", "ai.onnx", "qonnx.custom_op.general", "nowhere", "ai.onnx.ml"))


def _attribute(model: Model, rng: Rng) -> None:
    node = _node(model, rng)
    if node.attribute and rng.random() < 0.75:
        attribute = node.attribute[int(rng.integers(len(node.attribute)))]
        what = rng.random()
        if what < 0.2:
            node.attribute.remove(attribute)
            return
        if what < 0.6 and attribute.ints:
            attribute.ints[int(rng.integers(len(attribute.ints)))] = int(pick(rng, *HUGE))
            return
        if what < 0.7:
            attribute.ints.extend([int(pick(rng, *HUGE))] * int(pick(rng, 1, 7, 2000)))
            return
        name = attribute.name
        node.attribute.remove(attribute)
    else:
        name = str(
            pick(rng, "axis", "strides", "pads", "kernel_shape", "dilations", "group", "perm", "auto_pad", "value")
        )
    value = pick(rng, 1, *HUGE[:-1], 0.5, float("nan"), "text", "\x1b[2J", [1, 1], [0, 0], [2**62] * 2, [-1] * 4, [1.5])
    node.attribute.append(helper.make_attribute(name, value))


def _order(model: Model, rng: Rng) -> None:
    nodes = list(model.graph.node)
    del model.graph.node[:]
    what = rng.random()
    if what < 0.3:
        nodes.reverse()
    elif what < 0.6 and nodes:
        nodes.insert(int(rng.integers(len(nodes))), nodes[int(rng.integers(len(nodes)))])
    elif what < 0.95 and nodes:
        nodes.pop(int(rng.integers(len(nodes))))
    else:
        nodes = []
    model.graph.node.extend(nodes)


def _long(model: Model, rng: Rng) -> None:
    """A long chain, or wide growth, of harmless nodes in front."""
    source = model.graph.input[0].name if model.graph.input else "image"
    first = next((node for node in model.graph.node if source in node.input), None)
    count, nodes = int(pick(rng, 1000, 20_000)), []
    kind = str(pick(rng, "Identity", "Relu", "Concat", "Add"))
    for number in range(count if kind in ("Identity", "Relu") else 60):
        target = f"long{number}"
        doubles = kind in ("Concat", "Add")
        options: dict[str, Any] = {"axis": 1} if kind == "Concat" else {}
        nodes.append(helper.make_node(kind, [source, source] if doubles else [source], [target], **options))
        source = target
    if first is not None:
        first.input[0] = source
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes + rest)


def _growth(model: Model, rng: Rng) -> None:
    """Constants that say in few bytes that they are large, in place of one of the model's."""
    tensor = _tensor(model, rng)
    name, size = tensor.name, int(pick(rng, 2**16, 2**28, 2**33, 2**40, 2**62))
    add, nodes = model.graph.initializer.add, []
    add().CopyFrom(numpy_helper.from_array(np.array([size], np.int64), "grow_shape"))
    add().CopyFrom(numpy_helper.from_array(np.array([1, 1], np.float32), "grow_values"))
    what = int(rng.integers(7))
    if what == 0:
        nodes.append(helper.make_node("ConstantOfShape", ["grow_shape"], [name]))
    elif what == 1:
        nodes.append(helper.make_node("Tile", ["grow_values", "grow_shape"], [name]))
    elif what == 2:
        add().CopyFrom(numpy_helper.from_array(np.array([size, 2], np.int64), "grow_wide"))
        nodes.append(helper.make_node("Expand", ["grow_values", "grow_wide"], [name]))
    elif what == 3:
        for key, value in (("a", 0), ("b", size), ("c", 1)):
            add().CopyFrom(numpy_helper.from_array(np.array(value, np.int64), f"grow_{key}"))
        nodes.append(helper.make_node("Range", ["grow_a", "grow_b", "grow_c"], [name]))
    elif what == 4:
        side = min(size, 2**18)
        for key, shape in (("a", (side, 1)), ("b", (1, side))):
            add().CopyFrom(numpy_helper.from_array(np.ones(shape, np.float32), f"grow_{key}"))
        nodes.append(helper.make_node("Mul", ["grow_a", "grow_b"], [name]))
    elif what == 5:
        source = "grow_values"
        for number in range(40):
            target = name if number == 39 else f"grow{number}"
            nodes.append(helper.make_node("Concat", [source, source], [target], axis=0))
            source = target
    else:
        add().CopyFrom(numpy_helper.from_array(np.array([0, size], np.int64), "grow_pads"))
        nodes.append(helper.make_node("Pad", ["grow_values", "grow_pads"], [name]))
    model.graph.initializer.remove(tensor)
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes + rest)


def _head(model: Model, rng: Rng) -> None:
    """Input, output, versions, annotations, functions, properties."""
    graph, what = model.graph, int(rng.integers(10))
    if what <= 2 and graph.input:
        dims = graph.input[0].type.tensor_type.shape.dim
        if dims and rng.random() < 0.7:
            dims[int(rng.integers(len(dims)))].dim_value = int(pick(rng, *HUGE, 2, 16, 1024))
        else:
            dims.add().dim_value = int(pick(rng, *HUGE))
    elif what == 3 and graph.input:
        graph.input[0].type.tensor_type.elem_type = int(pick(rng, *range(25), -1))
    elif what == 4:
        for opset in model.opset_import:
            opset.version = int(pick(rng, 0, -1, 1, 5, 7, 12, 21, 99, 2**62))
        if rng.random() < 0.2:
            del model.opset_import[:]
    elif what == 5:
        model.ir_version = int(pick(rng, 0, -1, 3, 99, 2**62))
    elif what == 6:
        annotation = graph.quantization_annotation.add(tensor_name=_tensor(model, rng).name)
        annotation.quant_parameter_tensor_names.add(
            key="finn_datatype",
            value=str(pick(rng, "INT999999999", "FIXED<1,2>", "", "\x1b", "UINT0", "BIPOLAR", "INT8", "x" * 10_000)),
        )
    elif what == 7:
        function = model.functions.add(name="f", domain="d")
        function.output.append("y")
        function.node.append(helper.make_node("f", [], ["y"], domain="d"))
        model.opset_import.add(domain="d", version=1)
        graph.node.append(helper.make_node("f", [], ["z"], domain="d"))
    elif what == 8:
        model.metadata_props.add(
            key=str(pick(rng, "fat_fpga_fault", "a")), value=str(pick(rng, *NAMES, "conv0/channel[0] = 1"))
        )
    else:
        getattr(graph, str(pick(rng, "input", "output"))).add(name=str(pick(rng, *NAMES, "second")))


STRUCTURE: tuple[Callable[[Model, Rng], None], ...] = (
    _dims, _values, _values, _type, _data, _external, _rename, _rename, _wire, _wire, _operator, _attribute, _attribute,
    _order, _head, _head, _growth, _long,
)  # fmt: skip


def _spoil(rng: Rng, good: Path, folder: Path) -> list[str]:
    sources = ["tiny.onnx", "digits.onnx", *(f"float{i}.onnx" for i in range(common.FLOAT_GRAPHS))]
    content: Any = (good / str(pick(rng, *sources))).read_bytes()
    if rng.random() < 0.35:
        content = damaged(content, rng)
    else:
        model = onnx.load_from_string(content)
        for _ in range(int(rng.integers(1, 3))):
            STRUCTURE[int(rng.integers(len(STRUCTURE)))](model, rng)
        content = model.SerializeToString()
    (folder / "weights.bin").write_bytes(bytes(4096))
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "model.onnx").write_bytes(content)
    what = rng.random()
    if what < 0.75:
        return ["info", "model.onnx"]
    if what < 0.9:
        return ["faults", "model.onnx", *([] if rng.random() < 0.7 else ["--faults", "weight,threshold,channel"])]
    return ["inject", "model.onnx", "conv0/channel[0] = 1", "-o", "faulty.onnx"]


TARGET = Target("onnx", 12, common.prepare, _spoil)
