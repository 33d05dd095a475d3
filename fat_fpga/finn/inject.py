"""Saboteurs and checksum hooks in the streams of FINN's hardware graph."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto, helper

from fat_fpga.faults.changes import HeldActivations
from fat_fpga.finn.graph import streams_of
from fat_fpga.finn.operators import CHECKSUM, DOMAIN, SABOTEUR, register
from fat_fpga.finn.placing import Node
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network


def insert_saboteur(model: Model, tensor: str, name: str, lanes: int = 1) -> Any:
    """Put a saboteur behind the node that makes ``tensor`` (channels last); it holds nothing yet.

    All consumers take the saboteur's output. The node is returned; its name is ``name``.
    """
    return _insert(model, SABOTEUR, tensor, name, lanes)


def insert_checksum(model: Model, node: Node) -> Any:
    """Put a checksum hook behind a folded hardware layer, as wide as what the layer sends; the new node is returned."""
    lanes = int(node.custom.get_folded_output_shape()[-1])
    return _insert(model, CHECKSUM, node.proto.output[0], f"{CHECKSUM}_{node.place.replace('.', '_')}", lanes)


def add_checksums(model: Model, network: Network) -> None:
    """A checksum hook behind every stream of a folded graph, in place."""
    for node in streams_of(model, network).values():
        insert_checksum(model, node)


def _insert(model: Model, kind: str, tensor: str, name: str, lanes: int) -> Any:
    """A node of ours between the one that makes ``tensor`` and all that take it."""
    register()
    shape, datatype = list(model.get_tensor_shape(tensor)), model.get_tensor_datatype(tensor)
    consumers = model.find_consumers(tensor) or []
    value = helper.make_tensor_value_info(model.make_new_valueinfo_name(), TensorProto.FLOAT, shape)
    model.graph.value_info.append(value)
    model.set_tensor_datatype(value.name, datatype)
    for consumer in consumers:
        consumer.input[:] = [value.name if source == tensor else source for source in consumer.input]
    node = helper.make_node(
        kind, [tensor], [value.name], name=name, domain=DOMAIN, backend="fpgadataflow", NumChannels=shape[-1],
        PE=lanes, dataType=datatype.name, numInputVectors=shape[:-1],
    )  # fmt: skip
    producer = model.find_producer(tensor)
    at = 0 if producer is None else list(model.graph.node).index(producer) + 1
    model.graph.node.insert(at, node)
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
