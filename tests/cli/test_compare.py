"""``fat-fpga compare``, from run files to tables and figures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli import main
from tests.campaign.tiny import tiny_run

from .conftest import Refused

DATA = ("--data", "npz:tiny.npz", "--engine", "reference", "-q")


@pytest.fixture
def runs(folder: Path) -> Path:
    assert main(["campaign", "tiny.onnx", *DATA, "-o", "a.run"]) == 0
    assert main(["campaign", "other.onnx", *DATA, "-o", "b.run"]) == 0
    return folder


def test_compare(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = ("--csv", "c.csv", "--json", "c.json", "--figures", "new/figures")
    assert main(["compare", "a.run", "b.run", "--names", "SAT,FAT", *outputs]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert "2 runs on npz:tiny.npz, 30 images" in output.out
    with (runs / "c.csv").open() as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    for name, path in (("SAT", "a.run"), ("FAT", "b.run")):
        accuracy = Run.open(path).accuracy
        assert float(rows[name]["min"]) == accuracy.min()
        assert float(rows[name]["variance"]) == pytest.approx(np.var(accuracy))
        assert f"{accuracy.min():.2f}" in output.out
    assert [run["name"] for run in json.loads((runs / "c.json").read_text())["runs"]] == ["SAT", "FAT"]
    assert len(list((runs / "new" / "figures").iterdir())) == 6


def test_different_data_on_request(runs: Path, refused: Refused, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_run(runs / "fewer.run", images=20)
    assert "the runs are on different data (a.run on" in refused("compare", "a.run", "fewer.run")
    assert main(["compare", "a.run", "fewer.run", "--allow-different-data"]) == 0
    assert "DIFFERENT DATA" in capsys.readouterr().out


def test_refusals_leave_nothing_behind(runs: Path, refused: Refused) -> None:
    assert "at least two runs, got 1" in refused("compare", "a.run", "--figures", "new")
    assert "RUN" in refused("compare")
    assert "no run file at nowhere.run" in refused("compare", "a.run", "nowhere.run", "--csv", "c.csv")
    assert "is not a run file" in refused("compare", "a.run", "tiny.onnx")
    assert "expected one name for each of the 2 runs, got 1: x" in refused("compare", "a.run", "b.run", "--names", "x")
    assert "cannot write there" in refused("compare", "a.run", "b.run", "--csv", "c.csv", "--json", "no/c.json")
    assert "it is a file: tiny.npz" in refused("compare", "a.run", "b.run", "--figures", "tiny.npz")


def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["compare", "--help"])
    assert left.value.code == 0
    assert "\n  fat-fpga compare sat.run fat.run" in capsys.readouterr().out
