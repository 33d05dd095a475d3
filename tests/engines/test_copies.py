"""Detectors at the copies in front of votes: what is found for many faults at once is what a trace of each finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.engines import get
from fat_fpga.engines.native_outcomes import NativeOutcomes
from fat_fpga.engines.native_session import NativeSession
from fat_fpga.engines.reference import execute, execute_changes
from fat_fpga.engines.votes import without_votes
from fat_fpga.faults import AnyFault, FaultSet, Pattern, changes_of, expand, fault_space
from fat_fpga.network import Network
from tests.designs.random_faults import mixed_faults
from tests.designs.random_network import random_images, random_network
from tests.designs.random_patterns import pattern, random_patterns

IMAGES = 5
DETECTORS = [("voter",), ("range",), ("voter", "range")]


def voted(seed: int) -> Network:
    """A random network with a voter."""
    while not ((network := random_network(seed)).voted_units and sum(u.weights.size for u in network.units) < 4000):
        seed += 1
    return network


def in_copies(network: Network, count: int, seed: int) -> list[AnyFault]:
    """Single faults of every kind at the units in front of votes, and pairs of them."""
    places = list(network.voted_units.values())
    found: list[AnyFault] = []
    for kind in ("channel", "weight", "threshold", "accumulator", "activation", "pixel", "element"):
        space = fault_space(network, kind, places, frames=IMAGES)
        found += space.sample(min(count, len(space)), seed=seed)
    singles = [part for fault in found for part in fault.faults]
    rng = np.random.default_rng(seed)
    pairs = [FaultSet(tuple(singles[i] for i in rng.choice(len(singles), 2, replace=False))) for _ in range(count)]
    return [*found, *pairs]


def counted(
    network: Network, faults: Sequence[AnyFault], detectors: Sequence[str], seed: int, name: str = "native"
) -> dict[str, list[int]]:
    images = random_images(network, IMAGES, seed)
    labels = np.random.default_rng(seed).integers(network.classes, size=IMAGES)
    run = get(name).open(network).run(images, labels, faults, counting=("outcomes", *detectors))
    return {name: count.tolist() for name, count in run.counts.items()}


@given(st.integers(0, 10**6), st.sampled_from(DETECTORS), st.sampled_from(["copies", "patterns", "anywhere"]))
def test_batches_count_what_traces_count(seed: int, detectors: tuple[str, ...], which: str) -> None:
    network = voted(seed)
    if which == "copies":
        faults: Sequence[AnyFault] = in_copies(network, 3, seed)
    else:
        draw = random_patterns if which == "patterns" else mixed_faults
        faults = draw(network, 12, seed, IMAGES)
    got = counted(network, faults, detectors, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NativeOutcomes, "seen", lambda self, counting, counts, copies, *rest: list(copies))
        assert got == counted(network, faults, detectors, seed)
    assert got == counted(network, faults, detectors, seed, "reference")


def test_a_fault_in_a_copy_is_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither single faults in copies, nor patterns in a unit whose copies are outvoted."""
    network = voted(0)
    places = list(network.voted_units.values())
    faults: list[AnyFault] = [*in_copies(network, 6, 0)]
    faults += [pattern(f"{places[0]}/weight[*].bit[*] ^ 1 ~ 0.002 @ sample[{n}]") for n in range(20)]
    voteless = without_votes(network)
    faults = [fault for fault in faults if voteless.changes(changes_of(network, [_drawn(network, fault)])) == ()]
    assert len(faults) > 20
    expected = counted(network, faults, ("voter", "range"), 0, "reference")
    monkeypatch.setattr(NativeSession, "show", _refuse)
    assert counted(network, faults, ("voter", "range"), 0) == expected
    assert sum(expected["detected"]) > 0
    assert sum(expected["masked"]) > 0


def _drawn(network: Network, fault: AnyFault) -> AnyFault:
    return expand(network, fault, 0, IMAGES) if isinstance(fault, Pattern) else fault


def _refuse(*anything: object) -> None:
    raise AssertionError("a fault was traced")


def test_the_rows_are_those_of_the_unit() -> None:
    """A bit of a copy's weight is detected in the images in which the reference sees that row differ."""
    network = voted(3)
    unit, images = next(iter(network.voted_units.values())), random_images(network, IMAGES, 3)
    faults = fault_space(network, "weight", [unit]).sample(30, seed=0)
    golden = execute(network, images)[unit]
    found = counted(network, faults, ("voter",), 3)
    vote = network.vote_behind(unit)
    assert vote is not None
    for number, fault in enumerate(faults):
        rows = execute_changes(network, images, changes_of(network, [fault]))[unit]
        alone = fault.faults[0].index[0] in vote.sources[vote.voted]
        differs = int((rows != golden).any(axis=(1, 2, 3)).sum())
        assert found["detected"][number] == (differs if alone else 0), str(fault)
