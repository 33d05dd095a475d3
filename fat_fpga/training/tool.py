"""The end of a command that is run as ``python -m``: its result on standard output, or a mistake in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable

from fat_fpga.errors import FatFpgaError


def run_tool(work: Callable[[], str]) -> int:
    """Do the work and print what it tells; returns the exit code, 2 for bad input."""
    try:
        print(work())
    except (FatFpgaError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
