"""Algorithm 1 on curves whose best point is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.errors import CampaignError
from fat_fpga.hardening.ranges.search import Rules, interval_search


def bell(peak: float) -> tuple[list[float], object]:
    asked: list[float] = []

    def area(threshold: float) -> float:
        asked.append(threshold)
        return 1 / (1 + (threshold - peak) ** 2)

    return asked, area


@given(st.floats(0, 9), st.integers(1, 12))
def test_the_peak_of_a_bell_is_met_as_close_as_the_intervals_are(peak: float, iterations: int) -> None:
    asked, area = bell(peak)
    found = interval_search(area, 9.0, Rules(iterations, iterations, 0.0))  # type: ignore[arg-type]
    assert found.iterations == iterations
    assert abs(found.best.threshold - peak) <= 9 * (2 / 3) ** (iterations - 1) / 3
    assert len(asked) == len(set(asked)) == len(found.trials)
    assert max(1 / (1 + (t - peak) ** 2) for t in asked) == found.best.area


def test_the_first_boundaries_are_those_of_three_equal_intervals() -> None:
    asked, area = bell(3.0)
    interval_search(area, 9.0, Rules(2, 2))  # type: ignore[arg-type]
    assert asked[:4] == [0, 3, 6, 9]
    assert asked[4:] == [2, 4]  # [0, 6], its ends are known


@pytest.mark.parametrize(("peak", "ends"), [(0.0, (0, 3)), (9.0, (6, 9))])
def test_at_an_end_one_interval_is_left(peak: float, ends: tuple[float, float]) -> None:
    asked, area = bell(peak)
    interval_search(area, 9.0, Rules(2, 2))  # type: ignore[arg-type]
    assert all(ends[0] < threshold < ends[1] for threshold in asked[4:])
    assert len(asked) == 6


def test_a_flat_curve_ends_after_the_least_iterations_at_the_largest_threshold() -> None:
    found = interval_search(lambda threshold: 0.5, 9.0, Rules(6, 3, 0.001))
    assert found.iterations == 3
    assert found.best.threshold == 9.0


def test_a_layer_that_is_always_zero_takes_one_trial() -> None:
    found = interval_search(lambda threshold: 0.5, 0.0, Rules())
    assert [trial.threshold for trial in found.trials] == [0.0]


@pytest.mark.parametrize("rules", [(0, 0, 0.1), (3, 4, 0.1), (3, 0, 0.1), (3, 1, 2.0), (3, 1, float("nan"))])
def test_rules_that_are_none(rules: tuple[int, int, float]) -> None:
    with pytest.raises(CampaignError):
        Rules(*rules)
