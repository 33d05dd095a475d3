"""``fat-fpga protect`` on the tiny network, from real runs with and without each measure."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.cli import main
from fat_fpga.cli.plan import TARGETS
from fat_fpga.cli.protect import JUDGES
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines.reference import classes, execute
from fat_fpga.errors import PlanError
from fat_fpga.faults import fault_space
from fat_fpga.hardening import harden
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.layerwise.choose import choose
from fat_fpga.hardening.layerwise.evidence import MEAN, WORST, evidence
from fat_fpga.hardening.layerwise.measure import Measures, read_measures
from fat_fpga.hardening.layerwise.price import IN_LUTS
from fat_fpga.hardening.layerwise.problem import Problem, problem
from fat_fpga.hardening.planner import Planner
from fat_fpga.luts.clip import clip_luts
from fat_fpga.luts.guard import guard_luts
from fat_fpga.network import Levels, Network, write_qonnx
from fat_fpga.network.folding import Fold
from tests.campaign.tiny import tiny_data, tiny_network

FOLDS = {"conv0": Fold(2, 1), "conv1": Fold(1, 4), "fc2": Fold(2, 3)}
FOLDING = ["--folding", "2x1,1x4,2x3"]
RATES = (0.002, 0.02)
THREATS = ["channel", *(f"weight[*].bit[*] ^ 1 ~ {rate:g}" for rate in RATES)]
SECDED = "secded[4]"


def small_network() -> Network:
    """The tiny network with two-bit activations, as its file is read."""
    return tiny_network(levels=Levels(0, 1, 4)).canonical


def own_data(network: Network) -> Dataset:
    """Images whose class is what the network says, but for some."""
    data = tiny_data(60)
    labels = classes(execute(network, data.images)[network.layers[-1].name]).astype(np.int64)
    labels[:3] = (labels[:3] + 1) % 4
    return replace(data, labels=labels)


def swept(network: Network, path: Path, protection: str = "") -> Run:
    sweep = Sweep(("weight",), RATES, 8, "layer", protection=protection)
    return run_campaign(network, own_data(small_network()), sweep.selection(network), path, "reference")


def channels(network: Network, path: Path) -> Run:
    return run_campaign(network, own_data(small_network()), fault_space(network), path, "reference")


def runs(folder: Path) -> dict[str, Run]:
    network = small_network()
    found = {"sat": channels(network, folder / "sat.run"), "weights": swept(network, folder / "weights.run")}
    plan = Planner(criticality_of(found["sat"]), FinnModel(live=False), FOLDS).plan_for_everything()
    hardened = harden(network, plan)
    found["ecc"] = swept(network, folder / "ecc.run", SECDED)
    found["tmr"] = channels(hardened, folder / "tmr.run")
    found["tmr_weights"] = swept(hardened, folder / "tmr_weights.run")
    write_qonnx(network, folder / "small.onnx")
    return found


def problem_of(found: dict[str, Run]) -> Problem:
    having = [(Measures("secded"), [found["ecc"]]), (Measures(tmr=True), [found["tmr"], found["tmr_weights"]])]
    return problem(small_network(), FOLDS, [found["sat"], found["weights"]], having)


def test_worst_cases_are_those_of_the_runs(tmp_path: Path) -> None:
    found = runs(tmp_path)
    told = problem_of(found)
    assert told.base.threats == THREATS
    assert told.golden == 57
    for layer, options in told.options.items():
        worst = {option.measures: option.worst for option in options}

        def least(*names: str, layer: str = layer) -> int:
            return min([57, *(r.correct for name in names for r in found[name].results if r.layer == layer)])

        assert worst[Measures()] == least("sat", "weights")
        assert worst[Measures("secded")] == least("sat", "ecc"), "a code does nothing about channels"
        if layer == "fc2":
            assert Measures(tmr=True) not in worst, "the last unit has no copies"
        else:
            assert worst[Measures(tmr=True)] == least("tmr", "tmr_weights")
            assert least("tmr") == 57
    assert f"{THREATS[0]}: no such faults were in fc2" in told.notes
    assert f"{THREATS[0]}: not measured with secded, counted as without" in told.notes
    mean = evidence(Measures(), [found["weights"]], MEAN, up_to=0.01)
    assert mean.threats == THREATS[1:2]
    own = [result.correct for result in found["weights"].results
           if result.layer == "conv1" and result.pattern.rate == RATES[0]]  # fmt: skip
    assert mean.outcomes["conv1", THREATS[1]] == Fraction(sum(own), len(own))


def test_prices_are_those_of_the_parts(tmp_path: Path) -> None:
    told = problem_of(runs(tmp_path))
    by_measures = {option.measures: option.price for option in told.options["conv1"]}
    plain, coded = by_measures[Measures()], by_measures[Measures("secded")]
    # one PE with 4 lanes reads 4 weights of -1 and +1 a cycle, by FINN one bit each or two bits each behind two bits
    width = 4 * (1 if coded.luts - plain.luts == guard_luts("secded", 4, False) else 2)
    assert coded.luts - plain.luts == width // 4 * guard_luts("secded", 4, False)
    assert (coded.dsp, coded.how) == (plain.dsp, IN_LUTS)
    assert coded.bram_18k >= plain.bram_18k
    tripled = by_measures[Measures(tmr=True)]
    assert tripled.built.rows == 3 * 3
    assert tripled.luts > plain.luts
    assert clip_luts(2, 2) == 2 * clip_luts(1, 2) > 0


def test_measures_are_chosen_where_the_worst_case_needs_them(tmp_path: Path) -> None:
    told = problem_of(runs(tmp_path))
    for target in {option.worst for options in told.options.values() for option in options}:
        chosen = choose(told.options, target, 190.0)
        possible = all(max(option.worst for option in options) >= target for options in told.options.values())
        assert (chosen is not None) == possible
        for layer, option in chosen.options.items() if chosen else ():
            cheapest = min(o.price.luts + 190 * o.price.bram_18k for o in told.options[layer] if o.worst >= target)
            assert option.price.luts + 190 * option.price.bram_18k == cheapest


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    told = problem_of(runs(tmp_path))
    having = ["--with", "secded=ecc.run", "tmr=tmr.run", "tmr=tmr_weights.run"]
    command = ["protect", "small.onnx", *FOLDING, "--without", "sat.run", "weights.run", *having]
    assert main([*command, "--front", "--json", "front.json"]) == 0
    assert "best trades" in capsys.readouterr().out
    front = json.loads((tmp_path / "front.json").read_text())["protection"]
    costs = [one["cost"] for one in front]
    assert costs == sorted(costs)
    best = front[-1]["worst_accuracy"]
    assert best == pytest.approx(
        100 * float(min(max(o.worst for o in options) for options in told.options.values())) / 60
    )
    assert main([*command, "--worst-accuracy", f"{best - 0.01:.2f}", "--board", "ZCU104"]) == 0
    output = capsys.readouterr().out
    assert f"promised: at least {best:.2f} % right" in output
    assert ("fat_word_guard" in output) == any("secded (" in line for line in output.splitlines())
    assert "tmr" in output
    assert main([*command, "--worst-error", "0"]) == 2
    assert "nearest possible: --worst-error" in (error := capsys.readouterr().err)
    assert main([*command, "--worst-error", error.split("--worst-error ")[1].strip()]) == 0
    capsys.readouterr()
    for options, said in (
        (["--without", "sat.run", "--with", "secded=weights.run"], "needs one sweep of weights"),
        (["--without", "ecc.run"], "is given as none"),
        (["--without", "sat.run", "--with", "tmr=weights.run"], "on the network without measures"),
        (["--without", "sat.run", "--with", "secded=tmr.run"], "needs one sweep of weights"),
        (["--without", "sat.run", "tmr.run"], "are on one network"),
        (["--without", "tmr.run"], "give the model of the campaign"),
        (["--without", "sat.run", "--with", "ecc"], "takes MEASURES=RUN"),
        (["--without", "sat.run", "--with", "secde=ecc.run"], "measures are parity, secded, tmr, clip"),
        (["--without", "weights.run", "--up-to", "1e-9"], "have a rate of at most 1e-09"),
    ):
        assert main(["protect", "small.onnx", *FOLDING, *options, "--front"]) == 2, options
        assert said in capsys.readouterr().err, options


def test_errors_in_several_layers_are_refused(tmp_path: Path) -> None:
    network = small_network()
    whole = Sweep(("weight",), (0.1,), 2).selection(network)
    run = run_campaign(network, own_data(network), whole, tmp_path / "whole.run", "reference")
    with pytest.raises(PlanError, match="several layers at once"):
        evidence(Measures(), [run])


def test_names_of_measures() -> None:
    for text in ("none", "secded+parity", "tmr+tmr", "", "clip+"):
        with pytest.raises(PlanError, match="joined by"):
            read_measures(text)
    for measures in (Measures("secded"), Measures("parity", clip=True), Measures("secded", True, True)):
        assert read_measures(str(measures)) == measures
    assert JUDGES == (WORST, MEAN)
    assert TARGETS[0] == "accuracy"
