"""Ctrl-C while the program starts: at import after import, one line and exit code 130."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys

class Presses:
    count = 0

    def find_spec(self, name, path=None, target=None):
        if name == "fat_fpga.cli.main" or Presses.count:
            Presses.count += 1
            if Presses.count == moment:
                os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where this is started in the background
moment = int(sys.argv.pop(1))
sys.meta_path.insert(0, Presses())
from fat_fpga.cli import main
code = main()
print(Presses.count)
sys.exit(code)
"""
CAMPAIGN = ("campaign", "tfc_w2a2", "--data", "demo:mnist", "--images", "3", "--layers", "fc0", "-q", "-o")


def start(moment: int, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(moment), *CAMPAIGN, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many modules are looked for when nobody presses anything."""
    done = start(0, tmp_path_factory.mktemp("imports") / "a.run")
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9])
def test_ctrl_c_during_imports(share: float, imports: int, tmp_path: Path) -> None:
    done = start(1 + int(share * (imports - 1)), tmp_path / "a.run")
    assert done.returncode == 130
    assert done.stderr.startswith("fat-fpga: stopped")
    assert done.stderr.count("\n") == 1
