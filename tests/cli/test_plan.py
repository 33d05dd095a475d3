"""``fat-fpga plan``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.cli import main
from fat_fpga.faults import fault_space
from fat_fpga.hardening import read_plan
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run, tiny_run_of
from tests.cli.conftest import Refused

FOLDING = ("--folding", "2x1,3x2,2x1")


@pytest.fixture
def run(folder: Path) -> Run:
    return tiny_run(folder / "tiny.run")


def test_plan(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = 100 * (30 - run.error_free) / 30
    assert main(["plan", "tiny.run", "--worst-error", f"{golden + 0.01:.2f}%", "-o", "plan.json"]) == 0
    output = capsys.readouterr().out
    assert f"promised: worst-case error {golden:.2f} %" in output
    plan = read_plan(folder / "plan.json")
    assert plan.fingerprint == tiny_network().fingerprint
    assert plan.dataset_fingerprint == run.identity.dataset_fingerprint
    assert plan.worst_correct == plan.golden_correct == run.error_free
    assert main(["plan", "tiny.run", "--worst-accuracy", "0"]) == 0
    assert "1.0000x" in capsys.readouterr().out


def test_budget_and_folding(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "tiny.run", "--budget", "1.5x", *FOLDING, "--clock", "100", "-o", "plan.json"]) == 0
    output = capsys.readouterr().out
    assert "frames a second at 100 MHz" in output
    plan = read_plan(folder / "plan.json")
    assert plan.costs[0].ratio <= 1.5
    assert main(["plan", "tiny.run", "--worst-error", "100", *FOLDING, "--clock", "100", "--fps", "1000"]) == 0


def test_front(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_run(folder / "again.run")
    arguments = ["--front", "--csv", "f.csv", "--json", "f.json", "--figures", "drawn"]
    assert main(["plan", "tiny.run", "again.run", "--names", "SAT,FAT", *arguments]) == 0
    assert "SAT channels" in capsys.readouterr().out
    assert all(
        (folder / name).stat().st_size
        for name in ("f.csv", "f.json", *(f"drawn/front.{form}" for form in ("png", "svg", "pdf")))
    )


def test_pes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_run_of(folder / "pes.run", "pe", layers=["conv0"])
    assert main(["plan", "pes.run", "--worst-error", "90", *FOLDING]) == 2
    assert "has 0 pe faults in conv1" in capsys.readouterr().err


def test_permute(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = f"{100 * (30 - run.error_free) / 30 + 5:.2f}"
    assert main(["campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-q", "-o", "npz.run"]) == 0
    arguments = ["plan", "npz.run", "--worst-error", error, "--folding", "2x1,3x2,2x1", "--permute", "-q"]
    data = tiny_data(seed=1)
    np.savez(folder / "others.npz", images=data.images, labels=data.labels, classes=np.array(["a", "b", "c", "d"]))
    capsys.readouterr()
    assert main([*arguments, "--model", "tiny.onnx", "--data", "npz:others.npz"]) == 2
    assert "holds other images than the campaign" in capsys.readouterr().err
    assert main([*arguments, "--model", "other.onnx", "--data", "npz:tiny.npz"]) == 2
    assert "give the model of the campaign" in capsys.readouterr().err
    assert main([*arguments, "--model", "tiny.onnx", "--data", "npz:tiny.npz", "-o", "plan.json"]) == 0
    assert "reordering: " in capsys.readouterr().out
    plan = read_plan(folder / "plan.json")
    assert plan.kind == "pe"
    assert plan.worst_error <= float(error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "one of the arguments --worst-error --worst-accuracy --worst-cost --budget --tmr --front is required"),
        (("--worst-error", "much"), "expected a percentage, 0 to 100, as 20 or 13.84"),
        (("--worst-error", "120"), "expected a percentage, 0 to 100"),
        (("--budget", "0x"), "expected a cost above 0"),
        (("--budget", "0.5x"), "the cheapest network costs 1.0000 times"),
        (("--worst-error", "0"), "the fault-free network has 23.33 %: nearest possible --worst-error 76.666667"),
        (("--worst-error", "90", "--folding", "3x1,3x2,2x1"), "conv0 has 3 PEs, which do not divide its output"),
        (("--worst-error", "90", *FOLDING, "--part", "ZC706"), "known are Pynq-Z1 (XC7Z020)"),
        (("--worst-error", "90", *FOLDING, "--cost", "folded", "--part", "ZCU104"), "take --cost finn"),
        (("--worst-error", "90", "--cost", "finn"), "--cost finn needs --folding"),
        (("--worst-error", "90", "--clock", "100"), "leave --folding, --clock and --fps out"),
        (("--worst-error", "90", *FOLDING, "--fps", "5"), "--fps needs --clock"),
        (("--worst-error", "90", *FOLDING, "--clock", "-5"), "expected MHz, 1 to 1,000, got '-5'"),
        (("--worst-error", "90", "--permute"), "--permute needs"),
        (("--worst-error", "90", "--csv", "f.csv"), "--csv is for fronts"),
        (("--front", "-o", "plan.json"), "--output is for a plan"),
        (("--front", "--names", "a,b"), "one name for each of the 1 runs, got 2"),
        (("tiny.run", "--worst-error", "90"), "a plan is for one network, got 2 runs"),
        (("--worst-error", "90", "-o", "nowhere/plan.json"), "no such folder"),
    ],
)  # fmt: skip
def test_bad_input(run: Run, refused: Refused, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused("plan", "tiny.run", *arguments)


def test_bad_runs(run: Run, folder: Path, refused: Refused) -> None:
    assert "no run file at" in refused("plan", "none.run", "--front")
    tiny_run(folder / "few.run", images=20)
    assert "on the same images only" in refused("plan", "tiny.run", "few.run", "--front")
    network = tiny_network()
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), fault_space(network), folder / "half.run", Watched(stop=2), chunk=3)
    message = refused("plan", "half.run", "--worst-error", "90")
    assert "is unfinished, 3 of 14 faults" in message
    assert "fat-fpga campaign tiny --data DATA -o half.run" in message


def test_a_network_that_is_not_bundled_on_a_part(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Every plan with LUTs tells where they come from, and the model makes them closer."""
    arguments = ["plan", "tiny.run", "--worst-error", "90", *FOLDING, "--part", "Pynq-Z1", "--clock", "100"]
    assert main(arguments) == 0
    output = capsys.readouterr().out
    assert "fits XC7Z020" in output
    assert "LUTs of window generators and input thresholds" in output
    assert "LUTs, BRAM_18K, DSP of all units: " in output
    assert "LUTs of a whole network 0 to 9 % above FINN's" in output
    assert main([*arguments, "--model", "tiny.onnx"]) == 0
    assert "LUTs of a whole network within 0.1 % of FINN's, by the model's weights" in capsys.readouterr().out
    assert main(["plan", "tiny.run", "--front", *FOLDING, "--cost", "finn"]) == 0
    assert "LUTs: " in capsys.readouterr().out
    assert main(["plan", "tiny.run", "--worst-error", "90", *FOLDING]) == 0
    assert "whole network" not in capsys.readouterr().out  # lanes are counted, not estimated


def test_the_highest_rate_is_told_and_can_be_had(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", "tiny.run", "--worst-error", "90", *FOLDING, "--clock", "100", "--fps"]
    assert main([*arguments, "1000000"]) == 2
    message = capsys.readouterr().err
    assert "1,000,000 frames a second cannot be reached: conv0 takes 324 cycles at least with 1 SIMD lane" in message
    assert "the most is --fps 308641 at 100 MHz" in message  # 100 MHz / 324
    assert main([*arguments, "308641"]) == 0
    assert main([*arguments, "308642"]) == 2


def test_ratios_are_to_the_cheapest_network_without_copies_at_the_same_rate(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """conv0 needs all 4 PEs at that rate, 4 lanes; conv1 (48 cycles with 1 PE and 2 lanes) and fc2 need one each."""
    rate = str(100e6 / 324)[:6]
    assert (
        main(["plan", "tiny.run", "--worst-error", "100", *FOLDING, "--clock", "100", "--fps", rate, "-o", "p.json"])
        == 0
    )
    costs = {cost.name: cost for cost in read_plan(folder / "p.json").costs}
    lanes = costs["multiply-accumulate lanes"]
    assert (lanes.unprotected, lanes.ratio) == (4 * 1 + 1 * 2 + 1 * 1, 1)
    assert costs["cycles of the slowest unit"].unprotected == 324


def test_what_a_newcomer_reads(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scores are no channels; all channels were asked for; the next command can be pasted."""
    assert main(["plan", "tiny.run", "--tmr", "--model", "tiny.onnx", "-o", "my plan.json"]) == 0
    output = capsys.readouterr().out
    rows = [line.split() for line in output.splitlines()]
    assert ["fc2", "scores", "-", "4", "4", "12", "1"] in rows
    assert ["all", "7", "7", "25"] in rows
    assert "asked, " not in output
    assert "next: fat-fpga harden tiny.onnx 'my plan.json' -o hardened.onnx" in output
    assert main(["plan", "tiny.run", "--tmr", *FOLDING, "-o", "plan.json"]) == 0
    assert "asked, " not in capsys.readouterr().out
    assert main(["harden", "tiny.onnx", "my plan.json", "-o", "hardened.onnx"]) == 0
