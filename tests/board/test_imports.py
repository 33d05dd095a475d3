"""A board has numpy and pynq: the runner and the run files need nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.board.boards import board_folder

BLOCKED = """
import sys
BLOCKED = "onnx qonnx onnxruntime torch brevitas matplotlib tqdm finn scipy hypothesis pytest".split()
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
sys.meta_path.insert(0, Blocker())
"""
PROGRAM = (
    BLOCKED
    + """
import tempfile
from pathlib import Path
import numpy as np
import fat_fpga.board.checksum, fat_fpga.board.pynq_device, fat_fpga.board.simulated, fat_fpga.checksums
from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.network_file import read_network, write_network
from fat_fpga.campaign import Run, run_campaign
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.faults import fault_space
from tests.board.fake import FakeBoard, describe, small_network
images = np.random.default_rng(1).integers(0, 256, (5, 1, 4, 4), np.uint8)
with tempfile.TemporaryDirectory() as folder:
    write_network(small_network(), Path(folder) / "network.npz")
    network = read_network(Path(folder) / "network.npz")
    device = FakeBoard(network, describe(network))
    data = Dataset("five", images, np.zeros(5, np.int64), tuple("abc"))
    engine = BoardEngine(Accelerator(device, device.description))
    run = run_campaign(network, data, fault_space(network), Path(folder) / "a.run", engine, progress=True)
    print(Run.open(run.path).done)
"""
)


COMMANDS = (
    BLOCKED
    + """
from fat_fpga.cli import main
folder, run = sys.argv[1:]
network, board = folder + "/network.npz", "board:" + folder
campaign = ["--data", "demo:mnist", "--images", "5", "--layers", "fc2", "--sample", "8", "--engine", board, "-o", run]
assert main(["campaign", network, *campaign, "-q"]) == 0
assert main(["report", run]) == 0
assert main(["trace", network, "--data", "demo:mnist", "--image", "3", "--engine", board]) == 0
assert main(["trace", network, "--data", "demo:mnist", "--image", "3"]) == 0
"""
)


def test_the_command_line_with_numpy_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMMANDS, str(board_folder("tfc_w2a2")), str(tmp_path / "a.run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("fc3 ")]
    assert len(lines) == 2
    assert lines[0] == lines[1]


def test_a_campaign_with_numpy_alone() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "48\n"
