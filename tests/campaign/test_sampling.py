"""Estimates from samples of stored exhaustive campaigns: unbiased, and covered as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student_t

from fat_fpga.campaign import Run, Selection, Spread, changing, harmful, mean_estimate
from fat_fpga.campaign.intervals import (
    Estimate,
    Moments,
    difference,
    finite_share,
    simultaneous,
    stratified_mean,
    student,
    weighted_sum,
    wilson,
)
from fat_fpga.campaign.sampling import stands_for, weights
from fat_fpga.faults import FaultSpace, fault_space

from .tiny import tiny_network, tiny_run_of

SEEDS = 200
NETWORK = tiny_network()
SPACE: FaultSpace = fault_space(NETWORK, "weight") + fault_space(NETWORK, "accumulator")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run_of(tmp_path_factory.mktemp("whole") / "a.run", "weight", "accumulator")


def sampled(whole: Run, selection: Selection) -> Run:
    """The run that a campaign of the selection gives, from the counts of the whole one."""
    wanted = set(map(str, selection.faults))
    results = tuple(result for result in whole.results if result.fault in wanted)
    return replace(
        whole, identity=replace(whole.identity, asked=len(results)), origin=selection.origin, results=results
    )


def draws(kind: str) -> Callable[[int], Selection]:
    """What draws with a seed: from the whole, or from strata, some with far more draws than their proportion."""
    if kind == "whole":
        return lambda seed: Selection.sample(SPACE, 90, seed)
    by, least = {"layers": (("kind", "layer"), 14), "bits": (("layer", "bit"), 2)}[kind]
    return lambda seed: Selection.stratified(SPACE, 90, seed, by, least)


@pytest.mark.parametrize("how", ["whole", "layers", "bits"])
def test_intervals_cover_and_estimates_are_unbiased(whole: Run, how: str) -> None:
    of_kind = [result for result in whole.results if result.kind == "weight"]
    truths = {
        "changing": changing(whole, of_kind).percent,
        "harmful": harmful(whole, of_kind).percent,
        "mean": Spread.of(of_kind, whole.images).mean,
    }
    covered, values = dict.fromkeys(truths, 0), {name: [] for name in truths}  # type: ignore[var-annotated]
    for seed in range(SEEDS):
        run = sampled(whole, draws(how)(seed))
        own = [result for result in run.results if result.kind == "weight"]
        mean = mean_estimate(run, own)
        assert mean is not None
        found = {"mean": mean}
        for name, share in (("changing", changing(run, own)), ("harmful", harmful(run, own))):
            assert share.interval is not None
            assert share.population == len(of_kind)
            found[name] = Estimate(share.percent, *share.interval)
        assert Spread.within(run, own).mean == pytest.approx(mean.value)
        for name, estimate in found.items():
            values[name].append(estimate.value)
            covered[name] += estimate.low - 1e-9 <= truths[name] <= estimate.high + 1e-9
    for name, truth in truths.items():
        error = np.std(values[name], ddof=1) / SEEDS**0.5
        assert abs(np.mean(values[name]) - truth) < 3.5 * error, name
        assert covered[name] >= 0.9 * SEEDS, (name, covered)  # 95 % expected; 180 of 200 has odds of 1 in 400


def test_strata_make_the_mean_more_exact(whole: Run) -> None:
    of_kind = [result for result in whole.results if result.kind == "weight"]

    def error(how: Callable[[int], Selection]) -> float:
        found = []
        for seed in range(SEEDS):
            run = sampled(whole, how(seed))
            found.append(Spread.within(run, [r for r in run.results if r.kind == "weight"]).mean)
        return float(np.std(found))

    assert len(of_kind) == 132
    by_layer = error(lambda seed: Selection.stratified(SPACE, 90, seed, ("kind", "layer")))
    assert by_layer < error(lambda seed: Selection.sample(SPACE, 90, seed))


def test_weights_add_up_to_the_space(whole: Run) -> None:
    run = sampled(whole, Selection.stratified(SPACE, 80, 1, ("kind", "layer", "bit"), 3))
    found = weights(run, run.results)
    assert found is not None
    assert sum(found) == len(SPACE)
    assert stands_for(run) == [pytest.approx(float(weight)) for weight in found]
    assert sum(stands_for(sampled(whole, Selection.sample(SPACE, 60)))) == pytest.approx(len(SPACE))  # type: ignore[arg-type]
    assert set(stands_for(whole)) == {1}
    assert set(stands_for(sampled(whole, Selection.of(list(SPACE)[:9])))) == {None}


def test_one_draw_of_a_stratum_gives_shares_but_no_mean(whole: Run) -> None:
    run = sampled(whole, Selection.stratified(SPACE, 30, 0, ("kind", "layer", "bit"), 1))
    own = [result for result in run.results if result.kind == "accumulator"]
    assert mean_estimate(run, own) is None
    assert changing(run, own).interval is not None


def test_equal_draws_prove_nothing_of_the_rest() -> None:
    assert stratified_mean([Moments(50, 1000, 97.0, 0.0)]) is None
    assert stratified_mean([Moments(50, 1000, 97.0, 0.0), Moments(9, 9, 50.0, 4.0)]) is None
    found = stratified_mean([Moments(50, 1000, 97.0, 0.0), Moments(9, 90, 50.0, 4.0)])
    assert found is not None
    assert found.low < found.value < found.high


def test_everything_drawn_leaves_nothing_to_estimate() -> None:
    assert finite_share(3, 10, 10) == Estimate(30, 30, 30)
    assert stratified_mean([Moments(4, 4, 50.0, 9.0), Moments(1, 1, 10.0, 0.0)]) == Estimate(42, 42, 42)
    assert not Selection.stratified(SPACE, len(SPACE)).origin.drawn


def test_a_share_is_never_beyond_what_the_draws_leave_possible() -> None:
    for drawn in range(1, 12):
        for count in range(drawn + 1):
            found = finite_share(count, drawn, 12)
            assert 100 * count / 12 <= found.low <= found.value <= found.high <= 100 * (1 - (drawn - count) / 12) + 1e-9
    assert finite_share(5, 50, float("inf"))[1:] == wilson(5, 50)
    assert finite_share(5, 50, 10**9)[1:] == pytest.approx(wilson(5, 50), abs=1e-4)


def test_formulas_against_known_values() -> None:
    for freedom in (1, 2, 3, 4, 5, 6, 8, 20, 400):
        assert student(freedom) == pytest.approx(student_t.ppf(0.975, freedom), abs=2e-3)
    assert simultaneous(1) == pytest.approx(1.959964, abs=1e-6)
    assert simultaneous(100) == pytest.approx(3.480756, abs=1e-6)
    # Newcombe 1998 (Statistics in Medicine 17:873), method 10, 56/70 - 48/80: 0.0524 to 0.3339
    found = difference(Estimate(80, *wilson(56, 70)), Estimate(60, *wilson(48, 80)))
    assert (found.value, found.low, found.high) == pytest.approx((20, 5.24, 33.39), abs=0.01)
    one, other = Estimate(4, 3, 6), Estimate(8, 6, 9)
    assert weighted_sum([one, other], [0.5, 0.5]) == pytest.approx((6, 6 - 1.25**0.5, 6 + 1.25**0.5))
    # Cochran 1977, section 5.4: variances of the strata add up with W_h^2 (1 - f_h) / n_h
    strata = [Moments(10, 50, 20.0, 4.0), Moments(20, 150, 40.0, 16.0)]
    variance: float = 0.25**2 * (1 - 10 / 50) * 4 / 10 + 0.75**2 * (1 - 20 / 150) * 16 / 20
    of_all = variance**2 / ((0.25**2 * 0.8 * 0.4) ** 2 / 9 + (0.75**2 * (13 / 15) * 0.8) ** 2 / 19)
    mean = stratified_mean(strata)
    assert mean is not None
    assert mean.value == 35
    assert mean.high - mean.value == pytest.approx(student(of_all) * variance**0.5)
