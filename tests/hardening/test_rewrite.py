"""Rearranged and replicated networks compute what they did, and outvote any single copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.errors import PlanError
from fat_fpga.faults import Fault
from fat_fpga.hardening import rearranged
from fat_fpga.hardening.ties import ties
from fat_fpga.network import MajorityVote, Network, load_network, write_qonnx
from fat_fpga.network.layers import Select
from fat_fpga.network.program import inserted
from tests.campaign.tiny import tiny_network
from tests.designs.random_network import networks, random_images, random_network
from tests.hardening.random_plan import random_unit


def free_units(network: Network) -> list[str]:
    """Units that can be rearranged."""
    pairs = zip(network.layers, network.layers[1:], strict=False)
    return [unit.name for unit, behind in pairs if unit in network.units and not isinstance(behind, MajorityVote)]


@given(networks(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 1.0]))
def test_the_function_stays(network: Network, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    images = random_images(network, 3, seed % 1000)
    hardened, plans = network, []
    for name in free_units(network):
        plan = random_unit(network.units[[unit.name for unit in network.units].index(name)], share, rng)
        hardened = rearranged(hardened, name, plan.rows, plan.order)
        plans.append(plan)
    before, behind = execute(network, images), execute(hardened, images)
    last = network.units[-1].name
    np.testing.assert_array_equal(behind[last], before[last])
    for plan in plans:
        np.testing.assert_array_equal(behind[plan.unit], before[plan.unit][:, list(plan.rows)])
        voted = behind.get(f"{plan.unit}.vote", behind[plan.unit])
        np.testing.assert_array_equal(voted, before[plan.unit][:, list(plan.order)])


@pytest.mark.parametrize("engine", ["reference", "native", "torch", "qonnx"])
def test_every_copy_is_outvoted_and_every_single_row_is_not(engine: str, tmp_path: Path) -> None:
    network, images = tiny_network(), random_images(tiny_network(), 4)
    unit = network.units[0]
    rows, order = (3, 1, 0, 1, 2, 1), (2, 0, 3, 1)
    write_qonnx(rearranged(network, "conv0", rows, order), tmp_path / "hardened.onnx")
    hardened = load_network(tmp_path / "hardened.onnx")
    assert hardened.fingerprint == rearranged(network, "conv0", rows, order).canonical.fingerprint
    assert unit.levels is not None
    labels = np.zeros(len(images), np.int64)
    copies = [Fault("conv0", "channel", (row,), value) for row in (1, 3, 5) for value in unit.levels]
    outcome = get(engine).open(hardened).run(images, labels, copies)
    assert not outcome.changed.any()
    for place, positions in (("conv0", rows), ("conv0.vote", order)):
        single = [i for i, channel in enumerate(positions) if place == "conv0.vote" or channel != 1]
        faults = [Fault(place, "channel", (i,), value) for i in single for value in unit.levels]
        same = [Fault("conv0", "channel", (positions[i],), value) for i in single for value in unit.levels]
        got = get(engine).open(hardened).run(images, labels, faults, predictions=True)
        wanted = get(engine).open(network).run(images, labels, same, predictions=True)
        np.testing.assert_array_equal(got.predictions, wanted.predictions)


@pytest.mark.parametrize(
    ("unit", "rows", "order", "message"),
    [
        ("conv0", (0, 1, 2), None, "channel 3 stands 0 times in the rows, expected 1 or 3"),
        ("conv0", (0, 0, 1, 2, 3), None, "channel 0 stands 2 times"),
        ("conv0", (0, 1, 2, 3, 9), None, "channel 9 stands 1 times"),
        ("conv0", (0, 1, 3, 2), None, "rows and order must be the same"),
        ("conv0", (0, 1, 2, 3), (0, 1, 2, 2), "must name each of its 4 channels once"),
        ("fc2", (0, 1, 2, 3), None, "only a unit with thresholds"),
        ("conv0.pool", (0, 1, 2, 3), None, "only a unit with thresholds"),
    ],
)
def test_what_does_not_fit(unit: str, rows: tuple[int, ...], order: tuple[int, ...] | None, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        rearranged(tiny_network(), unit, rows, order)


def test_twice() -> None:
    once = rearranged(tiny_network(), "conv0", (0, 1, 2, 3, 3, 3))
    with pytest.raises(PlanError, match="it has a vote behind it already"):
        rearranged(once, "conv0", (0, 1, 2, 3, 4, 5))


def test_parts_of_a_stream_follow_its_order() -> None:
    """A selection of channels reads them where they are now, and holds the order of what it makes."""
    network = random_network(0)
    first = network.units[0]
    channels, height, width = network.shape_of[first.name]
    part = Select(
        f"{first.name}.select", (*reversed(range(channels)), 0), tuple(range(height)), tuple(range(width)),
        inputs=(first.name,),
    )  # fmt: skip
    second = network.units[1]
    wider = replace(second, weights=np.concatenate([second.weights, second.weights[:, :1]], axis=1))
    layers = tuple(wider if layer.name == second.name else layer for layer in network.layers)
    network = replace(network, layers=inserted(layers, part))
    order = tuple(int(channel) for channel in np.random.default_rng(1).permutation(channels))
    images = random_images(network, 3)
    assert np.array_equal(
        execute(rearranged(network, first.name, order, order), images)[network.scores],
        execute(network, images)[network.scores],
    )
    assert first.name in ties(network).together[0]
