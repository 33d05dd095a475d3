"""From channels first to channels last: FINN's hardware layers take [N, H, W, C].

Each operator on an image that works channels first is put between two transpositions; what then stands between two
operators are pairs that undo each other, also where a stream is read twice. FINN's own steps, which move transpositions
past one kind of operator after the other, lose their way in graphs that branch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onnx import NodeProto, TensorProto, helper

Model = Any
"""qonnx.core.modelwrapper.ModelWrapper."""

TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
GENERAL, HARDWARE = "qonnx.custom_op.general", "finn.custom_op.fpgadataflow"


def channels_last(model: Model) -> None:
    """Every threshold, pool, addition and concatenation of images with channels last, in place. Before convolutions
    are lowered, when all images are channels first."""
    for node in list(model.graph.node):
        make = _MAKERS.get(node.op_type)
        if make is not None and len(model.get_tensor_shape(node.output[0])) == 4:
            _between(model, node, make)


def cancel(model: Model) -> None:
    """Take out transpositions that undo each other, in place; one of several equal ones of a stream stays."""
    graph = model.graph
    for node in list(graph.node):
        if node.op_type != "Transpose":
            continue
        perm, producer = _perm(node), model.find_producer(node.input[0])
        if producer is not None and producer.op_type == "Transpose" and _undo(_perm(producer), perm):
            _take(model, node, producer.input[0])
            if not model.find_consumers(producer.output[0]):
                graph.node.remove(producer)
        elif perm == TO_LAST:
            same = next(
                other
                for other in graph.node
                if other.op_type == "Transpose" and other.input[0] == node.input[0] and _perm(other) == perm
            )
            if same is not node:
                _take(model, node, same.output[0])


def _perm(node: Any) -> list[int]:
    return list(next(attribute for attribute in node.attribute if attribute.name == "perm").ints)


def _undo(first: list[int], second: list[int]) -> bool:
    return [first[axis] for axis in second] == list(range(len(first)))


def _take(model: Model, node: Any, tensor: str) -> None:
    """All that reads a node's output reads ``tensor`` instead; the node goes."""
    for consumer in model.find_consumers(node.output[0]) or []:
        consumer.input[:] = [tensor if name == node.output[0] else name for name in consumer.input]
    model.graph.node.remove(node)


def _between(model: Model, node: Any, make: Callable[[Model, Any, list[str], str], list[NodeProto]]) -> None:
    """Put an operator with channels last in the place of a node, between transpositions."""
    at, before = list(model.graph.node).index(node), []
    images = []
    for name in node.input:
        shape = model.get_tensor_shape(name)
        if model.get_initializer(name) is not None or len(shape) != 4:
            images.append(name)
            continue
        images.append(_tensor(model, [shape[axis] for axis in TO_LAST], name))
        before.append(helper.make_node("Transpose", [name], [images[-1]], perm=TO_LAST))
    shape = model.get_tensor_shape(node.output[0])
    last = _tensor(model, [shape[axis] for axis in TO_LAST], node.output[0])
    made = make(model, node, images, last)
    model.graph.node.remove(node)
    behind = helper.make_node("Transpose", [last], [node.output[0]], perm=TO_FIRST)
    for offset, new in enumerate([*before, *made, behind]):
        model.graph.node.insert(at + offset, new)


def _tensor(model: Model, shape: list[int], like: str) -> str:
    """A new tensor of another's datatype."""
    value = helper.make_tensor_value_info(model.make_new_valueinfo_name(), TensorProto.FLOAT, shape)
    model.graph.value_info.append(value)
    model.set_tensor_datatype(value.name, model.get_tensor_datatype(like))
    return str(value.name)


def _ints(node: Any, name: str) -> list[int]:
    return list(next(attribute for attribute in node.attribute if attribute.name == name).ints)


def _threshold(model: Model, node: Any, inputs: list[str], output: str) -> list[NodeProto]:
    made = NodeProto()
    made.CopyFrom(node)
    kept = [attribute for attribute in made.attribute if attribute.name != "data_layout"]
    del made.attribute[:]
    made.attribute.extend([*kept, helper.make_attribute("data_layout", "NHWC")])
    made.input[:], made.output[:] = inputs, [output]
    return [made]


def _max_pool(model: Model, node: Any, inputs: list[str], output: str) -> list[NodeProto]:
    options: dict[str, Any] = {name: _ints(node, name) for name in ("kernel_shape", "strides", "pads")}
    return [helper.make_node("MaxPoolNHWC", inputs, [output], domain=GENERAL, name=node.name, **options)]


def _sum_pool(model: Model, node: Any, inputs: list[str], output: str) -> list[NodeProto]:
    """FINN's GlobalAccPool where the window is the whole image, else a window generator and its accumulating Pool."""
    (image,), kernel, stride = inputs, _ints(node, "kernel_shape"), _ints(node, "strides")
    batch, height, width, channels = model.get_tensor_shape(image)
    datatype = model.get_tensor_datatype(image)
    if kernel == [height, width]:
        return [
            helper.make_node(
                "GlobalAccPool", [image], [output], name=node.name, domain=HARDWARE, backend="fpgadataflow",
                NumChannels=channels, PE=1, inputDataType=datatype.name, numInputVectors=[batch, height, width],
            )
        ]  # fmt: skip
    rows, columns = model.get_tensor_shape(output)[1:3]
    windows = _tensor(model, [batch, rows, columns, channels * kernel[0] * kernel[1]], image)
    generator = helper.make_node(
        "Im2Col", [image], [windows], domain=GENERAL, stride=stride, kernel_size=kernel, pad_amount=[0] * 4,
        pad_value=0, depthwise=1, input_shape=f"({batch},{height},{width},{channels})",
    )  # fmt: skip
    pool = helper.make_node(
        "Pool", [windows], [output], name=node.name, domain=HARDWARE, backend="fpgadataflow", Channels=channels,
        PE=channels, KernelSize=kernel, Function="AccPool", OutImgDims=[rows, columns], BatchSize=batch,
        InputDataType=datatype.name, OutputDataType=model.get_tensor_datatype(output).name,
        cpp_interface="hls_vector",
    )  # fmt: skip
    return [generator, pool]


def _upsample(model: Model, node: Any, inputs: list[str], output: str) -> list[NodeProto]:
    image = inputs[0]
    batch, height, width, channels = model.get_tensor_shape(image)
    rows, columns = model.get_tensor_shape(output)[1:3]
    return [
        helper.make_node(
            "UpsampleNearestNeighbour", [image], [output], name=node.name, domain=HARDWARE, backend="fpgadataflow",
            SIMD=1, HI=height, WI=width, HO=rows, WO=columns, NumChannels=channels, batchSize=batch,
            inputDataType=model.get_tensor_datatype(image).name, cpp_interface="hls_vector",
            hls_style="freerunning",
        )
    ]  # fmt: skip


def _element_wise(model: Model, node: Any, inputs: list[str], output: str) -> list[NodeProto]:
    return [helper.make_node(node.op_type, inputs, [output], name=node.name)]


def _concat(model: Model, node: Any, inputs: list[str], output: str) -> list[NodeProto]:
    return [helper.make_node("Concat", inputs, [output], name=node.name, axis=-1)]


_MAKERS: dict[str, Callable[[Model, Any, list[str], str], list[NodeProto]]] = {
    "MultiThreshold": _threshold,
    "MaxPool": _max_pool,
    "SumPool": _sum_pool,
    "Resize": _upsample,
    "Add": _element_wise,
    "Sub": _element_wise,
    "Mul": _element_wise,
    "Concat": _concat,
}
