"""Fault lists in text files: one fault, or one set of faults, a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from fat_fpga.errors import FaultError
from fat_fpga.faults import AnyFault, check_faults, parse_fault
from fat_fpga.network import Network

STANDARD_INPUT = "-"


def read_fault_list(path: str | os.PathLike[str], network: Network, images: int | None = None) -> list[AnyFault]:
    """The faults in a file, in its order; what follows a ``#`` is a comment, and empty lines do not count.

    Args:
        path: the file, or ``-`` for standard input.
        network: that the faults are to be in.
        images: number of images, which faults of a single frame must hit one of.

    Raises:
        FaultError: a line is no fault of the network, a fault is there twice, or there is none; it names the line.
        OSError: the file cannot be read.
    """
    name = "standard input" if str(path) == STANDARD_INPUT else str(path)
    found: dict[AnyFault, int] = {}
    for number, text in _lines(path, name):
        try:
            fault = parse_fault(text)
            check_faults(network, [fault], images)
        except FaultError as error:
            raise FaultError(f"{name}, line {number}: {error}") from error
        if fault in found:
            raise FaultError(f"{name}, line {number}: {fault} is there already, in line {found[fault]}")
        found[fault] = number
    if not found:
        raise FaultError(f"{name}: no faults in it, expected one a line")
    return list(found)


def _lines(path: str | os.PathLike[str], name: str) -> Iterator[tuple[int, str]]:
    """Number and content of the lines that say something."""
    try:
        content = sys.stdin.read() if str(path) == STANDARD_INPUT else Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FaultError(f"{name}: this is no text, expected one fault a line") from error
    for number, line in enumerate(content.splitlines(), 1):
        text = line.partition("#")[0].strip()
        if text:
            yield number, text
