"""Campaign, plan, hardened network, campaign on it, verdict."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.intervals import wilson
from fat_fpga.cli import main
from fat_fpga.errors import PlanError
from fat_fpga.faults import fault_space, parse_fault
from fat_fpga.hardening import Plan, harden, verify, write_plan
from fat_fpga.hardening.confidence import worst_case
from fat_fpga.hardening.plan_text import plan_summary
from fat_fpga.hardening.verification_text import verification_text
from fat_fpga.network import Levels, Network, write_qonnx
from fat_fpga.reports import compare, comparison_text, report_text, write_comparison_csv
from tests.campaign.tiny import tiny_data, tiny_network
from tests.hardening.random_plan import plan_of, random_unit

Loop = tuple[Network, Plan, Run]


def closed_loop(path: Path, share: float, engine: str = "native", seed: int = 1, levels: Levels | None = None) -> Loop:
    network, data = tiny_network(levels=levels).canonical, tiny_data()
    run = run_campaign(network, data, fault_space(network), path / "before.run", engine)
    rng = np.random.default_rng(seed)
    plan = plan_of(network, run, tuple(random_unit(unit, share, rng) for unit in network.units[:-1]))
    hardened = harden(network, plan)
    return hardened, plan, run_campaign(hardened, data, fault_space(hardened), path / "behind.run", engine)


@pytest.mark.parametrize("engine", ["native", "torch", "qonnx"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_promise_holds_exactly(tmp_path: Path, share: float, engine: str) -> None:
    hardened, plan, run = closed_loop(tmp_path, share, engine)
    found = verify(plan, run)
    assert found.held
    assert len(found.verdicts) == len(fault_space(hardened))
    assert all(verdict.foretold is not None for verdict in found.verdicts)
    worst = found.worst(voter=False)
    assert worst is not None
    assert worst.result.correct == plan.worst_correct


@pytest.mark.parametrize("levels", [None, Levels(-1, 1, 3)])
def test_full_tmr_masks_every_fault_outside_of_voters(tmp_path: Path, levels: Levels | None) -> None:
    _, plan, run = closed_loop(tmp_path, 1.0, "reference", levels=levels)
    assert plan.replicated == sum(unit.channels for unit in tiny_network().units[:-1])
    rows = [result for result in run.results if not result.layer.endswith(".vote")]
    assert len(rows) == 3 * len(fault_space(tiny_network(levels=levels)))
    assert {result.changed for result in rows} == {0}
    assert any(result.changed for result in run.results)  # behind the voters
    assert verify(plan, run).held


def test_pes_whose_channels_have_copies_elsewhere(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    pes = {"conv0": 4, "conv1": 3, "fc2": 1}
    before = run_campaign(network, data, fault_space(network, "pe", pes=pes), tmp_path / "before.run")
    unit = replace(random_unit(network.units[0], 0, np.random.default_rng(0)), rows=(0, 1, 1, 1, 2, 3), pe=6)
    unit = replace(unit, order=(0, 1, 2, 3))
    other = replace(random_unit(network.units[1], 0, np.random.default_rng(0)), rows=(0, 1, 2), order=(0, 1, 2))
    plan = plan_of(network, before, (unit, other), "pe")
    hardened = harden(network, plan)
    folding = {unit.unit: unit.pe for unit in plan.units}
    run = run_campaign(hardened, data, fault_space(hardened, "pe", pes=folding), tmp_path / "behind.run")
    found = verify(plan, run)
    assert found.held
    assert sum(verdict.result.changed == 0 for verdict in found.verdicts) >= 6
    assert {verdict.foretold is None for verdict in found.verdicts} == {False}


def test_what_is_not_as_foretold_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, plan, run = closed_loop(tmp_path, 0.5)
    lied = replace(plan.expected[0], correct=plan.expected[0].correct - 1)
    wrong = replace(plan, expected=(lied, *plan.expected[1:]))
    found = verify(wrong, run)
    assert not found.held
    at = {_channel(wrong, verdict.result.fault) for verdict in found.broken}
    assert at == {_original(lied.fault)}
    assert all(verify(replace(plan, worst_correct=plan.worst_correct + 1), run).broken)
    write_plan(wrong, tmp_path / "wrong.json")
    assert main(["verify", str(tmp_path / "wrong.json"), str(run.path)]) == 1
    out = capsys.readouterr().out
    assert "BROKEN" in out
    assert found.broken[0].result.fault in out


def _original(text: str) -> tuple[str, int, int]:
    fault = parse_fault(text).faults[0]
    return fault.layer, fault.index[0], fault.value


def _channel(plan: Plan, text: str) -> tuple[str, int, int]:
    """A fault of the hardened network as one of the network planned for."""
    layer, at, value = _original(text)
    unit = plan.unit(layer.removesuffix(".vote"))
    return unit.unit, (unit.order if layer.endswith(".vote") else unit.rows)[at], value


def test_what_was_not_run_is_not_proved(tmp_path: Path) -> None:
    network, plan, _ = closed_loop(tmp_path, 0.5)
    part = run_campaign(network, tiny_data(), fault_space(network, layers=["conv0"]), tmp_path / "part.run")
    found = verify(plan, part)
    assert not found.broken
    assert found.missing == len(fault_space(network, layers=["conv1"]))
    assert not found.held


def test_other_runs_are_refused(tmp_path: Path) -> None:
    network, plan, run = closed_loop(tmp_path, 0.5)
    data = tiny_data()
    original = Run.open(tmp_path / "before.run")
    with pytest.raises(PlanError, match="no campaign on the hardened network: the plan gives conv0"):
        verify(plan, original)
    with pytest.raises(PlanError, match=r"without a fault .* the run is on another network"):
        verify(replace(plan, golden_correct=plan.golden_correct - 1), run)
    pixels = run_campaign(network, data, fault_space(network, "pixel"), tmp_path / "pixels.run")
    with pytest.raises(PlanError, match="has no channel faults, which the plan is about"):
        verify(plan, pixels)
    with pytest.raises(PlanError, match=r"the plan is for tiny .* this model is other"):
        harden(tiny_network(7, "other"), plan)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, plan, _ = closed_loop(tmp_path, 0.5)
    write_qonnx(tiny_network(), tmp_path / "tiny.onnx")
    write_plan(plan, tmp_path / "plan.json")
    files = [str(tmp_path / name) for name in ("tiny.onnx", "plan.json", "hardened.onnx", "folding.json")]
    assert main(["harden", *files[:2], "-o", files[2], "--save-folding", files[3]]) == 0
    assert f"{plan.replicated} channels three times" in capsys.readouterr().out
    assert main(["info", files[2]]) == 0
    assert f"fingerprint {network.fingerprint}" in capsys.readouterr().out
    assert main(["faults", files[2], "--faults", "pe", "--folding", files[3]]) == 0
    assert main(["verify", files[1], str(tmp_path / "behind.run"), "--all"]) == 0
    assert "HELD: all" in capsys.readouterr().out


def test_other_images_are_no_proof_but_a_comparison(tmp_path: Path) -> None:
    network, plan, run = closed_loop(tmp_path, 0.5)
    assert "proved for these 30 images of tiny:test, and for no others" in verification_text(verify(plan, run))
    data = tiny_data(200, seed=5, name="tiny:other")
    other = run_campaign(network, data, fault_space(network), tmp_path / "other.run")
    found = verify(plan, other)
    assert not found.same_images
    assert {verdict.foretold for verdict in found.verdicts} == {None, (other.error_free, 0)}
    masked = [verdict for verdict in found.verdicts if verdict.foretold]
    assert masked
    assert all(verdict.kept for verdict in found.verdicts)
    worst = found.worst(voter=False)
    assert worst is not None
    before, now = found.worst_cases
    assert before.value == 100 * plan.worst_correct / 30
    assert now.value == 100 * min(worst.result.correct, other.error_free) / 200
    outside = sum(not verdict.voter for verdict in found.verdicts)
    z = NormalDist().inv_cdf(1 - 0.025 / (outside + 1))
    assert (now.low, now.high) == wilson(round(2 * now.value), 200, z)
    assert found.change.value == now.value - before.value
    low = ((now.value - now.low) ** 2 + (before.high - before.value) ** 2) ** 0.5
    assert found.change.low == pytest.approx(found.change.value - low)
    text = verification_text(found)
    assert "HELD" not in text
    assert "no proof: these are other images" in text
    assert "planned on tiny:test" in text
    assert "run on tiny:other" in text
    assert found.held == (found.change.high >= 0)
    liar = replace(plan, worst_correct=plan.images, golden_correct=plan.images, dataset="tiny:other")
    found = verify(liar, other)
    assert found.worse
    assert not found.held
    assert "WORSE" in verification_text(found)
    assert "hold only if no image is in both" in verification_text(found)


def test_voters_are_told_apart(tmp_path: Path) -> None:
    _, plan, run = closed_loop(tmp_path, 1.0)
    outside, behind = verification_text(verify(plan, run)).split("voters' outputs, which a voter does not protect\n")
    assert "conv0.vote" not in outside
    assert "conv0.vote " in behind
    text = report_text(run)
    worst = min(result.correct for result in run.results if result.layer.endswith(".vote"))
    assert f"voters' outputs, which a voter does not protect: 14 faults, min {100 * worst / 30:.2f} %" in text
    outside_worst = min(result.correct for result in run.results if not result.layer.endswith(".vote"))
    assert f"outside of voters: 42 faults, min {100 * outside_worst / 30:.2f} %" in text
    before = Run.open(tmp_path / "before.run")
    comparison = compare([before, run], ["before", "after"])
    first, second = comparison.sections[0].entries
    assert (first.voters, first.outside) == (None, None)
    assert second.voters is not None
    assert second.outside is not None
    assert (second.voters.faults, second.outside.faults) == (14, 42)
    rows = [line.split() for line in comparison_text(comparison).split("\n")]
    assert ["outside", "of", "voters", f"{100 * outside_worst / 30:.2f}"] in [row[:4] for row in rows]
    assert ["voters'", "outputs", f"{100 * worst / 30:.2f}"] in [row[:3] for row in rows]
    write_comparison_csv(comparison, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [row["min_voters"] for row in found] == ["", str(100 * worst / 30)]
    assert found[1]["min_outside_voters"] == str(100 * outside_worst / 30)


def test_a_plan_tells_how_far_its_images_carry(tmp_path: Path) -> None:
    _, plan, _ = closed_loop(tmp_path, 0.5)
    z = NormalDist().inv_cdf(1 - 0.025 / (len(plan.expected) + 1))
    low, high = wilson(plan.worst_correct, 30, z)
    text = f"FEW IMAGES (30): on other images like these: {100 - high:.2f} to {100 - low:.2f} % with 95 % confidence"
    assert text in plan_summary(plan)
    assert "FEW IMAGES" not in plan_summary(replace(plan, images=1000))


def test_a_worst_case_interval_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    truths = rng.uniform(0.6, 0.9, 40)
    covered = 0
    for _ in range(400):
        counts = rng.binomial(300, truths)
        found = worst_case(int(counts.min()), 300, 40)
        covered += found.low <= 100 * truths.min() <= found.high
    assert covered >= 0.95 * 400
