"""Fault lists in text files: one fault, or one set of faults, a line."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from fat_fpga.arguments import checked
from fat_fpga.campaign.list_header import MARK, origin_of
from fat_fpga.campaign.origin import Origin
from fat_fpga.campaign.selection import Selection
from fat_fpga.errors import FaultError, FaultWarning
from fat_fpga.faults import AnyFault, AnySubject, check_faults, parse_fault

STANDARD_INPUT = "-"


@checked
def read_fault_list(path: str | os.PathLike[str], network: AnySubject, images: int | None = None) -> list[AnyFault]:
    """The faults in a file, in its order; what follows a ``#`` is a comment, and empty lines do not count.

    >>> faults = read_fault_list("faults.txt", network)   # doctest: +SKIP

    Args:
        path: the file, or ``-`` for standard input.
        network: that the faults are to be in.
        images: number of images, which faults of a single frame must hit one of.

    Raises:
        FaultError: a line is no fault of the network, a fault is there twice, or there is none; it names the line.
        OSError: the file cannot be read.
    """
    return _read(path, network, images)[0]


@checked
def read_selection(path: str | os.PathLike[str], network: AnySubject, images: int | None = None) -> Selection:
    """The faults in a file as `read_fault_list` reads them, with how the list came about.

    A list that ``fat-fpga faults --list`` wrote is the sample, or the whole space, that its head says, as long as it
    holds the same faults and the network is the same. Else, and without a head, its faults are given ones; where there
    is a head that does not hold, a `FaultWarning` says why.

    Raises:
        FaultError: as `read_fault_list`, and a head that cannot be read.
        OSError: the file cannot be read.
    """
    faults, head = _read(path, network, images)
    if head is None:
        return Selection.of(faults)
    number, line = head
    try:
        origin = origin_of(line, faults, network)
    except FaultError as error:
        raise FaultError(f"{_name(path)}, line {number}: {error}") from error
    if isinstance(origin, Origin):
        return Selection(faults, origin)
    warnings.warn(FaultWarning(f"{_name(path)}: {origin}, so its faults are given ones, no sample"), stacklevel=2)
    return Selection.of(faults)


def _read(
    path: str | os.PathLike[str], network: AnySubject, images: int | None
) -> tuple[list[AnyFault], tuple[int, str] | None]:
    """The faults, and number and text of the line with their origin, if there is one."""
    name, found, head = _name(path), dict[AnyFault, int](), None
    for number, line in enumerate(_content(path, name).splitlines(), 1):
        if line.startswith(MARK):
            head = number, line
        text = line.partition("#")[0].strip()
        if not text:
            continue
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
    return list(found), head


def _name(path: str | os.PathLike[str]) -> str:
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def _content(path: str | os.PathLike[str], name: str) -> str:
    try:
        text = sys.stdin.read() if str(path) == STANDARD_INPUT else Path(path).read_text(encoding="utf-8")
        return text.removeprefix("\ufeff")  # a byte order mark, as some editors write
    except UnicodeDecodeError as error:
        raise FaultError(f"{name}: this is no text, expected one fault a line") from error
