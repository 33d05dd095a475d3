"""What reports call faults and their effects."""

from __future__ import annotations

from typing import NamedTuple

from fat_fpga.campaign.origin import SETS
from fat_fpga.campaign.result import Result
from fat_fpga.faults import MODELS


class Words(NamedTuple):
    """Names of one kind of fault.

    Attributes:
        one: a single fault: ``stuck channel``.
        places: where such faults sit, in the plural: ``channels``.
        worst: that what is the worst of a place: ``worst stuck value``.
    """

    one: str
    places: str
    worst: str = "worst stuck value"


KINDS = {
    "channel": Words("stuck channel", "channels"),
    "pixel": Words("stuck pixel", "pixels"),
    "element": Words("stuck element", "elements"),
    "pe": Words("stuck PE", "PEs"),
    "weight": Words("faulty weight bit", "weight bits", "worst effect"),
    "threshold": Words("faulty threshold bit", "threshold bits", "worst effect"),
    "accumulator": Words("faulty accumulator bit", "accumulator bits", "worst effect"),
    "activation": Words("flipped activation bit", "activation bits", "worst image"),
}

MEMORY_BITS = ("weight", "threshold", "accumulator")
"""Kinds whose bits stay faulty for the whole data set."""
LEVELS = ("channel", "pixel", "element", "pe")
"""Kinds that hold activations at a level."""
COUNTED_ONCE = ("channel", "pe")
"""Kinds whose places are counted, whatever they are stuck at."""
BITS = (*MEMORY_BITS, "activation")
MAPS = ("pixel", "element")
"""Kinds that have a place in height x width."""


def words(kind: str) -> Words:
    """The names of a kind, also of one that is a set of faults."""
    return KINDS.get(kind) or Words(f"{kind} faults", f"{kind.replace(SETS, 'sets of ')} faults", "worst effect")


def effect_words(result: Result) -> str:
    """``stuck at -1`` for ``= -1``, ``bit 3 flipped`` for ``bit[3] ^ 1``; effects of several faults as they stand."""
    if result.members:
        return result.lasting
    if result.bit is None:
        return f"stuck at {result.value:+d}" if result.value else "stuck at 0"
    return f"bit {result.bit} {'flipped' if result.flip else f'stuck at {result.value}'}"


def causes(kind: str) -> dict[str, str]:
    """The hardware cause of each kind in it: one, or several for sets of faults."""
    return {single: MODELS[single].cause for single in kind.removeprefix(SETS).split("+")}
