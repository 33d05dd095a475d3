"""What reports call faults and their effects."""

from __future__ import annotations

from fat_fpga.campaign.origin import SETS
from fat_fpga.campaign.result import Result
from fat_fpga.faults import Family, Traits, fault_model


def words(kind: str) -> Traits:
    """What a kind is and is called, also one that is a set of faults."""
    if not kind.startswith(SETS):
        return fault_model(kind).traits
    return Traits(Family.SET, f"{kind} faults", f"{kind.replace(SETS, 'sets of ')} faults", "worst effect")


def effect_words(result: Result) -> str:
    """``stuck at -1`` for ``= -1``, ``bit 3 flipped`` for ``bit[3] ^ 1``; effects of several faults as they stand."""
    if result.members:
        return result.lasting
    if result.bit is None:
        return f"stuck at {result.value:+d}" if result.value else "stuck at 0"
    return f"bit {result.bit} {'flipped' if result.flip else f'stuck at {result.value}'}"


def causes(kind: str) -> dict[str, str]:
    """The hardware cause of each kind in it: one, or several for sets of faults."""
    return {single: fault_model(single).cause for single in kind.removeprefix(SETS).split("+")}
