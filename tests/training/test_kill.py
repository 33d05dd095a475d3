"""A process that is killed in the middle of a fault-aware training, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from fat_fpga.cli import main
from fat_fpga.training.checkpoint import read_checkpoint
from tests.training.small import digits

EPOCHS = 6
RECIPE = f"""\
model = "tfc-w2a2"
data = "npz:digits.npz"
method = "fat2"
p = 20
error-model = "channel"
schedule = "linear:10"
epochs = {EPOCHS}
batch-size = 20
"""


def finished(folder: Path) -> int:
    """Epochs in the metrics of a run."""
    path = folder / "metrics.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    data = digits(800)
    np.savez(tmp_path / "digits.npz", images=data.images, labels=data.labels, classes=np.array(data.classes))
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("digits.npz", str(tmp_path / "digits.npz")))

    def command(name: str) -> list[str]:
        return ["train", "--recipe", str(tmp_path / "recipe.toml"), "-o", str(tmp_path / name), "-q"]

    process = subprocess.Popen(
        [sys.executable, "-m", "fat_fpga", *command("parts")], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        until = time.monotonic() + 100
        while finished(tmp_path / "parts") < 2:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert 2 <= finished(tmp_path / "parts") < EPOCHS

    assert main(command("parts")) == 0
    assert main(command("whole")) == 0
    parts, whole = (read_checkpoint(tmp_path / name / "last.pt") for name in ("parts", "whole"))
    assert all(torch.equal(value, parts.model[key]) for key, value in whole.model.items())
    untimed = [[{**epoch, "seconds": 0} for epoch in run.history] for run in (parts, whole)]
    assert untimed[0] == untimed[1]
    assert [epoch["p"] for epoch in whole.history] == [20, 18, 16, 14, 12, 10]
