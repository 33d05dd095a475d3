"""How many faults at a time, and in which order."""

from __future__ import annotations

from fat_fpga.campaign.pace import FIRST, MOST, SECONDS, Pace, spread
from fat_fpga.faults import Fault


def test_chunks_grow_to_the_time_they_should_take() -> None:
    pace = Pace(fault_free=0.1)
    sizes = []
    for _ in range(6):
        sizes.append(pace.size)
        pace.measured(pace.size, 0.1 + pace.size * 0.01)
    assert sizes[0] == FIRST
    assert sizes == sorted(sizes)
    assert abs(0.1 + sizes[-1] * 0.01 - SECONDS) < 0.2


def test_chunks_shrink_at_once_but_never_to_nothing() -> None:
    pace = Pace(fault_free=0)
    pace.measured(16, 1600)
    assert pace.size == 1


def test_a_slow_fault_free_pass_makes_chunks_longer_within_bounds() -> None:
    assert Pace(fault_free=1).seconds == 20
    assert Pace(fault_free=100).seconds == MOST


def test_a_fixed_size_stays() -> None:
    pace = Pace(1, fixed=7)
    pace.measured(7, 1e-9)
    assert pace.size == 7


def test_layers_are_used_up_evenly() -> None:
    faults = [Fault("a", "channel", (i,), 1) for i in range(40)] + [Fault("b", "channel", (i,), 1) for i in range(10)]
    order = spread(faults, range(50))
    assert sorted(order) == list(range(50))
    for start in range(0, 50, 10):
        assert sum(p >= 40 for p in order[start : start + 10]) == 2
    assert [p for p in order if p < 40] == list(range(40))
