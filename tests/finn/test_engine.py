"""The finn engine gives what every other engine gives, on what FINN can build."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fat_fpga.crosscheck import crosscheck, sample_faults
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.engines.reference import execute, predict
from fat_fpga.errors import EngineError, FinnError
from fat_fpga.faults import AnyFault, parse_fault, places
from fat_fpga.finn.graph import check_mappable
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.network import Network, load_network
from tests.designs.random_network import random_images, random_network

KINDS = ("channel", "pixel", "element", "pe", "weight", "threshold")


def hardened(network: Network, seed: int = 0) -> Network:
    """Every unit but the last with a quarter of its channels in three copies, in another order."""
    rng = np.random.default_rng(seed)
    for unit in network.units[:-1]:
        order = [int(channel) for channel in rng.permutation(unit.channels)]
        copied = set(order[: max(unit.channels // 4, 1)])
        rows = [channel for channel in order for _ in range(3 if channel in copied else 1)]
        network = rearranged(network, unit.name, rows, order)
    return network


def assert_equal(network: Network, images: Any, faults: Sequence[AnyFault]) -> None:
    check = crosscheck(network, images, faults, {name: get(name) for name in ("native", "finn", "reference")})
    assert check.equal, [str(pair.difference) for pair in check.pairs]
    assert not [refusal for refusal in check.refusals if refusal.engine == "finn"]
    assert check.pairs[0].faults == len(faults)


@pytest.mark.parametrize("name", ["cnv_w1a1", "cnv_w2a2"])
def test_shipped_networks_on_real_images(name: str) -> None:
    network = load_network(name)
    images = load("demo:cifar10", limit=3).images
    streams = get("finn").open(network).trace(images)
    assert list(streams) == list(places(network))
    for place, expected in execute(network, images).items():
        assert np.array_equal(streams[place], expected), place
    assert_equal(network, images[:1], sample_faults(network, KINDS, 24, 1))


@pytest.mark.parametrize("name", ["tfc_w2a2", "lfc_w1a1"])
def test_fully_connected_networks(name: str) -> None:
    network = load_network(name)
    assert_equal(network, random_images(network, 2), sample_faults(network, KINDS, 18, 2))


@pytest.mark.parametrize("logic", ["count", "search"])
def test_thresholds_as_they_are_built(logic: str) -> None:
    network = load_network("tfc_w2a2").with_threshold_logic(logic)
    assert_equal(network, random_images(network, 2), sample_faults(network, ("threshold",), 40, 2))


@pytest.mark.parametrize("name", ["cnv_w1a1", "cnv_w2a2"])
def test_a_hardened_network(name: str) -> None:
    network = hardened(load_network(name))
    images = load("demo:cifar10", limit=1).images
    faults = sample_faults(network, KINDS, 18, 1, seed=1)
    faults += [parse_fault("conv1.vote/channel[3] = +1"), parse_fault("conv2.vote/pixel[1,2] = -1")]
    assert_equal(network, images, faults)


def test_random_networks() -> None:
    """Every random network is either refused before any long step, or every activation is equal."""
    built, refused = 0, []
    for seed in range(40):
        network = random_network(seed)
        try:
            check_mappable(network)
        except FinnError:
            with pytest.raises(EngineError, match="the finn engine: "):
                get("finn").open(network).trace(random_images(network, 1))
            continue
        images = random_images(network, 2, seed)
        try:
            streams = get("finn").open(network).trace(images)
        except EngineError as error:
            refused.append(str(error))
            continue
        built += 1
        for place, expected in execute(network, images).items():
            assert np.array_equal(streams[place], expected), (seed, place)
        assert_equal(network, images, sample_faults(network, KINDS, 12, 2, seed))
    assert built >= 10, built
    assert all("FINN has no hardware layer" in reason for reason in refused)


def test_ties_go_to_the_first_class() -> None:
    """Scores of few inputs tie often."""
    network = load_network("tfc_w2a2")
    images = np.zeros((2, *network.input.shape), np.uint8)
    for channel in range(0, 64, 7):
        fault = parse_fault(f"fc2/channel[{channel}] = 0")
        found = get("finn").open(network).run(images, np.zeros(2, np.int64), [fault], predictions=True).predictions
        assert found is not None
        assert np.array_equal(found[0], predict(network, images, [fault]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fc1/activation[3,0,0].bit[0] ^ 1 @ frame[0]", "single frame"),
        ("fc1/accumulator[3].bit[2] ^ 1", "do not give them out"),
        ("input/element[0,3,4] = 1 & input/element[0,3,5] = 1", "one saboteur"),
    ],
)
def test_what_finn_cannot_express_is_refused(text: str, reason: str) -> None:
    network = load_network("tfc_w2a2")
    with pytest.raises(EngineError, match=reason):
        get("finn").open(network).run(random_images(network, 1), np.zeros(1, np.int64), [parse_fault(text)])


def test_a_saboteur_is_disarmed_afterwards() -> None:
    network = load_network("tfc_w2a2")
    images = random_images(network, 1)
    engine = get("finn")
    before = engine.open(network).trace(images)
    engine.open(network).trace(images, parse_fault("fc1/element[5,0,0] = 1"))
    engine.open(network).trace(images, parse_fault("fc0/weight[0,0,3,3].bit[1] ^ 1"))
    for place, stream in engine.open(network).trace(images).items():
        assert np.array_equal(stream, before[place])
