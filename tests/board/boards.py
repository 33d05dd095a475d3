"""Where the simulated boards are: ``make boards`` builds them, ``make test-boards-all`` runs all that needs them, and
``make test-boards`` what needs no more than two of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BUILT = Path(__file__).parents[2] / "build" / "boards"
SHORT = {"tfc_w2a2", "small"}
"""The boards of ``make test-boards``."""


def board_folder(name: str) -> Path:
    """The folder of a simulated board; skips the test where it is not built, but not in a target that builds it."""
    folder = BUILT / name
    built = os.environ.get("FAT_FPGA_TEST_BOARDS")
    if not (folder / "libboard.so").is_file() and (built is None or (built == "short" and name not in SHORT)):
        pytest.skip(f"the simulated board {name} is not built: make {'test-boards-all' if built else 'boards'}")
    return folder
