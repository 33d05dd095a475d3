"""Nothing of the user's is overwritten by the command that reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.cli import main
from tests.cli.conftest import Refused

LOST = "it is read here and would be lost"


@pytest.fixture
def run_file(folder: Path) -> str:
    assert main(["campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-o", "a.run", "-q"]) == 0
    assert main(["plan", "a.run", "--tmr", "-o", "plan.json"]) == 0
    return "a.run"


@pytest.mark.parametrize(
    "command",
    [
        "report a.run --csv a.run",
        "report a.run --json a.run",
        "compare a.run a.run --csv a.run",
        "plan a.run --tmr -o a.run",
        "harden tiny.onnx plan.json -o tiny.onnx",
        "harden tiny.onnx plan.json -o plan.json",
        "harden tiny.onnx plan.json -o h.onnx --save-folding plan.json",
        "inject tiny.onnx conv0/channel[0]=1 -o tiny.onnx",
        "campaign tiny.onnx --data npz:tiny.npz -o tiny.onnx",
    ],
)
def test_an_output_is_none_of_the_inputs(run_file: str, refused: Refused, command: str) -> None:
    assert LOST in refused(*command.split())


def test_a_demo_leaves_other_files_alone(run_file: str, folder: Path, refused: Refused) -> None:
    Path(run_file).rename("cnv_w1a1.run")
    assert "has cnv_w1a1.run, which no demo has made" in refused("demo", "-o", ".")
    Path("cnv_w1a1.run").unlink()
    Path("faults.csv").write_text("mine")
    assert "has faults.csv, which no demo has made" in refused("demo", "-o", ".")
