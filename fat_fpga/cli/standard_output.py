"""Standard output that is closed, full, or goes to a reader that leaves: no traceback, and no file in its place."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable


def prepare_output() -> None:
    """Make standard output and error usable: what was closed leads nowhere, and what the terminal's encoding does not
    have (a file name that is no UTF-8) is printed as an escape."""
    for number in (1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY)  # takes the lowest free number, so that no file of ours can
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def leaving(command: Callable[[], int]) -> int:
    """Run a command and flush what it printed; returns the exit code.

    141 where the reader of standard output went away, 2 with a line where it cannot be written, as on a full disk.
    """
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return 141
    except OSError as error:
        print(f"fat-fpga: cannot write to standard output: {error.strerror}", file=sys.stderr)
        _drop_output()
        return 2


def _drop_output() -> None:
    """Let what is still to be printed lead nowhere, so that the interpreter's own flush at the end is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
