"""Engines by name; each is imported only when asked for."""

from __future__ import annotations

from fat_fpga.engines.engine import Engine
from fat_fpga.errors import EngineError

NAMES = ("native", "reference")


def get(name: str = "native") -> Engine:
    """The engine called ``name``; EngineError lists the known ones."""
    if name == "native":
        from fat_fpga.engines.native_engine import NativeEngine

        return NativeEngine()
    if name == "reference":
        from fat_fpga.engines.reference import ReferenceEngine

        return ReferenceEngine()
    raise EngineError(f"unknown engine '{name}': known are {', '.join(NAMES)}")
