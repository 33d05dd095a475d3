"""Sweeps and estimates as inputs: factors by hand, against exhaustive campaigns, and intervals that hold the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.rounds import run_in_rounds
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.campaign.sweep_rounds import UntilInterval
from fat_fpga.cli import main
from fat_fpga.engines.counts import ERRORS, HITS
from fat_fpga.errors import SafetyError
from fat_fpga.faults import fault_space
from fat_fpga.faults.expand import expand
from fat_fpga.hardening import harden
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.planner import Planner
from fat_fpga.safety import Fit, assess, read_fit, read_resources, safety_json, safety_text, write_template
from fat_fpga.safety.elements import elements_of
from fat_fpga.safety.fit import Mechanism, Rate
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run

FIT = Fit({"bram": Rate(100.0, 10.0, "an example"), "logic": Rate(50.0, 5.0, "an example")},
          {"weight": "bram", "channel": "logic", "pe": "logic"}, goal="image")  # fmt: skip


RATES = (0.005, 0.03, 0.2)


def sweep_run(path: Path, samples: int = 60, errors: str = "flip", rates: tuple[float, ...] = RATES) -> Run:
    network = tiny_network()
    sweep = Sweep(("weight",), rates, samples, "layer", errors)
    chosen = UntilInterval(sweep, network)
    return run_in_rounds(network, tiny_data(), chosen, path, "native", counting=(ERRORS, HITS), progress=False)


def test_factors_are_those_of_samples_with_one_hit(tmp_path: Path) -> None:
    """Each such sample is a single fault of the whole campaign, and its factor is the mean over them."""
    network = tiny_network()
    whole = run_campaign(network, tiny_data(), fault_space(network, "weight"), tmp_path / "whole.run")
    known = {result.fault: result.changed for result in whole.results}
    run = sweep_run(tmp_path / "sweep.run", 40)
    exact = {element.name: element for element in elements_of([whole], FIT)}
    for element in elements_of([run], FIT):
        single = [result for result, hits in zip(run.results, run.counts[HITS].tolist(), strict=True)
                  if hits == 1 and result.pattern.layer == element.layer]  # fmt: skip
        changed = []
        for result in single:
            fault = expand(network, result.pattern, 0, 30)
            changed.append(known[str(fault)])
        assert element.drawn == len(single) >= 10
        assert element.vulnerability[0].value == pytest.approx(sum(changed) / len(changed) / 30)
        assert element.bits == exact[element.name].bits
        assert element.same


@pytest.mark.parametrize("goal", ["image", "change"])
def test_intervals_hold_the_truth(goal: str, tmp_path: Path) -> None:
    """Of 200 sweeps with 40 single hits in each layer, the 95 % intervals of the dangerous FIT hold the truth in about
    190; chance alone gives 184 to 196 in 95 of 100 such tests, a wide interval more."""
    network, fit = tiny_network(), replace(FIT, goal=goal)
    whole = run_campaign(network, tiny_data(), fault_space(network, "weight"), tmp_path / "whole.run")
    layers = [unit.name for unit in network.units]
    known = {layer: [result for result in whole.results if result.layer == layer] for layer in layers}
    run = sweep_run(tmp_path / "sweep.run", 40, rates=(0.03,))
    truth, held = assess([whole], fit).figure("undetected").value, 0
    rng = np.random.default_rng(11)
    for _ in range(200):
        results = []
        for layer in layers:
            samples = [result for result in run.results if result.pattern.layer == layer][:40]
            for sample, number in zip(samples, rng.integers(0, len(known[layer]), 40).tolist(), strict=True):
                drawn = known[layer][number]
                results.append(replace(sample, correct=drawn.correct, changed=drawn.changed))
        drawn_run = replace(run, results=tuple(results), counts={HITS: np.ones(len(results), np.int64)})
        found = assess([drawn_run], fit).figure("undetected")
        held += found.low <= truth <= found.high
    assert held >= 184


def test_too_few_single_hits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SafetyError, match="have a single hit, at least 10 are needed: sweep rates near one over"):
        elements_of([sweep_run(tmp_path / "a.run", 4)], FIT)


def test_flips_and_held_bits_are_kept_apart(tmp_path: Path) -> None:
    flips, held = sweep_run(tmp_path / "a.run"), sweep_run(tmp_path / "b.run", errors="stuck1")
    one = assess([flips], FIT)
    other = assess([held], FIT)
    assert one.elements[0].vulnerability[0].value > other.elements[0].vulnerability[1].value
    with pytest.raises(SafetyError, match="give one of them"):
        assess([flips, held], FIT)


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"scope": "network"}, None), ({"burst": 2}, "is of no single bits"),
     ({"protection": "secded[64]"}, "give the code as a mechanism")],
)  # fmt: skip
def test_other_sweeps_are_refused(changes: dict[str, object], told: str | None, tmp_path: Path) -> None:
    network = tiny_network()
    asked: dict[str, object] = {"scope": "layer", "errors": "flip", **changes}
    sweep = Sweep(("weight",), (0.01,), 40, **asked)  # type: ignore[arg-type]
    run = run_in_rounds(network, tiny_data(), UntilInterval(sweep, network), tmp_path / "a.run", "native",
                        counting=(ERRORS, HITS), progress=False)  # fmt: skip
    if told is None:
        (element,) = elements_of([run], FIT)
        assert (element.name, element.bits) == ("* weight", 132)
        assert "only those with a single hit count" in safety_text(assess([run], FIT))
    else:
        with pytest.raises(SafetyError, match=told):
            elements_of([run], FIT)


def test_logic_bits_follow_from_luts(tmp_path: Path) -> None:
    fit = replace(FIT, bits_per_lut=200.0)
    layers = [{"place": "conv0", "lut": 100}, {"place": "conv0", "lut": 50}, {"place": "conv1", "lut": 10}]
    (tmp_path / "a.json").write_text(json.dumps({"without": {"layers": []}, "with voters": {"layers": layers}}))
    (tmp_path / "b.json").write_text(json.dumps({"conv0": 150, "conv1": 10}))
    luts = read_resources(tmp_path / "a.json")
    assert luts == read_resources(tmp_path / "b.json") == {"conv0": 150, "conv1": 10}
    run = tiny_run(tmp_path / "a.run")
    found = assess([run], replace(fit, bits={"fc2 channel": 7.0}), luts)
    assert [element.bits for element in found.elements if element.layer != "fc2"] == [30_000, 2_000]
    assert found.elements[0].transient == pytest.approx(50 * 0.03)
    assert "LUTs times [logic] bits_per_lut" in safety_text(found)
    with pytest.raises(SafetyError, match=r"\[logic\] bits_per_lut and --resources"):
        assess([run], fit)
    (tmp_path / "c.json").write_text(json.dumps({"conv0": -1}))
    with pytest.raises(SafetyError, match="conv0 has -1 LUTs"):
        read_resources(tmp_path / "c.json")


def test_structures_add_up(tmp_path: Path) -> None:
    network = tiny_network()
    weights = run_campaign(network, tiny_data(), fault_space(network, "weight"), tmp_path / "w.run")
    fit = replace(FIT, bits={f"{layer} channel": 1000.0 for layer in ("conv0", "conv1", "fc2")})
    found = safety_json(assess([weights, tiny_run(tmp_path / "c.run")], fit))
    rows = {row["structure"]: row for row in found["structures"]}
    assert set(rows) == {"bram", "logic"}
    total = sum(row["undetected"]["value"] for row in rows.values())
    assert total == pytest.approx(found["safety"]["all"]["undetected"]["value"])
    own = [element for element in found["elements"] if element["structure"] == "bram"]
    by_hand = sum(e["vulnerability_transient"] * e["bits"] for e in own) / sum(e["bits"] for e in own)
    assert rows["bram"]["avf"]["value"] == pytest.approx(by_hand)


def test_voters_of_a_plan_raise_the_metrics(tmp_path: Path) -> None:
    """The same logic, and that of the copies, with a campaign on the hardened network: a higher SPFM and lower PMHF."""
    network, data = tiny_network().canonical, tiny_data()
    before = run_campaign(network, data, fault_space(network), tmp_path / "a.run")
    hardened = harden(network, Planner(criticality_of(before)).plan_for_everything())
    after = run_campaign(hardened, data, fault_space(hardened), tmp_path / "b.run")
    layers = {result.layer for run in (before, after) for result in run.results}
    bits = {f"{layer} channel": 100.0 if layer.endswith(".vote") else 3000.0 for layer in layers}
    plain, voted = (assess([run], replace(FIT, bits=bits)).rates() for run in (before, after))
    assert voted.spfm > plain.spfm
    assert voted.pmhf < plain.pmhf
    watched = Mechanism("voter counters", ("conv0 channel", "conv1 channel"), 0.9, 0.9)
    assert assess([before], replace(FIT, bits=bits, mechanisms=(watched,))).rates().spfm > plain.spfm


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_template(tmp_path / "plain.toml")
    assert main(["safety", "--template", str(tmp_path / "fit.toml"), "--board", "Pynq-Z1"]) == 0
    text = (tmp_path / "fit.toml").read_text()
    assert "XC7Z020, Zynq-7000, 28 nm. Its 280 block RAMs of 18 Kbit are 5.16 Mbit" in text
    with pytest.raises(SafetyError, match="must be a number from 0 up, got '\\?'"):
        read_fit(tmp_path / "fit.toml")
    (tmp_path / "fit.toml").write_text(text.replace('"?"', "5.0"))
    sweep_run(tmp_path / "s.run")
    assert main(["safety", str(tmp_path / "s.run"), "--fit", str(tmp_path / "fit.toml")]) == 0
    assert "AVF [%]" in capsys.readouterr().out
    assert main(["safety", str(tmp_path / "s.run"), "--fit", str(tmp_path / "fit.toml"), "--board", "ZCU104"]) == 2
