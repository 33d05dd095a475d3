"""The chosen measures against every assignment of every layer, on random small cases."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.design import UnitShape
from fat_fpga.hardening.layerwise.choose import Chosen, Limits, Option, choose, front, highest, targets
from fat_fpga.hardening.layerwise.measure import Measures
from fat_fpga.hardening.layerwise.price import Price, undominated

BUILT = Built(UnitShape("fc", 4, 4, 4, 1, "INT2", "INT2", "INT2"), 0, 1, 1)
MEASURES = (
    Measures(),
    Measures("parity"),
    Measures("secded"),
    Measures(tmr=True),
    Measures(clip=True),
    Measures("secded", clip=True),
)


def random_options(rng: np.random.Generator) -> dict[str, tuple[Option, ...]]:
    """One to four layers; few different figures, so that there are ties, and clipping is not offered everywhere."""
    clips = rng.random() < 0.7
    found = {}
    for number in range(int(rng.integers(1, 5))):
        own = [
            Option(
                measures,
                Price(int(rng.integers(40)), int(rng.integers(6)), int(rng.integers(3)), BUILT),
                Fraction(int(rng.integers(50, 61)), int(rng.integers(1, 3))),
            )
            for measures in MEASURES
            if not measures.code or rng.random() < 0.8
            if clips or not measures.clip
            for _ in range(int(rng.integers(1, 3)))
        ]
        found[f"l{number}"] = tuple(own)
    return found


def assignments(options: dict[str, tuple[Option, ...]], limits: Limits | None) -> Iterator[Chosen]:
    """Every legal one."""
    for own in product(*options.values()):
        one = Chosen(dict(zip(options, own, strict=True)))
        if len({option.measures.clip for option in own}) > 1:
            continue
        if limits is None or all(used <= most for used, most in zip(one.uses, limits, strict=True)):
            yield one


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 1.0, 7.5, 190.0]), st.booleans())
def test_the_choice_is_the_cheapest_of_all_assignments(seed: int, bram_luts: float, limited: bool) -> None:
    rng = np.random.default_rng(seed)
    options = random_options(rng)
    limits: Limits | None = (float(rng.integers(20, 90)), float(rng.integers(4, 14)), 6.0) if limited else None
    every = [(one.worst, one.cost(bram_luts)) for one in assignments(options, limits)]
    for target in targets(options):
        wanted = min((cost for worst, cost in every if worst >= target), default=None)
        found = choose(options, target, bram_luts, limits)
        assert (found is None) == (wanted is None)
        if found is not None:
            assert found.cost(bram_luts) == pytest.approx(wanted)
            assert found.worst >= target
            assert len({option.measures.clip for option in found.options.values()}) == 1
            assert limits is None or all(used <= most for used, most in zip(found.uses, limits, strict=True))
    best = highest(options, bram_luts, limits)
    assert (best is None) == (not every)
    if best is not None:
        assert best.worst == max(worst for worst, _ in every)
    trades = {(worst, cost) for worst, cost in every if not any(
        (w >= worst and c < cost) or (w > worst and c <= cost) for w, c in every)}  # fmt: skip
    shown = [(one.worst, one.cost(bram_luts)) for one in front(options, bram_luts, limits)]
    assert shown == sorted(trades)


@given(st.lists(st.tuples(*(st.integers(0, 4),) * 3), min_size=1, max_size=12))
def test_ways_that_another_one_beats_are_left_out(uses: list[tuple[int, int, int]]) -> None:
    kept = [price.uses for price in undominated([Price(*one, BUILT) for one in uses])]
    beaten = {
        one
        for one in uses
        if any(other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in uses)
    }
    assert kept == sorted(set(uses) - beaten)
