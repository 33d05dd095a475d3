"""What the protection of memories by a code costs: check bits, block RAMs, and LUTs of decoders.

A block RAM of 36 Kbit has an ECC of its own, in its shape of 512 words with 64 data and 8 check bits: AMD's UG473 (7
series) and UG573 (UltraScale), chapters on built-in error correction. It is the ``secded[64]`` of this toolkit, and
takes no LUTs. Every other code pays a decoder in LUTs for each word that is read in a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError
from fat_fpga.faults import fault_model, places
from fat_fpga.faults.protection import OnDetect, Protection
from fat_fpga.faults.stored import Layout
from fat_fpga.luts.guard import guard_luts
from fat_fpga.network import Network
from fat_fpga.text import align

BRAM36 = 36 * 1024
"""Bits of a block RAM."""
ECC_CODE, ECC_DATA, ECC_WORDS = "secded", 64, 512
"""The code of a block RAM's own ECC, its data bits, and how many words a block RAM has with it."""


@dataclass(frozen=True)
class MemoryCost:
    """One memory of a network.

    Attributes:
        place, kind: where it is, and what it holds.
        data, words, checks: data bits, words of the code, check bits of all words.
        plain, protected: least block RAMs of 36 Kbit that hold it without the code and with it.
    """

    place: str
    kind: str
    data: int
    words: int
    checks: int
    plain: int
    protected: int


def built_in(protection: Protection) -> bool:
    """Whether it is the ECC that block RAMs have; neighbouring words of one cannot be interleaved."""
    return (protection.code, protection.data, protection.interleave) == (ECC_CODE, ECC_DATA, 1)


@checked
def memory_costs(network: Network, kinds: list[str], protection: Protection) -> list[MemoryCost]:
    """Every memory that holds values of these kinds, in network order; FaultError where there is none."""
    found = []
    for place in places(network).values():
        for kind in kinds:
            traits = fault_model(kind).traits
            words = traits.words(place) if traits.words is not None and traits.stored else None
            if words is None:
                continue
            layout = Layout(words, protection)
            checks = layout.count * layout.checks
            coded = -(-layout.count // ECC_WORDS) if built_in(protection) else -(-(layout.bits + checks) // BRAM36)
            found.append(
                MemoryCost(place.name, kind, layout.bits, layout.count, checks, -(-layout.bits // BRAM36), coded)
            )
    if not found:
        raise FaultError(f"{network.name} has no memory of {' or '.join(kinds)} that a code could protect")
    return found


def protection_text(network: Network, kinds: list[str], protection: Protection) -> str:
    """The costs as a table, with totals."""
    rows = memory_costs(network, kinds, protection)
    table = [["memory", "data bits", "words", "check bits", "more [%]", "BRAM36", f"with {protection.code}"]]
    for row in rows:
        table.append([f"{row.place} {row.kind}", *_cells([row])])
    table.append(["all", *_cells(rows)])
    luts = guard_luts(protection.code, protection.data, protection.detected is OnDetect.ERASE)
    logic = f"a decoder takes {luts:,} LUTs, for each word that is read in a cycle"
    if built_in(protection):
        logic = f"in block RAMs the decoder is built in and takes no LUTs; elsewhere {logic}"
    return (
        f"{protection} in the memories of {network.name}\n{align(table)}\n{logic}\n"
        "BRAM36: block RAMs of 36 Kbit that the bits of each memory need at least; its width and depth may need more"
    )


def _cells(rows: list[MemoryCost]) -> list[str]:
    data, checks = sum(row.data for row in rows), sum(row.checks for row in rows)
    sums = (sum(row.words for row in rows), checks)
    brams = (sum(row.plain for row in rows), sum(row.protected for row in rows))
    return [f"{data:,}", *(f"{n:,}" for n in sums), f"{100 * checks / data:.1f}", *(f"{n:,}" for n in brams)]
