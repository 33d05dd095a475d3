"""Saboteurs in the streams of FINN's hardware graph."""

from __future__ import annotations

from math import prod
from typing import Any

from onnx import TensorProto, helper

from fat_fpga.faults.changes import HeldActivations
from fat_fpga.finn.operators import DOMAIN, SABOTEUR, register
from fat_fpga.finn.steps import Model

CHECKSUM = "CheckSum_hls"
"""FINN's operator that passes a stream on and sums it up."""


def insert_saboteur(model: Model, tensor: str, name: str, lanes: int = 1) -> Any:
    """Put a saboteur behind the node that makes ``tensor`` (channels last); it holds nothing yet.

    All consumers take the saboteur's output. The node is returned; its name is ``name``.
    """
    register()
    shape, datatype = list(model.get_tensor_shape(tensor)), model.get_tensor_datatype(tensor)
    consumers = model.find_consumers(tensor) or []
    value = helper.make_tensor_value_info(model.make_new_valueinfo_name(), TensorProto.FLOAT, shape)
    model.graph.value_info.append(value)
    model.set_tensor_datatype(value.name, datatype)
    for consumer in consumers:
        consumer.input[:] = [value.name if source == tensor else source for source in consumer.input]
    node = helper.make_node(
        SABOTEUR, [tensor], [value.name], name=name, domain=DOMAIN, backend="fpgadataflow", NumChannels=shape[-1],
        PE=lanes, dataType=datatype.name, numInputVectors=shape[:-1],
    )  # fmt: skip
    producer = model.find_producer(tensor)
    at = 0 if producer is None else list(model.graph.node).index(producer) + 1
    model.graph.node.insert(at, node)
    return model.graph.node[at]


def insert_checksum(model: Model, node: Any) -> Any:
    """Put FINN's checksum hook behind a folded hardware layer; the new node is returned.

    As FINN's InsertHook, which takes the lanes of a beat from the attribute PE: that is wrong behind a voter, whose
    lanes in front and behind differ.
    """
    proto, folded = node.proto, [int(size) for size in node.custom.get_folded_output_shape()]
    tensor, datatype = proto.output[0], node.custom.get_output_datatype()
    outputs = []
    for shape in (list(model.get_tensor_shape(tensor)), [1]):
        value = helper.make_tensor_value_info(model.make_new_valueinfo_name(), TensorProto.FLOAT, shape)
        model.graph.value_info.append(value)
        outputs.append(value.name)
    for consumer in model.find_consumers(tensor) or []:
        consumer.input[:] = [outputs[0] if source == tensor else source for source in consumer.input]
    model.set_tensor_datatype(outputs[0], datatype)
    hook = helper.make_node(
        CHECKSUM, [tensor], outputs, name=f"{CHECKSUM}_{node.place.replace('.', '_')}",
        domain="finn.custom_op.fpgadataflow.hls", backend="fpgadataflow", words_per_frame=prod(folded[:-1]),
        items_per_word=folded[-1], inputDataType=datatype.name, folded_shape=folded,
    )  # fmt: skip
    at = list(model.graph.node).index(proto) + 1
    model.graph.node.insert(at, hook)
    return model.graph.node[at]


def arm(saboteur: Any, change: HeldActivations, value: int) -> None:
    """Let a saboteur (FINN's object for it) hold a box at a value, as it stands in the tensor."""
    for name, part in (("channels", change.channels), ("rows", change.rows), ("columns", change.columns)):
        saboteur.set_nodeattr(name, [part.start, part.stop, part.step])
    saboteur.set_nodeattr("value", value)


def disarm(saboteur: Any) -> None:
    """Let it pass everything again."""
    for name in ("channels", "rows", "columns"):
        saboteur.set_nodeattr(name, [])
