"""Where the simulated boards are: ``make boards`` builds them, ``make test-boards`` runs all that needs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BUILT = Path(__file__).parents[2] / "build" / "boards"


def board_folder(name: str) -> Path:
    """The folder of a simulated board; skips the test where none is built, but not in ``make test-boards``."""
    folder = BUILT / name
    if not (folder / "libboard.so").is_file() and "FAT_FPGA_BOARDS" not in os.environ:
        pytest.skip("the simulated boards are not built: make boards")
    return folder
