"""Data sets by command line: images are brought to the network, and what is wrong with them is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fat_fpga.campaign import Run
from fat_fpga.cli import main
from fat_fpga.datasets import load

from .conftest import Refused

CAMPAIGN = ("campaign", "tiny.onnx", "--layers", "conv1", "-o", "a.run", "--engine", "reference", "-q")


def save(folder: Path, side: int, channels: int) -> None:
    rng = np.random.default_rng(side)
    for name in "abcd":
        (folder / name).mkdir(parents=True, exist_ok=True)
        shape = (side, side) if channels == 1 else (side, side, channels)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / name / "0.png")


@pytest.mark.parametrize(("side", "name"), [(8, "folder:images"), (31, "folder:images, centre 8x8")])
def test_a_folder_is_brought_to_the_network(folder: Path, side: int, name: str) -> None:
    save(folder / "images", side, 1)
    assert main([*CAMPAIGN, "--data", "folder:images"]) == 0
    run = Run.open("a.run")
    assert (run.identity.dataset, run.images) == (name, 4)
    assert run.identity.dataset_fingerprint == load("folder:images", shape=(1, 8, 8)).fingerprint


def test_data_that_do_not_fit_or_are_not_there(folder: Path, refused: Refused) -> None:
    save(folder / "colour", 8, 3)
    message = refused(*CAMPAIGN, "--data", "folder:colour")
    assert "takes uint8 images [N, 1, 8, 8], got uint8 [4, 3, 8, 8]" in message
    assert "no SVHN files here" in refused(*CAMPAIGN, "--data", "svhn:.")
    assert "no GTSRB files here" in refused(*CAMPAIGN, "--data", "gtsrb:.")
    assert "svhn:DIR, gtsrb:DIR" in refused(*CAMPAIGN, "--data", "signs:.")
    (folder / "test_32x32.mat").write_bytes(b"damaged")
    assert "test_32x32.mat: not a readable MATLAB v5 file" in refused(*CAMPAIGN, "--data", "svhn:.")
