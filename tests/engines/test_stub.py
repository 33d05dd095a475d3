"""The types of the C++ bindings, as mypy sees them, are those of the compiled modules."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from nanobind.stubgen import StubGen

import fat_fpga
from fat_fpga.engines.native_engine import instruction_sets

STUBS = {f"engines._native_{name}": "engines/_native_portable.pyi" for name in instruction_sets()}
STUBS |= {"faults._hits": "faults/_hits.pyi"}


@pytest.mark.parametrize("module", STUBS)
def test_the_stub_is_what_nanobind_generates(module: str) -> None:
    """To renew it: ``python -m nanobind.stubgen -m fat_fpga.engines._native_portable -o`` and the file's name."""
    compiled = importlib.import_module(f"fat_fpga.{module}")
    generator = StubGen(compiled)
    generator.put(compiled)
    stub = Path(fat_fpga.__file__).parent / STUBS[module]
    assert generator.get() == stub.read_text(encoding="utf-8")
