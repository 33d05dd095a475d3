"""Simulated boards of the bundled CNVs in FINN's example foldings, against the native engine; ``make boards-cnv``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board import Board, open_board
from fat_fpga.board.injection import injectable
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.checksums import checksums, checksums_by
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.rtl.stages import Fold, cycles

FOLDER = os.environ.get("FAT_FPGA_CNV_BOARDS")
NAMES = ("cnv_w1a1", "cnv_w1a2", "cnv_w2a2")
IMAGES, OF_A_KIND = 3, 3
KINDS = ("channel", "pixel", "element", "pe")

pytestmark = pytest.mark.skipif(FOLDER is None, reason="runs on boards of minutes: make boards-cnv")


@pytest.fixture(scope="module", params=NAMES)
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    opened = open_board(Path(str(FOLDER)) / request.param)
    yield opened
    assert isinstance(opened.device, SimulatedBoard)
    opened.device.close()


def test_checksums_of_every_layer(board: Board) -> None:
    images = load("demo:cifar10").images[:IMAGES]
    found = checksums_by(board.session, images)
    wanted = checksums(board.network, get("native").open(board.network).trace(images))
    assert [*found] == [layer.name for layer in board.network.layers]
    for place, (sums, bits) in found.items():
        assert (sums.tolist(), bits) == (wanted[place][0].tolist(), wanted[place][1]), place


def test_faults_of_every_kind(board: Board) -> None:
    data = load("demo:cifar10")
    images, labels = data.images[:IMAGES], data.labels[:IMAGES]
    description = board.engine.accelerator.description
    pes = {stream.place: stream.layout.lanes for stream in description.streams}
    rng, faults = np.random.default_rng(0), list[AnyFault]()
    for kind in KINDS:
        places = [s.place for s in description.streams if s.saboteur is not None and (kind != "pe" or s.thresholds)]
        space = fault_space(board.network, kind, layers=places, pes=pes)
        faults += [space[int(n)] for n in rng.choice(len(space), OF_A_KIND, replace=False)]
    assert injectable(description, faults) == faults
    found = board.session.run(images, labels, faults, predictions=True)
    wanted = get("native").open(board.network).run(images, labels, faults, predictions=True)
    assert found.predictions is not None
    assert wanted.predictions is not None
    assert np.array_equal(found.predictions, wanted.predictions)
    assert board.engine.restarts == []


def test_cycles_of_an_image_are_those_of_the_slowest_unit(board: Board) -> None:
    """Behind the first image; pauses of the host change nothing but that."""
    accelerator, device = board.engine.accelerator, board.device
    assert isinstance(device, SimulatedBoard)
    frames = accelerator.pack(load("demo:cifar10").images[:IMAGES])
    accelerator.arm(None)
    taken, outputs = [], []
    for count in (1, IMAGES):
        before = device.cycles
        outputs.append(accelerator.run(frames[:count]))
        taken.append(device.cycles - before)
    lanes = {s.place: s.layout.lanes for s in accelerator.description.streams}
    simd = {unit.name: fold for unit, fold in zip(board.network.units, SIMD[board.network.name], strict=True)}
    slowest = max(cycles(board.network, {name: Fold(lanes[name], simd[name]) for name in simd}).values())
    assert taken[1] - taken[0] == (IMAGES - 1) * slowest
    device.stall(0.5, 0.5, 1)
    assert np.array_equal(accelerator.run(frames[:1]), outputs[0])
    device.stall()


SIMD = {
    "cnv_w1a1": (3, 32, 32, 32, 32, 32, 4, 8, 1),
    "cnv_w1a2": (3, 32, 32, 32, 32, 32, 4, 8, 1),
    "cnv_w2a2": (3, 16, 16, 16, 8, 8, 2, 2, 1),
}
