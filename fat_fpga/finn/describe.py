"""What a host has to know of a FINN build for a Zynq: the description that goes beside the bitstream.

For synthesis FINN cuts the graph into partitions, so that each block with AXI-Lite registers has one of its own; in the
overlay's memory map it goes by the partition's name. Names of nodes are given anew on the way, so the blocks are found
by walking the partitions along the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import NamedTuple

import numpy as np

from fat_fpga.board.description import Address, Description, StreamPlace
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import FinnError
from fat_fpga.faults.place import Place, places
from fat_fpga.faults.register import Register, activation_register
from fat_fpga.files import make_folder
from fat_fpga.finn.layers import UNIT, VOTE
from fat_fpga.finn.operators import register
from fat_fpga.finn.placing import ACTIVATION, HOOK, INJECTOR, LABELS, LINK, WINDOW, Node, Wired, placed
from fat_fpga.finn.steps import Model
from fat_fpga.finn.thresholds_built import logic_of
from fat_fpga.finn.writable import threshold_memory
from fat_fpga.network import Network
from fat_fpga.network.network_file import write_network

PARTITION = "StreamingDataflowPartition"


class Part(NamedTuple):
    """A node, where its registers are (a partition's name in the memory map, or an address), and the model that has its
    constants."""

    node: Node
    at: Address
    model: Model


def write_description(model: Model, network: Network, folder: str | PathLike[str]) -> Description:
    """Put ``board.json`` and ``network.npz`` into the folder of a deployment package; see `describe`."""
    description = describe(model, network)
    folder = make_folder(folder)
    write_network(network, folder / "network.npz")
    description.write(folder / "board.json")
    return description


def describe(model: Model, network: Network) -> Description:
    """The description of an accelerator.

    Args:
        model: as FINN's ZynqBuild leaves it, a row of partitions between two DMA blocks.
        network: what was built.

    Raises:
        FinnError: the model is another one, or has a part that cannot be driven.
    """
    register()
    return described(list(_parts(model, network)), network)


def described(parts: list[Part], network: Network) -> Description:
    """The description of an accelerator that takes pixels and gives out classes, from its nodes along the stream.

    Raises:
        FinnError: they are of another network, or one cannot be driven.
    """
    known, streams = places(network), []
    for place in known.values():
        here = [part for part in parts if part.node.place == place.name and part.node.role not in (LINK, WINDOW)]
        if here:
            streams.append(_stream(place, network, here))
    missing = [layer.name for layer in network.layers if layer.name not in {stream.place for stream in streams}]
    labels = next((part for part in parts if part.node.place == LABELS), None)
    if missing or labels is None:
        raise FinnError(f"this build has no layer {missing[0] if missing else LABELS}: it is not one of {network.name}")
    table = np.broadcast_to(np.arange(256), (network.input.shape[0], 256)).tolist()
    entry = next(part for part in parts if part.node.role != LINK)
    first, last = entry.node.custom, labels.node.custom
    lanes, pixel = int(first.get_folded_input_shape()[-1]), first.get_input_datatype()
    if pixel.name != "UINT8":
        raise FinnError(f"this build takes {pixel.name}, expected UINT8: pixels as they are")
    c, h, w = network.input.shape
    return Description(
        network.name,
        network.fingerprint,
        network.input.shape,
        table,
        StreamLayout(c * h * w, 1, 1, lanes, Register(8, False)),
        StreamLayout(1, 1, 1, 1, Register(last.get_output_datatype().bitwidth(), False)),
        tuple(streams),
        labels=True,
    )


def _parts(model: Model, network: Network) -> Iterator[Part]:
    """Every hardware layer, along the stream."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp

    nodes: list[Wired] = []
    homes: dict[int, tuple[str, Model]] = {}
    for partition in model.graph.node:
        if partition.op_type != PARTITION:
            raise FinnError(f"{partition.name} is no partition: FINN's bitfile step has not been run on this model")
        inside = ModelWrapper(getCustomOp(partition).get_nodeattr("model"))
        outside = dict(zip((tensor.name for tensor in inside.graph.input), partition.input, strict=False))
        outside |= zip((tensor.name for tensor in inside.graph.output), partition.output, strict=False)
        for proto in inside.graph.node:
            names = [
                tuple((name in outside or partition.name, outside.get(name, name)) for name in tensors)
                for tensors in (proto.input, proto.output)
            ]
            nodes.append(Wired(proto, *names))
            homes[id(proto)] = partition.name, inside
    for node in placed(nodes, network):
        yield Part(node, *homes[id(node.proto)])


def _stream(place: Place, network: Network, parts: list[Part]) -> StreamPlace:
    """A place's stream, from the nodes that make it."""
    by_role = {part.node.role: part for part in parts}
    maker = [part for part in parts if part.node.role not in (INJECTOR, HOOK)][-1].node.custom
    datatype, lanes = maker.get_output_datatype(), int(maker.get_folded_output_shape()[-1])
    bits = (
        Register(datatype.bitwidth(), datatype.signed()) if place.levels is None else activation_register(place.levels)
    )
    if bits.bits != datatype.bitwidth():
        raise FinnError(f"{place.name}: FINN streams {datatype.name}, expected {bits.bits} bits for {place.levels}")
    memory = None
    if (thresholds := by_role.get(ACTIVATION)) and thresholds.node.custom.get_nodeattr("runtime_writeable_weights"):
        rows = thresholds.model.get_initializer(thresholds.node.proto.input[1])
        memory = threshold_memory(place.name, thresholds.node.custom, rows, thresholds.at)
    logic = None if place.thresholded is None else logic_of((thresholds or by_role[UNIT]).node.proto.op_type)
    voter, sources = by_role.get(VOTE), None
    if voter is not None:
        sources = voter.node.custom.sources.tolist()
        vote = network.vote_behind(network.inputs[place.name][0])
        if vote is None or sources != vote.sources.tolist():
            raise FinnError(f"{place.name}: the voter of this build has another map than {network.name}")
    layout = StreamLayout(*place.shape, lanes, bits)
    names = {role: by_role[role].at if role in by_role else None for role in (INJECTOR, HOOK, VOTE)}
    blocks = (names[INJECTOR], memory, names[VOTE], sources, names[HOOK])
    return StreamPlace(place.name, layout, place.levels, *blocks, logic)
