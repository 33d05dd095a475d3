"""How many PEs and SIMD lanes each unit has: from a named folding, a list, or a FINN folding file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError
from fat_fpga.json_file import Entry, read_object
from fat_fpga.network.network import Network

BNN_PYNQ = {
    "bipolar weights": (16, 32, 16, 16, 4, 1, 1, 1, 4),
    "other weights": (8, 16, 8, 8, 4, 1, 1, 2, 4),
}
"""PEs of CNV in BNN-PYNQ's overlays: W1A1 and W1A2, and W2A2."""

BNN_PYNQ_SIMD = {
    "bipolar weights": (3, 32, 32, 32, 32, 32, 4, 8, 1),
    "other weights": (3, 16, 16, 16, 8, 8, 2, 2, 1),
}
"""SIMD lanes of the same."""

MOST = 2**31 - 1
"""PEs or SIMD lanes that a file can give a unit."""
FORMS = "expected bnn-pynq, a list as 16,32,16 or 16x3,32x32,16x32 (PEs x SIMD), or a JSON file"


class Fold(NamedTuple):
    """Folding of one unit: PEs work on output channels, each takes SIMD inputs a cycle; None where not told."""

    pe: int
    simd: int | None


def divisors(number: int) -> list[int]:
    """All of them, ascending: the PE counts that divide so many channels."""
    return [part for part in range(1, number + 1) if number % part == 0]


class Foldable(Protocol):
    """What a folding needs to know of a unit."""

    @property
    def name(self) -> str: ...
    @property
    def channels(self) -> int: ...
    @property
    def weight_type(self) -> str: ...


@checked
def read_folding(text: str, network: Network) -> dict[str, int]:
    """PEs of each unit, by name.

    Args:
        text: ``bnn-pynq`` (for networks of nine units, as CNV), a list as ``16,32,16``, one number for each unit, or
            the path of a JSON file: ``{"conv0": {"PE": 16}, ...}``, or FINN's own, whose MVAU entries are taken in
            their order.

    Raises:
        FaultError: it cannot be read, or does not fit the network.
    """
    return {name: fold.pe for name, fold in read_folds(text, network.units, network.name).items()}


def read_folds(text: str, units: Sequence[Foldable], network: str) -> dict[str, Fold]:
    """PEs and SIMD lanes of each unit, by name.

    Args:
        text: as `read_folding` takes it; a list may have SIMD lanes, too: ``16x3,32x32``; in files they stand under
            ``SIMD``.
        units: of the network, in order.
        network: its name, for messages.

    Raises:
        FaultError: it cannot be read, or does not fit the network.
    """
    if text == "bnn-pynq":
        weights = "bipolar weights" if units[0].weight_type == "BIPOLAR" else "other weights"
        folds = list(map(Fold, BNN_PYNQ[weights], BNN_PYNQ_SIMD[weights]))
    elif re.fullmatch(r"[0-9x,\s]+", text):
        folds = [_listed(entry, text) for entry in text.split(",") if entry.strip()]
    else:
        folds = _from_file(Path(text), [unit.name for unit in units])
    if len(folds) != len(units):
        raise FaultError(f"folding {text}: it has {len(folds)} PE counts, {network} has {len(units)} units")
    for unit, fold in zip(units, folds, strict=True):
        if not 1 <= fold.pe <= unit.channels:
            raise FaultError(f"folding {text}: {unit.name} cannot have {fold.pe} PEs, it has {unit.channels} channels")
        if fold.simd is not None and fold.simd < 1:
            raise FaultError(f"folding {text}: {unit.name} needs at least one SIMD lane, got {fold.simd}")
    return {unit.name: fold for unit, fold in zip(units, folds, strict=True)}


def _listed(entry: str, text: str) -> Fold:
    """``16`` or ``16x3``."""
    found = re.fullmatch(r"\s*([0-9]{1,9})(?:x([0-9]{1,9}))?\s*", entry)
    if not found:
        raise FaultError(f"folding {text}: cannot read '{entry.strip()}'; {FORMS}")
    return Fold(int(found[1]), int(found[2]) if found[2] else None)


def folding_file(path: Path) -> Entry:
    """The object in a folding file.

    Raises:
        FaultError: there is no such file, or it is none.
    """
    if not path.is_file():
        raise FaultError(f"folding {path}: {'it is no file' if path.exists() else 'no such file'}; {FORMS}")
    return read_object(path, "a folding file", FaultError)


def _from_file(path: Path, names: list[str]) -> list[Fold]:
    found = folding_file(path)
    content = found.value
    wanted = names if all(name in content for name in names) else [key for key in content if "MVAU" in key.upper()]
    if not wanted:
        raise FaultError(f"folding {path}: expected an entry for each of {', '.join(names)}, or FINN's MVAU entries")
    return [_entry(found.inner(name)) for name in wanted]


def _entry(entry: Entry) -> Fold:
    simd = None if entry.value.get("SIMD") is None else entry.get("SIMD", int, 1, MOST)
    return Fold(entry.get("PE", int, 1, MOST), simd)
