"""From a training to a campaign, by command line alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli import main

from .conftest import Refused

pytest.importorskip("torch")
pytest.importorskip("brevitas")

TRAIN = ("train", "--model", "tfc-w1a1", "--data", "npz:digits.npz", "-o", "out", "-q")


@pytest.fixture
def digits(folder: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, (100, 1, 28, 28)).astype(np.uint8)
    np.savez(folder / "digits.npz", images=images, labels=np.arange(100) % 10)
    return folder


def test_train_export_campaign(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--epochs", "1", "--batch-size", "50"]) == 0
    assert "of 100 test images after 1 epochs" in capsys.readouterr().out
    assert main(["export", "out/best.pt", "-o", "tfc.onnx"]) == 0
    campaign = ("campaign", "tfc.onnx", "--data", "npz:digits.npz", "--layers", "fc2", "--images", "20", "-q")
    assert main([*campaign, "-o", "tfc.run", "--engine", "reference"]) == 0
    run = Run.open("tfc.run")
    assert (run.done, run.complete) == (128, True)


def test_training_refuses_in_one_line(digits: Path, refused: Refused) -> None:
    assert "known models" in refused("train", "--model", "tfc-w9a9", *TRAIN[3:])
    assert "epochs must be at least 1" in refused(*TRAIN, "--epochs", "0")
    assert "takes [3, 32, 32]" in refused("train", "--model", "cnv-w1a1", *TRAIN[3:])
    assert "not a readable checkpoint" in refused("export", "digits.npz", "-o", "a.onnx")
