"""Checksums of our streams against those of FINN's own folded streams, packed into beats by FINN."""

from __future__ import annotations

import numpy as np
import pytest

from fat_fpga.boards import board
from fat_fpga.checksums import checksums
from fat_fpga.engines import get
from fat_fpga.faults import places
from fat_fpga.finn.auto import auto_folding
from fat_fpga.finn.estimates import part_of, unfolded
from fat_fpga.finn.folding import read_build_folding
from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.instrumented import instrumented
from fat_fpga.finn.layers import POOL, UNIT, VOTE
from fat_fpga.finn.parallel import apply_folding
from fat_fpga.finn.placing import ACTIVATION, LABELS
from fat_fpga.network import Network, load_network
from tests.designs.random_network import random_images
from tests.finn.hls_checksum import checksum_hook
from tests.finn.test_engine import hardened

ZCU104 = board("ZCU104")


def finn_checksums(network: Network, folding: str, image: np.ndarray) -> dict[str, tuple[int, int]]:
    """By place the hook's checksum and the bits of a value: FINN's tensors, folded and packed by FINN."""
    from finn.util.data_packing import pack_innermost_dim_as_hex_string
    from qonnx.core.datatype import DataType

    model = unfolded(network, part_of(ZCU104))
    fold = (
        auto_folding(network, float(folding[5:]), ZCU104)
        if folding[:4] == "auto"
        else read_build_folding(folding, network)
    )
    apply_folding(model, network, fold)
    graph = instrumented(network)
    context = graph.golden(image)
    found = {}
    for node in nodes_of(model, network):
        if node.role not in (UNIT, ACTIVATION, POOL, VOTE) or node.place == LABELS:
            continue
        folded, datatype = node.custom.get_folded_output_shape(), node.custom.get_output_datatype()
        tensor = context[graph._streams[node.place]].reshape(folded)
        if datatype.name == "BIPOLAR":
            tensor, datatype = (tensor + 1) / 2, DataType["BINARY"]
        width = folded[-1] * datatype.bitwidth()
        beats = pack_innermost_dim_as_hex_string(tensor, datatype, -(-width // 4) * 4, reverse_inner=True)
        words = [int(beat, 16) for beat in beats.ravel()]
        found[node.place] = checksum_hook(words, folded[-1], datatype.bitwidth()), datatype.bitwidth()
    return found


@pytest.mark.parametrize(
    ("name", "folding"),
    [("cnv_w1a1", "stock"), ("cnv_w1a1", "auto:500"), ("cnv_w2a2", "stock"), ("tfc_w2a2", "auto:20000")],
)
def test_our_checksums_are_those_of_finn_s_streams(name: str, folding: str) -> None:
    network = load_network(name)
    image = random_images(network, 1, 3)
    ours = checksums(network, get("reference").open(network).trace(image))
    theirs = finn_checksums(network, folding, image[0])
    assert list(theirs) == list(places(network))
    assert {place: (int(sums[0]), bits) for place, (sums, bits) in ours.items()} == theirs


def test_voted_streams() -> None:
    network = hardened(load_network("tfc_w2a2"))
    image = random_images(network, 1, 3)
    ours = checksums(network, get("reference").open(network).trace(image))
    theirs = finn_checksums(network, "auto:10000", image[0])
    assert {place: (int(sums[0]), bits) for place, (sums, bits) in ours.items()} == theirs
