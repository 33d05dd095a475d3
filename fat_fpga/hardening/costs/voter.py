"""What a majority voter costs in the models."""

from __future__ import annotations

from fat_fpga import luts
from fat_fpga.hardening.costs.model import Built

MACS_PER_VOTE = 1.0
"""Multiply-accumulates that the vote on one bit counts as, where a cost is in MACs."""


def voter_luts(built: Built) -> int:
    """LUTs of a unit's voter by the model fitted to synthesised ones, rounded up; none without triplets."""
    bits = built.unit.bits
    return luts.voter_luts(built.voted, built.lanes_out * bits, 0 if built.lanewise else built.rows * bits)
