"""The simulated board of CNV W1A1 with a plan's copies, against the native engine and the plan; ``make boards-cnv``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board import Board, open_board
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.campaign import Run, run_campaign
from fat_fpga.checksums import checksums, checksums_by
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.faults import AnyFault, Fault, fault_space
from fat_fpga.hardening import harden, read_plan, verify
from fat_fpga.network import load_network

BOARDS = os.environ.get("FAT_FPGA_CNV_BOARDS")
FOLDER = Path(str(BOARDS)) / "cnv_w1a1_planned"
IMAGES, COPIES, OTHERS = 10, 4, 2
"""Images; faults of rows with copies and of voters' outputs at each place, and of all other rows."""

pytestmark = pytest.mark.skipif(BOARDS is None, reason="runs on boards of minutes: make boards-cnv")


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    opened = open_board(FOLDER, channels_by="saboteur")
    yield opened
    assert isinstance(opened.device, SimulatedBoard)
    opened.device.close()


def test_the_plan_was_built(board: Board) -> None:
    plan, network = read_plan(FOLDER / "plan.json"), load_network("cnv_w1a1")
    assert board.network.fingerprint == harden(network, plan).fingerprint
    assert [unit.unit for unit in plan.units if unit.replicated] == ["conv1", "conv2", "conv3"]
    voters = board.engine.accelerator.voters
    lanes = {stream.place: stream.layout.lanes for stream in board.engine.accelerator.description.streams}
    for unit in plan.units:
        assert lanes[unit.unit] == unit.pe
        if unit.replicated:
            assert voters[f"{unit.unit}.vote"].sources.tolist() == [list(rows) for rows in unit.sources]


def test_scores_and_checksums_are_those_of_the_network_without_copies(board: Board) -> None:
    images = load("demo:cifar10").images[:3]
    plain = get("native").open(load_network("cnv_w1a1")).trace(images)
    streams = get("native").open(board.network).trace(images)
    assert np.array_equal(streams[board.network.scores], plain["fc8"])
    found = checksums_by(board.session, images)
    for place, (sums, bits) in checksums(board.network, streams).items():
        assert (found[place][0].tolist(), found[place][1]) == (sums.tolist(), bits), place


def test_copies_are_outvoted_and_named_and_all_else_is_as_native(board: Board) -> None:
    """Stuck rows with copies, stuck rows without, and stuck outputs of voters."""
    data, plan = load("demo:cifar10", limit=IMAGES), read_plan(FOLDER / "plan.json")
    rng, faults, copies = np.random.default_rng(0), list[AnyFault](), dict[str, int]()
    for unit in plan.units:
        if not unit.replicated:
            continue
        space = fault_space(board.network, "channel", layers=[unit.unit])
        protected = [fault for fault in space if unit.rows[_row(fault)] in unit.replicated]
        single = [fault for fault in space if unit.rows[_row(fault)] not in unit.replicated]
        voted = fault_space(board.network, "channel", layers=[f"{unit.unit}.vote"])
        for found, count in ((protected, COPIES), (single, OTHERS), ([*voted], OTHERS)):
            faults += [found[int(n)] for n in rng.choice(len(found), count, replace=False)]
        copies |= {str(fault): _row(fault) for fault in protected}
    native = get("native").open(board.network).run(data.images, data.labels, faults, predictions=True)
    outcome = board.session.run(data.images, data.labels, faults, predictions=True)
    assert outcome.predictions is not None
    assert native.predictions is not None
    assert np.array_equal(outcome.predictions, native.predictions)
    assert board.engine.restarts == []
    named = 0
    for fault, predictions in zip(faults, outcome.predictions, strict=True):
        seen = board.engine.disagreements.get(str(fault), {})
        if str(fault) not in copies:
            assert seen == {}  # nothing to compare it with
            continue
        assert np.array_equal(predictions, outcome.golden)
        assert isinstance(fault, Fault)
        assert {entry.rows for entry in seen.get(f"{fault.layer}.vote", [])} <= {(copies[str(fault)],)}
        named += bool(seen)
    assert named > len(faults) // 4
    changed = (outcome.predictions != outcome.golden).any(axis=1).sum()
    print(f"{len(faults)} faults x {len(data)} images: {changed} change a class, {named} copies were named")
    assert changed


def _row(fault: AnyFault) -> int:
    assert isinstance(fault, Fault)
    return fault.index[0]


def test_the_whole_campaign_keeps_the_promise(tmp_path: Path) -> None:
    """By the native engine, of which the tests above say that the board does the same."""
    plan, network = read_plan(FOLDER / "plan.json"), load_network("cnv_w1a1")
    built = harden(network, plan)
    images = load("demo:cifar10", limit=plan.images)
    run = run_campaign(built, images, fault_space(built, "channel"), tmp_path / "hardened.run")
    assert verify(plan, run).held
    voted = [result.layer.endswith(".vote") for result in run.results]
    worst = min(result.correct for result, vote in zip(run.results, voted, strict=True) if not vote)
    assert worst >= plan.worst_correct > min(result.correct for result in Run.open(FOLDER / "campaign.run").results)
