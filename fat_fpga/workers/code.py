"""Which fat_fpga a process has: a worker must have the one that gives it work."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fat_fpga import __version__
from fat_fpga.plugins import installed


class Code(NamedTuple):
    """Which fat_fpga a process has.

    Attributes:
        version: of the package.
        sources: SHA-256 over its Python sources: two checkouts of one version may differ.
        plugins: the packages that add to it, with their versions.
    """

    version: str
    sources: str
    plugins: str = ""

    def __str__(self) -> str:
        return f"{self.version} ({self.sources[:8]})" + (f" with {self.plugins}" if self.plugins else "")


@cache
def _sources() -> str:
    folder, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code() -> Code:
    """That of this process."""
    return Code(__version__, _sources(), ", ".join(installed()))


def refusal(worker: str, found: Code, expected: Code) -> str:
    """Why a worker is refused that has another fat_fpga."""
    return f"the worker {worker} is refused: it has fat_fpga {found}, this work is given by fat_fpga {expected}"
