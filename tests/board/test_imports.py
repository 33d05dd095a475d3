"""A board has numpy and pynq: the runner, run files, planning and verification need nothing else; notebooks draw
figures, too."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.board.boards import board_folder

ABSENT = "onnx qonnx onnxruntime torch brevitas tqdm finn scipy hypothesis pytest"
BLOCKER = """
import sys
BLOCKED = sys.argv.pop(1).split()
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
sys.meta_path.insert(0, Blocker())
"""
CAMPAIGN = """
import tempfile
from pathlib import Path
import numpy as np
import fat_fpga.board.checksum, fat_fpga.board.pynq_device, fat_fpga.board.simulated, fat_fpga.checksums
from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.engine import BoardEngine
from fat_fpga.network.network_file import read_network, write_network
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
PLAN = """
import tempfile
from pathlib import Path
import numpy as np
from fat_fpga.campaign import run_campaign
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.faults import fault_space
from fat_fpga.network.folding import read_folds
from fat_fpga.hardening import harden, read_plan, verify, write_plan
from fat_fpga.hardening.costs.folded import FoldedModel
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.plan_text import plan_summary
from fat_fpga.hardening.planner import Planner
from fat_fpga.hardening.verification_text import verification_text
from tests.board.fake import small_network
network, rng = small_network(), np.random.default_rng(1)
data = Dataset("twenty", rng.integers(0, 256, (20, 1, 4, 4), np.uint8), rng.integers(0, 3, 20), tuple("abc"))
with tempfile.TemporaryDirectory() as folder:
    run = run_campaign(network, data, fault_space(network), Path(folder) / "a.run", "reference")
    what = criticality_of(run)
    plan = Planner(what, FoldedModel(), read_folds("4x4,4x4,3x4", what.design, "small")).plan(what.golden)
    write_plan(plan, Path(folder) / "plan.json")
    plan = read_plan(Path(folder) / "plan.json")
    hardened = harden(network, plan)
    after = run_campaign(hardened, data, fault_space(hardened), Path(folder) / "b.run", "reference")
    found = verify(plan, after)
    assert plan_summary(plan) and verification_text(found)
    print(plan.replicated > 0, found.held)
"""
DOOR = """
import fat_fpga
import tempfile
from pathlib import Path
from fat_fpga import fault_space, load_data, load_network, report_text, run_campaign
from fat_fpga.network.network_file import write_network
from tests.board.fake import small_network
images = load_data("demo:mnist", limit=5)
with tempfile.TemporaryDirectory() as folder:
    write_network(small_network(), Path(folder) / "network.npz")
    network = load_network(Path(folder) / "network.npz")
run = run_campaign(network, (images.images[:, :, 8:12, 8:12], images.labels % 3), engine="reference")
assert report_text(run)
print(len([getattr(fat_fpga, name) for name in fat_fpga.__all__]), run.done)
"""
COMMANDS = """
from fat_fpga.cli import main
folder, run = sys.argv[1:]
network, board = folder + "/network.npz", "board:" + folder
campaign = ["--data", "demo:mnist", "--images", "5", "--layers", "fc2", "--sample", "8", "--engine", board, "-o", run]
assert main(["campaign", network, *campaign, "-q"]) == 0
assert main(["report", run]) == 0
assert main(["trace", network, "--data", "demo:mnist", "--image", "3", "--engine", board]) == 0
assert main(["trace", network, "--data", "demo:mnist", "--image", "3"]) == 0
"""
HELP = """
from fat_fpga.cli import main
from fat_fpga.engines import forms
assert {"native", "torch", "module", "board:FOLDER"} <= set(forms())
for command in ("campaign", "sweep", "faults", "crosscheck", "quantise", "trace"):
    try:
        main([command, "--help"])
    except SystemExit as left:
        assert left.code == 0, command
print("helped")
"""
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def printed(program: str, absent: str, *arguments: str) -> str:
    """What a program prints where the modules of ``absent`` cannot be imported."""
    command = [sys.executable, "-c", BLOCKER + program, absent, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_campaign_with_numpy_alone() -> None:
    assert printed(CAMPAIGN, f"{ABSENT} matplotlib") == "48\n"


def test_the_help_and_the_names_of_engines_with_numpy_alone() -> None:
    assert printed(HELP, f"{ABSENT} matplotlib").endswith("helped\n")


def test_the_door_with_numpy_alone() -> None:
    from fat_fpga import __all__

    assert printed(DOOR, f"{ABSENT} matplotlib") == f"{len(__all__)} 48\n"


def test_a_plan_and_its_proof_with_numpy_alone() -> None:
    assert printed(PLAN, f"{ABSENT} matplotlib") == "True True\n"


@pytest.mark.boards
def test_the_command_line_with_numpy_alone(tmp_path: Path) -> None:
    text = printed(COMMANDS, f"{ABSENT} matplotlib", str(board_folder("tfc_w2a2")), str(tmp_path / "a.run"))
    lines = [line.split()[-1] for line in text.splitlines() if line.startswith("fc3 ")]
    assert len(lines) == 2
    assert lines[0] == lines[1]


@pytest.mark.parametrize("name", ["01_inject_on_board", "02_fat_vs_sat", "03_plan_and_harden", "04_cnv_on_board"])
def test_what_the_notebooks_import_is_on_a_board(name: str) -> None:
    pytest.importorskip("IPython")
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    found = [ast.unparse(n) for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert "from fat_fpga.board import open_board" in found
    assert printed("\n".join([*found, "print('done')"]), ABSENT) == "done\n"
