"""What a majority voter costs.

A majority of three bits is one function of three inputs: one LUT6 per bit voted in a beat. (Two such functions of
different inputs could share the two outputs of a LUT6 only where they have at most five inputs together, so they do
not.) Figures measured by synthesis go into ``voter_luts.json`` beside this file and are used where they fit.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources

from fat_fpga.hardening.costs.model import Built

LUTS_PER_BIT = 1.0
"""LUTs of the majority of three one-bit inputs."""

MACS_PER_VOTE = 1.0
"""Multiply-accumulates that the vote on one bit counts as, where a cost is in MACs."""

TABLE = "voter_luts.json"


def voter_luts(built: Built) -> float:
    """LUTs of the majority functions of a unit's voter; buffers of voters that gather copies over beats come on top
    where they were measured."""
    measured = _table().get((built.rows, built.pe, built.unit.channels, built.unit.bits))
    return measured if measured is not None and built.voted else LUTS_PER_BIT * built.votes


@lru_cache(maxsize=1)
def _table() -> dict[tuple[int, int, int, int], float]:
    """Measured LUTs by rows, PEs, channels and bits; empty while nothing was measured."""
    file = resources.files("fat_fpga.hardening.costs") / TABLE
    if not file.is_file():
        return {}
    entries = json.loads(file.read_text(encoding="utf-8"))["voters"]
    return {(e["rows"], e["pe"], e["channels"], e["bits"]): float(e["lut"]) for e in entries}
