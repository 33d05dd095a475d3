"""Votes that the native engine decides, and votes that it leaves to be computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fat_fpga.crosscheck import KINDS, sample_faults
from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.engines.votes import without_votes
from fat_fpga.errors import ModelWarning
from fat_fpga.faults import Fault, FaultSet, changes_of
from fat_fpga.hardening import rearranged
from fat_fpga.network import Levels, MajorityVote, Network
from tests.campaign.tiny import tiny_data, tiny_network
from tests.designs.random_graph import random_graph
from tests.designs.random_network import random_images

ROWS = (0, 1, 2, 3, 1, 1)
TERNARY = Levels(-1, 1, 3)


def hardened() -> Network:
    return rearranged(tiny_network(levels=TERNARY), "conv0", ROWS)


def stuck(*values: int | None) -> FaultSet:
    """The three copies of channel 1 stuck at these values."""
    faults = (
        Fault("conv0", "channel", (row,), value)
        for row, value in zip((1, 4, 5), values, strict=True)
        if value is not None
    )
    return FaultSet(tuple(faults))


@pytest.mark.parametrize(
    ("fault", "decided"),
    [
        (stuck(1, None, None), True),
        (stuck(1, None, 1), True),
        (stuck(1, 0, 1), True),
        (stuck(1, 0, None), False),
        (stuck(-1, 0, 1), False),
    ],
)
def test_several_copies_at_once(fault: FaultSet, decided: bool) -> None:
    network, data = hardened(), tiny_data(40)
    assert (without_votes(network).changes(changes_of(network, [fault])) is not None) is decided
    wanted = get("reference").open(network).run(data.images, data.labels, [fault], predictions=True)
    for name in ("native", "torch", "qonnx"):
        got = get(name).open(network).run(data.images, data.labels, [fault], predictions=True)
        np.testing.assert_array_equal(got.predictions, wanted.predictions, name)
        np.testing.assert_array_equal(got.changed, wanted.changed)
    assert "conv0" in get("native").open(network).trace(data.images, fault)
    for name in ("native", "torch"):
        streams = get(name).open(network).trace(data.images, fault)
        for place, stream in get("reference").open(network).trace(data.images, fault).items():
            if place in streams:
                np.testing.assert_array_equal(streams[place], stream, f"{name}, {place}")


def test_three_values_that_differ_give_their_bits() -> None:
    """-1 is 11, 0 is 00, +1 is 01: two of three have the low bit, one the high bit."""
    stream = get("reference").open(hardened()).trace(tiny_data(2).images, stuck(-1, 0, 1))["conv0.vote"]
    assert (stream[:, 1] == 1).all()


def test_rows_that_are_no_copies() -> None:
    """A vote on rows of their own can be computed, and not decided: the native engine hands the network on."""
    network, data = hardened(), tiny_data(5)
    unit, vote = network.layers[0], network.layers[1]
    sources = np.array([[0, 1, 2], [1, 4, 5], [2, 2, 2], [3, 3, 3]], np.int32)
    assert isinstance(vote, MajorityVote)
    odd = replace(network, layers=(unit, replace(vote, sources=sources), *network.layers[2:]))
    wanted = get("reference").open(odd).run(data.images, data.labels, [])
    with pytest.warns(ModelWarning, match="the three rows of channel 0 all differ"):
        found = get("native").open(odd).run(data.images, data.labels, [])
    np.testing.assert_array_equal(found.golden, wanted.golden)
    np.testing.assert_array_equal(get("torch").open(odd).run(data.images, data.labels, []).golden, wanted.golden)


def test_one_bad_copy_in_the_file_is_outvoted() -> None:
    network, data = hardened(), tiny_data(5)
    unit = network.units[0]
    weights = unit.weights.copy()
    weights[4] *= -1
    odd = replace(network, layers=(replace(unit, weights=weights), *network.layers[1:]))
    for name in ("reference", "native"):
        golden = get(name).open(odd).run(data.images, data.labels, []).golden
        np.testing.assert_array_equal(golden, get(name).open(network).run(data.images, data.labels, []).golden)
    assert "conv0" not in get("native").open(odd).trace(data.images)  # no channel is computed as its row 4 is


def test_every_row_is_shown_in_front_of_votes() -> None:
    """As the reference engine computes it, under faults of every kind and sets of them."""
    pairs = 0
    for seed in range(12):
        network = random_graph(seed)
        voted = {network.inputs[layer.name][0] for layer in network.layers if isinstance(layer, MajorityVote)}
        if not voted:
            continue
        images = random_images(network, 3, seed)
        native, reference = get("native").open(network), get("reference").open(network)
        single = [fault for fault in sample_faults(network, KINDS, 60, 3, seed) if isinstance(fault, Fault)]
        held = [fault for fault in single if fault.kind in ("channel", "pixel")]
        for fault in (None, *single, *(FaultSet(pair) for pair in zip(held[::2], held[1::2], strict=False))):
            found = native.trace(images, fault)
            assert found.keys() >= voted
            right = reference.trace(images, fault)
            for place, stream in found.items():
                np.testing.assert_array_equal(stream, right[place], f"seed {seed}: {fault}, {place}")
            pairs += 1
    assert pairs > 150


def test_votes_one_behind_the_other_in_graphs() -> None:
    """A vote that is gone changes what the units behind it read; their own votes go as well."""
    behind = 0
    for seed in range(60):
        network = random_graph(seed)
        votes = [layer for layer in network.layers if isinstance(layer, MajorityVote)]
        voted = [network.inputs[vote.name][0] for vote in votes]
        behind += sum(network.inputs[unit][0] in {vote.name for vote in votes} for unit in voted)
        voteless = without_votes(network)
        assert not any(isinstance(layer, MajorityVote) for layer in voteless.network.layers)
        images = random_images(network, 2, seed)
        expected, got = execute(network, images, []), execute(voteless.network, images, [])
        for layer in voteless.network.layers:
            np.testing.assert_array_equal(got[layer.name], expected[voteless.shown_as(layer.name)])
    assert behind >= 5
