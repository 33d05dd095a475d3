"""The commands, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fat_fpga.cli import main
from fat_fpga.hardening import Expected, Plan, UnitPlan, write_plan
from fat_fpga.hardening.unit_plan import identity_plan
from fat_fpga.network import load_network


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_estimate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ("finn", "estimate", "cnv_w1a1", "--board", "Pynq-Z1", "--folding", "stock", "--inject", "thresholds")
    code, out, _ = said(capsys, *arguments, "--report", str(tmp_path / "r"), "--save-folding", str(tmp_path / "f.json"))
    assert code == 0
    assert "as it came                23,919       147    0  32,768     3,052" in out
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"estimates.json", "comparison.json", "estimates.png"}
    assert json.loads((tmp_path / "r/comparison.json").read_text())["as it came"]["total"]["lut"] == 23_919
    code, again, _ = said(capsys, *arguments[:6], str(tmp_path / "f.json"), *arguments[7:])
    assert again.split("wrote")[0].strip() == out.split("wrote")[0].strip()


def test_build_and_resume(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ("finn", "build", "tfc_w2a2", "--board", "ZCU104", "--folding", "auto:50000", "-o", str(tmp_path / "b"))
    code, out, err = said(capsys, *command, "--until", "lower")
    assert code == 0
    assert "[ 4/4] lower" in err
    code, out, _ = said(capsys, *command)
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()[1:5]] == ["before"] * 4
    assert (tmp_path / "b/report/estimates.png").stat().st_size > 5_000


def test_a_plan_is_built_with_its_folding(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Copies of two channels, three PEs; the totals before, with voters, and with saboteurs."""
    network = load_network("tfc_w2a2")
    rows = (*(0, 0, 0, 1, 1, 1), *range(2, 64))
    units = [UnitPlan("fc0", 64, 4, 8, rows, tuple(range(64)))]
    units += [identity_plan(unit.name, unit.channels, 2, 8) for unit in network.units[1:]]
    plan = Plan(
        network.name,
        network.fingerprint,
        "none",
        "0",
        1,
        1,
        "channel",
        "a test",
        0,
        tuple(units),
        (Expected("-", 0, 0),),
    )
    write_plan(plan, tmp_path / "plan.json")
    code, out, err = said(
        capsys, "finn", "build", "tfc_w2a2", "--board", "Pynq-Z1", "--plan", str(tmp_path / "plan.json"),
        "--folding", "plan", "--inject", "stream", "-o", str(tmp_path / "b"), "-q",
    )  # fmt: skip
    assert (code, err) == (0, "")
    rows_of = [line.rsplit(None, 5)[0] for line in out.splitlines()[-6:-3]]
    assert rows_of == ["as it came", "with copies and voters", "and stream injection"]
    totals = json.loads((tmp_path / "b/report/comparison.json").read_text())
    luts = [entry["total"]["lut"] for entry in totals.values()]
    assert luts[0] < luts[1] < luts[2]
    voters = [layer["place"] for layer in totals["with copies and voters"]["layers"] if "Voter" in layer["node"]]
    assert voters == ["fc0.vote"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--board", "ZCU104", "--folding", "stock", "--until", "bitfile"), "step ip needs Vitis HLS"),
        (("--board", "ZCU105", "--folding", "stock"), "unknown board or part 'ZCU105'"),
        (("--board", "ZCU104", "--folding", "auto:fast"), "expected auto: and images a second"),
        (("--board", "ZCU104", "--folding", "plan"), "folding plan: give --plan, too"),
        (("--board", "Pynq-Z1", "--folding", "auto:11000"), "Pynq-Z1 is too small for 11000 images a second"),
        (
            ("--board", "ZCU104", "--folding", "16x3,32x32,16x32,16x32,4x32,1x32,1x4,1x8,4x1"),
            "which PE 4 does not divide",
        ),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = said(capsys, "finn", "build", "cnv_w1a1", "-o", str(tmp_path / "b"), *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert message in err
    assert not (tmp_path / "b").exists()


def test_trace_is_the_same_from_every_engine(capsys: pytest.CaptureFixture[str]) -> None:
    command = ("trace", "cnv_w1a1", "--data", "demo:cifar10", "--image", "7")
    code, out, _ = said(capsys, *command)
    assert code == 0
    assert len(out.splitlines()) == 13
    assert said(capsys, *command, "--engine", "finn")[1] == out
    _, faulty, _ = said(capsys, *command, "--fault", "conv3/channel[5] = +1")
    assert faulty.splitlines()[:6] == out.splitlines()[:6]
    assert faulty != out
    assert said(capsys, *command, "--fault", "conv3/channel[5] = +1", "--engine", "finn")[1] == faulty
    code, beats, _ = said(capsys, *command, "--folding", "bnn-pynq")
    assert [line.split()[-1] for line in beats.splitlines()] == [line.split()[-1] for line in out.splitlines()]
    found = {line.split()[0]: line.split()[3] for line in beats.splitlines()}
    assert (found["conv0"], found["conv1"], found["conv1.pool"], found["input"]) == ("3,600", "1,568", "-", "-")
    code, _, err = said(capsys, "trace", "cnv_w1a1", "--data", "demo:cifar10", "--image", "1000")
    assert code == 2
    assert "--image 1000: demo:cifar10 has images 0 to 999" in err
