"""What is folded, minimised and estimated is still the network: the specialised graph, executed by FINN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fat_fpga.boards import board
from fat_fpga.datasets import load
from fat_fpga.engines.reference import execute
from fat_fpga.errors import FinnError
from fat_fpga.faults import places
from fat_fpga.finn.auto import auto_folding
from fat_fpga.finn.estimates import part_of, unfolded
from fat_fpga.finn.graph import nodes_of, streams_of
from fat_fpga.finn.inject import insert_checksum
from fat_fpga.finn.layers import UNIT
from fat_fpga.finn.layout import to_stream
from fat_fpga.finn.parallel import apply_folding
from fat_fpga.finn.placing import HOOK
from fat_fpga.network import Network, load_network
from tests.designs.random_network import random_images, random_network
from tests.finn.test_engine import hardened

ZCU104 = board("ZCU104")


def execute_in_python(custom: Any, context: dict[str, Any], graph: Any) -> None:
    """The first class behind an HLS or RTL back end that says what the layer computes."""
    kind: Any
    for kind in type(custom).__mro__:
        if "execute_node" in vars(kind) and kind.__module__.split(".")[-2] not in ("hls", "rtl"):
            kind.execute_node(custom, context, graph)
            return
    raise AssertionError(type(custom))


def test_random_networks() -> None:
    """Folded for a rate, what is built computes the network; or it is refused in one line."""
    built, refused = 0, []
    for seed in range(30):
        network = random_network(seed)
        try:
            check(network, random_images(network, 1, seed), None, 2_000)
            built += 1
        except FinnError as error:
            refused.append(str(error))
    assert built >= 8, built
    assert not [reason for reason in refused if "stopped with" in reason or "\n" in reason]


@pytest.mark.parametrize(
    ("name", "copies", "inject", "hooks"),
    [
        ("cnv_w1a1", False, None, False),
        ("cnv_w1a1", True, "stream", False),
        ("cnv_w1a2", False, "stream", False),
        ("cnv_w2a2", False, "thresholds", False),
        ("cnv_w2a2", True, None, True),
        ("tfc_w2a2", True, "thresholds", True),
    ],
)
def test_the_specialised_graph_computes_the_network(name: str, copies: bool, inject: str | None, hooks: bool) -> None:
    network = load_network(name)
    network = hardened(network) if copies else network
    image = load("demo:cifar10", limit=1).images if name.startswith("cnv") else random_images(network, 1)
    check(network, image, inject, 300, hooks)


def check(network: Network, image: Any, inject: str | None, rate: int, hooks: bool = False) -> None:
    """Every stream of the specialised graph, folded for a rate, is the network's, and of its declared datatype."""
    from qonnx.custom_op.registry import getCustomOp

    model = unfolded(network, part_of(ZCU104), inject)
    apply_folding(model, network, auto_folding(network, rate, ZCU104, inject=inject))
    for node in streams_of(model, network).values() if hooks else ():
        insert_checksum(model, node)
    context = model.make_empty_exec_context()
    first = model.graph.node[0].input[0]
    context[first] = image.astype(np.float32).transpose(0, 2, 3, 1)
    for node in model.graph.node:
        execute_in_python(getCustomOp(node), context, model.graph)
    last = next(n for n in nodes_of(model, network) if (n.place, n.role) == (network.units[-1].name, UNIT))
    counting = last.custom.get_nodeattr("binaryXnorMode")
    expected = execute(network, image)
    for place, node in streams_of(model, network).items():
        assert (node.role == HOOK) == hooks
        tensor, levels = node.proto.output[0], places(network)[place].levels
        datatype = model.get_tensor_datatype(tensor)
        assert np.all(datatype.allowed(context[tensor])), place
        binary = levels is not None and levels.bipolar and datatype.name == "BINARY"
        inputs = network.units[-1].weights[0].size if levels is None and counting else None
        assert np.array_equal(to_stream(context[tensor], places(network)[place].shape, binary, inputs), expected[place])
    scores = expected[network.units[-1].name][0, :, 0, 0]
    assert int(context[model.graph.output[0].name].ravel()[0]) == int(scores.argmax())
