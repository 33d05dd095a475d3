"""The simulated board that was built from a plan: campaign, plan, network and streams belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.board.description import Description
from fat_fpga.campaign import Run, run_campaign
from fat_fpga.datasets import load
from fat_fpga.faults import fault_space
from fat_fpga.hardening import harden, read_plan
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.plan_file import plan_text
from fat_fpga.hardening.planner import Planner
from fat_fpga.network import load_network
from fat_fpga.network.folding import read_folds
from fat_fpga.network.network_file import read_network
from tests.board.boards import board_folder

NAME = "tfc_w2a2_planned"
pytestmark = pytest.mark.boards


def test_the_same_plan_every_time(tmp_path: Path) -> None:
    folder, network = board_folder(NAME), load_network("tfc_w2a2")
    plan, before = read_plan(folder / "plan.json"), Run.open(folder / "campaign.run")
    digits = load("demo:mnist", limit=plan.images)
    again = run_campaign(network, digits, fault_space(network, "channel"), tmp_path / "again.run", "reference")
    assert (again.identity, again.results) == (before.identity, before.results)
    what = criticality_of(again)
    folds = read_folds("16x49,4x16,16x4,2x16", what.design, network.name)
    assert (
        plan_text(Planner(what, FinnModel(live=False), folds).plan(what.golden)) == (folder / "plan.json").read_text()
    )
    assert plan.worst_correct == plan.golden_correct > min(what.worst["fc0"])


def test_copies_in_more_than_one_layer_as_planned() -> None:
    folder = board_folder(NAME)
    plan = read_plan(folder / "plan.json")
    assert [bool(unit.replicated) for unit in plan.units] == [True, True, False, False]
    built = read_network(folder / "network.npz")
    assert built.fingerprint == harden(load_network("tfc_w2a2"), plan).fingerprint
    description = Description.read(folder / "board.json")
    assert description.fingerprint == built.fingerprint
    streams = {stream.place: stream for stream in description.streams}
    for unit, reader in zip(plan.units, plan.units[1:], strict=False):
        assert (streams[unit.unit].layout.channels, streams[unit.unit].layout.lanes) == (len(unit.rows), unit.pe)
        if unit.replicated:
            voted = streams[f"{unit.unit}.vote"]
            assert (voted.layout.channels, voted.layout.lanes) == (unit.channels, reader.simd)
            assert voted.sources == [list(rows) for rows in unit.sources]


def test_the_same_hardware_with_other_weights_is_compiled_once() -> None:
    """What both predict is in notebook 02."""
    first, second = (board_folder(name) for name in ("tfc_w2a2", "tfc_w2a2_fat2"))
    weights = [(folder / "finn" / "MVAU_rtl_0" / "memblock.dat").read_bytes() for folder in (first, second)]
    assert weights[0] != weights[1]
    assert (first / "libboard.so").read_bytes() == (second / "libboard.so").read_bytes()
