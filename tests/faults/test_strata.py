"""Strata are a partition, their draws exact in number, reproducible, and as likely as any others."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.errors import FaultError
from fat_fpga.faults import FaultSpace, fault_space
from fat_fpga.faults.block import BIT_EFFECTS
from fat_fpga.faults.strata import AXES, allocate, draw, draw_strata, strata, stratum_of
from tests.campaign.tiny import FOLDING, tiny_network

NETWORK = tiny_network()
KINDS = ("channel", "pixel", "pe", "weight", "threshold", "accumulator", "activation")
SPACE: FaultSpace = sum(
    (fault_space(NETWORK, kind, pes=FOLDING, frames=2) for kind in KINDS[1:]), fault_space(NETWORK, KINDS[0])
) + fault_space(NETWORK, "accumulator", ["fc2"], BIT_EFFECTS[1:])

axes_of = st.lists(st.sampled_from(AXES), min_size=1, unique=True)


@pytest.mark.parametrize("axes", [axes for size in (1, 2, 3) for axes in combinations(AXES, size)])
def test_strata_hold_each_fault_once(axes: tuple[str, ...]) -> None:
    parts = strata(SPACE, axes)
    assert Counter(fault for part in parts.values() for fault in part) == Counter(SPACE)
    for key, part in parts.items():
        assert {stratum_of(fault, axes) for fault in part} == {key}


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=12).flatmap(
        lambda sizes: st.tuples(st.just(sizes), st.integers(1, 5), st.integers(0, sum(sizes)))
    )
)
def test_allocation_is_exact_and_proportional(drawn: tuple[list[int], int, int]) -> None:
    sizes, least, count = drawn
    populations = dict(enumerate(sizes))
    low = {key: min(least, size) for key, size in populations.items()}
    if count < sum(low.values()):
        with pytest.raises(FaultError, match="need a sample of"):
            allocate(populations, count, least)
        return
    found = allocate(populations, count, least)
    assert sum(found.values()) == count
    assert all(low[key] <= found[key] <= size for key, size in populations.items())
    free = [key for key in found if found[key] > low[key]]
    share = Fraction(sum(found[key] for key in free), sum(sizes[key] for key in free)) if free else Fraction(0)
    assert all(abs(found[key] - share * sizes[key]) < len(sizes) for key in free)
    if all(count * size >= low[key] * sum(sizes) for key, size in populations.items()):
        quotas = {key: Fraction(count * size, sum(sizes)) for key, size in populations.items()}
        assert all(abs(found[key] - quota) < 1 for key, quota in quotas.items())


@given(axes_of, st.integers(0, 2**40), st.data())
def test_stratified_draws_are_exact_and_reproducible(axes: list[str], seed: int, data: st.DataObject) -> None:
    parts = strata(SPACE, axes)
    needed = sum(min(2, len(part)) for part in parts.values())
    count = data.draw(st.integers(needed, len(SPACE)))
    found = draw_strata(SPACE, axes, count, seed, 2)
    assert found == draw_strata(SPACE, axes, count, seed, 2)
    assert {key: len(own) for key, own in found.items()} == allocate(
        {key: len(part) for key, part in parts.items()}, count, 2
    )
    faults = [fault for own in found.values() for fault in own]
    assert not Counter(faults) - Counter(SPACE)
    assert all(stratum_of(fault, axes) == key for key, own in found.items() for fault in own)


@given(st.integers(1, 10**12), st.integers(0, 60), st.integers(0, 60), st.text(max_size=5))
def test_a_larger_draw_begins_with_the_smaller_one(population: int, count: int, more: int, seed: str) -> None:
    small, large = min(count, population), min(count + more, population)
    found = draw(population, large, seed)
    assert found[:small] == draw(population, small, seed)
    assert len(set(found)) == large
    assert all(0 <= number < population for number in found)


def test_every_set_is_drawn_as_often() -> None:
    counts = Counter(frozenset(draw(6, 3, f"{seed}")) for seed in range(20_000))
    expected = 20_000 / 20
    assert len(counts) == 20
    statistic = sum((count - expected) ** 2 / expected for count in counts.values())
    assert statistic < 43.8  # chi-square, 19 degrees of freedom, 0.1 %


@pytest.mark.parametrize("axes", [[], ["effect"], ["layer", "layer"]])
def test_other_axes_are_refused(axes: list[str]) -> None:
    with pytest.raises(FaultError, match="strata are made by some of kind, layer, bit"):
        strata(SPACE, axes)
