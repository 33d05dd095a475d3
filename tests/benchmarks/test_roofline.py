"""The page on roofs: what is made of counts, peaks and times, the program behind it, and the picture."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import roofline
from benchmarks.campaigns import faults_of
from benchmarks.roofline_machine import UNITS, CompilerError, peaks
from benchmarks.roofline_work import Work, work
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import ENVIRONMENT
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.network import load_network

MACHINE = {
    "byte_additions": 100e9, "bit_additions": 400e9, "three_input": 1e12, "l1": 200e9, "l2": 1e11, "l3": 5e10,
    "memory": 1e10,
}  # fmt: skip
CASE = roofline.Case("cnv_w1a1", "channel", 10, 2, Work(4000, 150, 50, 700, 20), 100, 1_000_000, 1, "", 2.0, 0.1)


def test_times_at_the_peaks() -> None:
    assert CASE.intensity == 6.0
    assert CASE.at_peak(MACHINE) == pytest.approx(1e6 * (4000 / 400e9 + 200 / 100e9))
    assert CASE.at_peak(MACHINE, whole_vectors=True) == pytest.approx(1e6 * (20 * 512 / 400e9 + 200 / 100e9))
    assert replace(CASE, room=2).at_peak(MACHINE) == pytest.approx(1e6 * (4000 / 200e9 + 200 / 100e9))
    assert replace(CASE, room=8).at_peak(MACHINE) == pytest.approx(1e6 * 4200 / 100e9)
    assert replace(CASE, room=8).at_peak(MACHINE, True) == pytest.approx(1e6 * (20 * 64 + 200) / 100e9)
    assert CASE.at_bandwidth(MACHINE, "l1") == pytest.approx(1e6 * 700 / 200e9)
    assert CASE.share(MACHINE) == pytest.approx(CASE.at_peak(MACHINE, True) / 2)
    slow = {**MACHINE, "l2": 1e9}
    assert CASE.share(slow) == pytest.approx(0.7 / 2)


def test_tables() -> None:
    assert roofline.work_table([CASE]).splitlines()[1].split() == [
        "cnv_w1a1", "channel", "4,000", "100", "150", "50", "700", "6.0", "1,000,000", "250", "x"
    ]  # fmt: skip
    row = roofline.time_table([CASE], MACHINE).splitlines()[1].split()
    assert row == ["cnv_w1a1", "channel", "0.012", "0.028", "0.004", "0.007", "2.000", "0.100", "1.4%"]
    assert len(roofline.machine_table(MACHINE).splitlines()) == 1 + len(UNITS)


def test_results_are_read_as_they_were_written() -> None:
    assert roofline.read(json.loads(json.dumps(roofline.written([CASE], MACHINE, "avx2")))) == [CASE]


def test_the_results_in_the_repository_are_of_all_cases() -> None:
    results = json.loads(roofline.RESULTS.read_text())
    assert [(case.network, case.kind, case.layer) for case in roofline.read(results)] == list(roofline.CASES)
    assert results["machine"].keys() == UNITS.keys()


def test_counts_are_means_over_faults_and_images() -> None:
    network = load_network("cnv_w1a1")
    faults = faults_of(network, "element")[:3]
    found, error = roofline.counted(roofline.opened("cnv_w1a1"), faults, 2)
    data = load("demo:cifar10", limit=roofline.IMAGES[1]).images
    session = ReferenceEngine().open(network)
    total = Work()
    additions: list[float] = []
    for number, fault in enumerate(faults):
        first = roofline.IMAGES[0] + 2 * number
        images = data[first : first + 2]
        one = work(network, fault, session.trace(images, fault), session.trace(images, None))
        total += one
        additions.append(one.additions / 2)
    assert vars(found) == pytest.approx(vars(total * (1 / 6)))
    mean = sum(additions) / 3
    assert error == pytest.approx((sum((a - mean) ** 2 for a in additions) / 2) ** 0.5 / 3**0.5)


@pytest.mark.skipif(shutil.which("c++") is None, reason="no compiler")
def test_the_core_is_measured() -> None:
    found = peaks("")
    assert found.keys() == UNITS.keys()
    assert min(found.values()) > 1e8
    assert found["l1"] > found["memory"]
    assert found["bit_additions"] > found["byte_additions"]


def test_a_compiler_that_is_missing_or_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", str(tmp_path / "none"))
    with pytest.raises(CompilerError, match="expected a C\\+\\+ compiler"):
        peaks("")
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(CompilerError, match="does not compile"):
        peaks("")


def test_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    """All of it on one case, and again with the counts of before; peaks are given."""
    monkeypatch.setattr(roofline, "CASES", (("cnv_w1a1", "pe", ""), ("cnv_w1a1", "channel", "fc7")))
    monkeypatch.setattr(roofline, "IMAGES", (1, 3))
    monkeypatch.setattr(roofline, "peaks", lambda name: MACHINE)
    monkeypatch.setenv(ENVIRONMENT, "")
    results, figure = tmp_path / "results.json", tmp_path / "roofline.svg"
    common = ["--seconds", "0.1", "--results", str(results)]
    assert roofline.main([*common, "--faults", "5", "--figure", str(figure)]) == 0
    first, layer = roofline.read(json.loads(results.read_text()))
    assert (first.faults, first.images, first.room) == (5, 2, 1)
    assert first.microseconds > 0
    assert first.work.additions > 1000
    assert layer.name == "channel fc7"
    assert 0 <= layer.work.additions <= 10
    assert 0 < first.fault_free < first.microseconds
    assert "cnv_w1a1, pe" in figure.read_text()
    assert f"{first.full:,}" in capsys.readouterr().out
    assert roofline.main([*common, "--keep-counts"]) == 0
    second, _ = roofline.read(json.loads(results.read_text()))
    assert second.work == first.work


@pytest.mark.parametrize("wrong", [["--faults", "0"], ["--images", "33"], ["--keep-counts", "--results", "no.json"]])
def test_options_that_are_refused(wrong: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv(ENVIRONMENT, "")
    with pytest.raises(SystemExit) as left:
        roofline.main(wrong)
    assert left.value.code == 2
    assert "expected" in capsys.readouterr().err
