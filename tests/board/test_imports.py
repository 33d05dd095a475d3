"""A board has numpy and pynq: the runner and the run files need nothing else."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
BLOCKED = "onnx qonnx onnxruntime torch brevitas matplotlib tqdm finn scipy hypothesis pytest".split()
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
sys.meta_path.insert(0, Blocker())
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


def test_a_campaign_with_numpy_alone() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "48\n"
