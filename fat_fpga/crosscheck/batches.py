"""Faults of a cross-check, cut into what is compared at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fat_fpga.crosscheck.result import NO_FAULT
from fat_fpga.crosscheck.sample import kind_of
from fat_fpga.faults import AnyFault


class Batch(NamedTuple):
    """Faults of one kind; ``[None]`` stands for the fault-free network."""

    kind: str
    faults: Sequence[AnyFault | None]


def batches(faults: Sequence[AnyFault], most: int | None = None) -> list[Batch]:
    """The fault-free network, then all faults, kind by kind.

    Args:
        most: faults of a batch.
    """
    kinds: dict[str, list[AnyFault]] = {}
    for fault in faults:
        kinds.setdefault(kind_of(fault), []).append(fault)
    found = [Batch(NO_FAULT, [None])]
    for kind, group in kinds.items():
        step = most or len(group)
        found += [Batch(kind, group[start : start + step]) for start in range(0, len(group), step)]
    return found
