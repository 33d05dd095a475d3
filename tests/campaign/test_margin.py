"""Sample sizes for a margin of error: published numbers, exact bounds, and campaigns that go on until it is reached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta as clopper
from scipy.stats import hypergeom

from fat_fpga.campaign import Run, changing
from fat_fpga.campaign.bit_changes import expected_shares, mean_change
from fat_fpga.campaign.intervals import _at_most, exact_bound, exact_share, finite_share
from fat_fpga.campaign.rounds import UntilMargin, run_in_rounds
from fat_fpga.campaign.sample_plan import SamplePlan, methods
from fat_fpga.campaign.sample_size import margin_of, needed, quantile, sample_size
from fat_fpga.campaign.shares import is_changing
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import FaultSpace, fault_space
from fat_fpga.faults.register import Register
from fat_fpga.faults.strata import strata
from fat_fpga.network import Levels

from .test_sampling import sampled
from .tiny import Watched, tiny_data, tiny_network, tiny_run_of

NETWORK = tiny_network()
SPACE: FaultSpace = fault_space(NETWORK, "weight") + fault_space(NETWORK, "threshold")


def test_published_numbers() -> None:
    assert (quantile(95), quantile(99)) == (1.96, 2.576)
    assert sample_size(864, 1, 99) == 821
    assert sample_size(1_542_848, 1, 99) == 16_413
    assert sample_size(1_542_848, 0.1, 99) == pytest.approx(1_542_848 / (1 + 1.542847 / 1.658944), abs=1)
    assert sample_size(1, 1, 99) == 1
    # e, worked out from n by the inverse formula, is the margin that was asked for
    assert margin_of(50, 100, 10**9, 95) == pytest.approx(9.8, abs=0.01)


@given(st.integers(2, 400), st.data(), st.sampled_from([90.0, 95.0, 99.0]))
def test_bounds_without_a_hit_are_exact(population: int, data: st.DataObject, confidence: float) -> None:
    drawn = data.draw(st.integers(1, population - 1))
    tail = (100 - confidence) / 200
    bound = round(exact_bound(drawn, population, confidence) * population / 100)
    probabilities = [hypergeom.pmf(0, population, hits, drawn) for hits in range(population - drawn + 1)]
    assert bound == max(hits for hits, probability in enumerate(probabilities) if probability >= tail * (1 - 1e-9))
    if confidence == 95:
        assert finite_share(0, drawn, population).high == pytest.approx(100 * bound / population)
        assert finite_share(drawn, drawn, population).low == pytest.approx(100 - 100 * bound / population)
    assert exact_bound(drawn, float("inf"), confidence) == pytest.approx(100 * (1 - tail ** (1 / drawn)))


@given(st.integers(2, 5000), st.floats(0.2, 20), st.data())
def test_what_is_needed_reaches_the_margin(population: int, margin: float, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(1, population - 1))
    wanted = needed(0, drawn, population, margin, 95)
    assert margin_of(0, wanted, population, 95) <= margin
    assert wanted == 1 or margin_of(0, wanted - 1, population, 95) > margin
    hits = data.draw(st.integers(0, drawn))
    if 0 < hits < 5 <= drawn - hits:  # where the normal law says too little
        exact = exact_share(hits, drawn, population)
        assert margin_of(hits, drawn, population, 95) == max(exact.high - exact.value, exact.value - exact.low)
        assert (needed(hits, drawn, population, margin, 95) == drawn) == (
            margin_of(hits, drawn, population, 95) <= margin
        )
    elif 0 < hits < drawn - 5:
        wanted = needed(hits, drawn, population, margin, 95)
        share = hits / drawn
        error = 1.96 * (share * (1 - share) / wanted * (population - wanted) / (population - 1)) ** 0.5 * 100
        # rounded to the nearest number, as the papers do: half a draw short at most
        assert error <= margin * (1 + 0.6 / wanted * population / max(1, population - wanted)) or wanted == 1


def test_expected_shares_follow_the_mean_change() -> None:
    words = np.array([0, 1, -4, 3], np.int32)
    register = Register(3, True)
    assert [mean_change(words, register, bit) for bit in range(3)] == [1, 2, 4]
    network = tiny_network(levels=Levels(0, 1, 4))
    parts = strata(fault_space(network, "threshold"), ("kind", "layer", "bit"))
    shares = [share for key, share in expected_shares(network, parts).items() if key[1] == "conv0"]
    assert shares[0] == 0.01
    assert shares[-1] == 0.5
    assert shares == sorted(shares)
    # one bit alone has nothing to be compared with
    assert set(expected_shares(network, strata(fault_space(network, "weight"), ("layer", "bit"))).values()) == {0.5}


PLANS = (
    SamplePlan(5, 95, ("layer", "bit")),
    SamplePlan(5, 95, ("layer", "bit"), aware=True, pilot=3),
    SamplePlan(6, 99, ("kind",), pilot=10, seed=4),
)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.text)
def test_rounds_go_on_until_the_margin_is_reached(plan: SamplePlan, tmp_path: Path) -> None:
    rounds = UntilMargin(plan, SPACE, NETWORK)
    watched = Watched()
    run = run_in_rounds(NETWORK, tiny_data(), rounds, tmp_path / "a.run", watched)
    assert run.complete
    assert len(watched.asked) == len(set(watched.asked)) == run.done, "no fault is done twice"
    for row in plan.reached(run):
        own = [r for r in run.results if r.kind == row.key[0] and ("layer" not in plan.axes or r.layer == row.key[1])]
        assert row.drawn >= row.needed
        if plan.axes == ("kind",):
            assert (row.drawn, row.changing) == (len(own), sum(map(is_changing, own)))
    # the same command changes nothing, and other plans are told apart
    before = (tmp_path / "a.run").read_bytes()
    run_in_rounds(NETWORK, tiny_data(), rounds, tmp_path / "a.run", Watched(0))
    assert (tmp_path / "a.run").read_bytes() == before
    with pytest.raises(CampaignError, match=r"its plan of a sample is .* now it is 7 % at"):
        run_in_rounds(
            NETWORK, tiny_data(), UntilMargin(replace(plan, margin=7), SPACE, NETWORK), tmp_path / "a.run", Watched()
        )


def test_a_stopped_round_continues_with_the_same_faults(tmp_path: Path) -> None:
    rounds = UntilMargin(PLANS[2], SPACE, NETWORK)
    whole = run_in_rounds(NETWORK, tiny_data(), rounds, tmp_path / "whole.run", "reference")
    assert len(whole.sessions) > 1, "the pilot is not enough"
    for stop in range(1, 30):
        try:
            run = run_in_rounds(NETWORK, tiny_data(), rounds, tmp_path / "a.run", Watched(stop), chunk=20)
            break
        except KeyboardInterrupt:
            Run.open(tmp_path / "a.run")
    assert [r.fault for r in run.results] == [r.fault for r in whole.results]
    assert (run.correct == whole.correct).all()


def test_sampled_campaigns_cover_the_truth(tmp_path: Path) -> None:
    """95 % of 200 campaigns at 95 %, network-wise and in each stratum, on a network small enough to try every fault."""
    whole = tiny_run_of(tmp_path / "whole.run", "weight", "threshold")
    kinds = ("weight", "threshold")
    truth = {kind: changing(whole, [r for r in whole.results if r.kind == kind]).percent for kind in kinds}
    by_stratum = dict.fromkeys(strata(SPACE, ("kind", "layer")), (0, 0))
    for result in whole.results:
        hits, faults = by_stratum[result.kind, result.layer]
        by_stratum[result.kind, result.layer] = hits + is_changing(result), faults + 1
    covered, strata_covered = dict.fromkeys(kinds, 0), dict.fromkeys(by_stratum, 0)
    for seed in range(200):
        run = sampled(whole, SamplePlan(8, 95, seed=seed).selection(SPACE, NETWORK))
        for kind in kinds:
            share = changing(run, [r for r in run.results if r.kind == kind])
            assert share.interval is not None
            covered[kind] += share.interval[0] - 1e-9 <= truth[kind] <= share.interval[1] + 1e-9
        plan = SamplePlan(12, 95, ("layer",), seed=seed)
        for row in plan.reached(sampled(whole, plan.selection(SPACE, NETWORK))):
            found, (hits, faults) = exact_share(row.changing, row.drawn, row.population), by_stratum[row.key]
            strata_covered[row.key] += found.low - 1e-9 <= 100 * hits / faults <= found.high + 1e-9
    assert min(covered.values()) >= 190, covered
    assert min(strata_covered.values()) >= 190, strata_covered


@given(st.integers(2, 40), st.data())
def test_exact_intervals_cover_whatever_the_truth(population: int, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(1, population))
    truth = data.draw(st.integers(0, population))
    covered = sum(
        float(hypergeom.pmf(count, population, truth, drawn))
        for count in range(max(0, drawn - (population - truth)), min(drawn, truth) + 1)
        if exact_share(count, drawn, population).low <= 100 * truth / population + 1e-9
        and 100 * truth / population - 1e-9 <= exact_share(count, drawn, population).high
    )
    assert covered >= 0.95 - 1e-9
    assert exact_share(7, 20, float("inf")).low == pytest.approx(100 * clopper.ppf(0.025, 7, 14))


def test_methods_and_mistakes() -> None:
    found = methods(SamplePlan(1, 99), SPACE, NETWORK)
    assert [name.split()[0] for name in found] == ["network-wise", "layer-wise", "data-unaware", "data-aware"]
    totals = [sum(row.count for row in rows) for rows in found.values()]
    assert totals[0] <= totals[1] <= totals[2] <= len(SPACE)
    assert any(row.exhaustive for row in found["layer-wise"])
    with pytest.raises(CampaignError, match="strata of this choice are empty"):
        SamplePlan(1).strata(FaultSpace(()), NETWORK)
    for wrong in ({"margin": 0}, {"margin": 51}, {"margin": 1, "confidence": 100}, {"margin": 1, "pilot": 0}):
        with pytest.raises(CampaignError):
            SamplePlan(**wrong)  # type: ignore[arg-type]
    with pytest.raises(FaultError, match="made by some of"):
        SamplePlan(1, by=("frame",))
    assert SamplePlan.read(PLANS[1].entry) == PLANS[1]
    with pytest.raises(CampaignError, match="must have margin"):
        SamplePlan.read("[1]")


@given(st.integers(1, 400), st.data())
def test_the_hypergeometric_law_is_that_of_scipy(size: int, data: st.DataObject) -> None:
    hits, drawn = data.draw(st.integers(0, size)), data.draw(st.integers(1, size))
    count = data.draw(st.integers(0, drawn))
    assert _at_most(count, size, hits, drawn) == pytest.approx(hypergeom.cdf(count, size, hits, drawn), abs=1e-9)
