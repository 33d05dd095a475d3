"""The profiles of Hypothesis, and what is shared by all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from fat_fpga.engines.qonnx_execution import kept_sessions

settings.register_profile("same", max_examples=30, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("deep", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("same")
"""The same examples on every run; ``make test-deep`` takes others, thirty times as many."""


@pytest.fixture(scope="session", autouse=True)
def sessions_are_kept() -> Iterator[None]:
    """Tests compare with executions by qonnx, which would start threads for each node of each."""
    with kept_sessions():
        yield
