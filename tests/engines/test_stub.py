"""The types of the C++ bindings, as mypy sees them, are those of the compiled modules."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from nanobind.stubgen import StubGen

import fat_fpga.engines
from fat_fpga.engines.native_engine import instruction_sets

STUB = Path(fat_fpga.engines.__file__).with_name("_native_portable.pyi")


@pytest.mark.parametrize("module", instruction_sets())
def test_the_stub_is_what_nanobind_generates(module: str) -> None:
    """To renew it: ``python -m nanobind.stubgen -m fat_fpga.engines._native_portable -o`` and the file's name."""
    compiled = importlib.import_module(f"fat_fpga.engines._native_{module}")
    generator = StubGen(compiled)
    generator.put(compiled)
    assert generator.get() == STUB.read_text(encoding="utf-8")
