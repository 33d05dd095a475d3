"""These tests need FINN, which has an environment of its own: make test-finn."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.finn.setup import HOW, available

HERE = Path(__file__).parent
WITHOUT = ("test_checksums.py", "test_refusals.py", "test_setup.py")
"""Modules that run without FINN, too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if available():
        return
    skip = pytest.mark.skip(reason=f"finn-plus is not installed: {HOW}")
    for item in items:
        if item.path.parent == HERE and item.path.name not in WITHOUT:
            item.add_marker(skip)
