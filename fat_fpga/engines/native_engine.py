"""The native engine: C++ kernels, exact and fast, on all cores.

A network that the kernels cannot hold is executed by the torch engine, or without PyTorch by the reference engine, and
a `ModelWarning` says so once.
"""

from __future__ import annotations

import importlib
import os
import warnings
from types import ModuleType

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.native_network import NotHeldError
from fat_fpga.engines.native_session import NativeSession
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session
from fat_fpga.engines.votes import UndecidedVoteError
from fat_fpga.errors import EngineError, ModelWarning
from fat_fpga.extras import installed
from fat_fpga.network import Network

ENVIRONMENT = "FAT_FPGA_SIMD"
"""Environment variable that forces an instruction set: ``portable``, ``avx2``, ``avx512``, ``amx``; on ARM ``neon``."""

_TOLD: set[str] = set()  # fingerprints of the networks that a user knows to run elsewhere


def instruction_sets() -> list[str]:
    """Instruction sets that this processor runs, best first."""
    names: list[str] = _module("portable").supported()
    return names


def chosen_instruction_set() -> str:
    """The one in use; EngineError if the environment asks for one that cannot run here."""
    possible = instruction_sets()
    wanted = os.environ.get(ENVIRONMENT) or possible[0]
    if wanted not in possible:
        raise EngineError(f"{ENVIRONMENT}={wanted}: this processor runs {', '.join(possible)}")
    return wanted


def _module(instruction_set: str) -> ModuleType:
    return importlib.import_module(f"fat_fpga.engines._native_{instruction_set}")


@register
class NativeEngine(Engine):
    """Exact campaigns on the CPU.

    Args:
        threads: worker threads; all cores available to the process by default.
    """

    name = "native"
    forms = ("native",)

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or _cores()

    def with_threads(self, threads: int) -> Engine:
        return NativeEngine(threads)

    def _open(self, network: Network) -> Session:
        try:
            return NativeSession(self.name, network, _module(chosen_instruction_set()), self.threads)
        except (NotHeldError, UndecidedVoteError) as error:
            other = _next_engine()
            if network.fingerprint not in _TOLD:
                _TOLD.add(network.fingerprint)
                note = f"{error}: the {other.name} engine executes it, more slowly"
                warnings.warn(note, ModelWarning, stacklevel=3)
        session = other.open(network)
        session.name = self.name
        return session


def _next_engine() -> Engine:
    """PyTorch's, if it is installed, else the reference."""
    if not installed("torch"):
        return ReferenceEngine()
    from fat_fpga.engines.torch_engine import TorchEngine

    return TorchEngine()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
