"""How many PEs each unit has: from a named folding, a list, or a FINN folding file."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fat_fpga.errors import FaultError
from fat_fpga.network import Network

BNN_PYNQ = {
    "bipolar weights": (16, 32, 16, 16, 4, 1, 1, 1, 4),
    "other weights": (8, 16, 8, 8, 4, 1, 1, 2, 4),
}
"""PEs of CNV in BNN-PYNQ's overlays: W1A1 and W1A2, and W2A2."""


def read_folding(text: str, network: Network) -> dict[str, int]:
    """PEs of each unit, by name.

    Args:
        text: ``bnn-pynq`` (for networks of nine units, as CNV), a list as ``16,32,16``, one number for each unit, or
            the path of a JSON file: ``{"conv0": {"PE": 16}, ...}``, or FINN's own, whose MVAU entries are taken in
            their order.

    Raises:
        FaultError: it cannot be read, or does not fit the network.
    """
    units = network.units
    if text == "bnn-pynq":
        bipolar = units[0].weight_type == "BIPOLAR"
        pes = list(BNN_PYNQ["bipolar weights" if bipolar else "other weights"])
    elif re.fullmatch(r"[\d,\s]+", text):
        pes = [int(number) for number in text.split(",") if number.strip()]
    else:
        pes = _from_file(Path(text), [unit.name for unit in units])
    if len(pes) != len(units):
        raise FaultError(f"folding {text}: it has {len(pes)} PE counts, {network.name} has {len(units)} units")
    for unit, count in zip(units, pes, strict=True):
        if not 1 <= count <= unit.channels:
            raise FaultError(f"folding {text}: {unit.name} cannot have {count} PEs, it has {unit.channels} channels")
    return {unit.name: count for unit, count in zip(units, pes, strict=True)}


def _from_file(path: Path, names: list[str]) -> list[int]:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise FaultError(
            f"folding {path}: {error.strerror}; expected bnn-pynq, a list as 16,32,16, or a JSON file"
        ) from error
    except ValueError as error:
        raise FaultError(f"folding {path}: no JSON ({error})") from error
    if not isinstance(content, dict):
        raise FaultError(f"folding {path}: expected an object with an entry for each unit")
    wanted = names if all(name in content for name in names) else [key for key in content if "MVAU" in key.upper()]
    try:
        return [int(content[name]["PE"]) for name in wanted]
    except (KeyError, TypeError, ValueError) as error:
        raise FaultError(f"folding {path}: expected a number under PE for each of {', '.join(wanted)}") from error
