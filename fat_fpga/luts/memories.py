"""What Yosys builds the memories of our units from, for 7-series parts: LUTs, block RAMs, and what chooses among banks.

Shapes are those of RAM32M, RAM64M, RAM64X1D, RAMB18E1 and RAMB36E1 (AMD UG953). Which one is taken follows the measured
units (``measured.json``): tests hold LUTs of memory and block RAMs of each of them against these, and they are equal.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

BYTE = 9
"""Bits of a word of block RAM that are written together."""
Shapes = tuple[tuple[int, int], ...]
_HALF: Shapes = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024))
_WHOLE: Shapes = tuple((width * 2 if width > 4 else width, depth if width > 4 else 2 * depth) for width, depth in _HALF)
"""Width and depth of a RAMB18 and of a RAMB36 with two ports that both read and write, or one of each."""
_HALF_SIMPLE, _WHOLE_SIMPLE = (36, 512), (72, 512)
"""The widest shapes, with one port that reads and one that writes."""
_PAIR = (1, 65536)
"""Of two RAMB36, one behind the other."""
_COPIES = ((1, _HALF_SIMPLE), (2, _WHOLE_SIMPLE))
COST_OF_HALF, COST_OF_CELL, COST_OF_LUT, COST_OF_PORT = 129, 8, 2, 8
"""As Yosys counts: half a block RAM; 4 LUTs of memory, one eighth of it not for its bits; one; and, as measured, ports.

A bit of flip-flops costs 1.
"""


class Memory(NamedTuple):
    """A memory as it is built.

    Attributes:
        lutram: LUTs that hold it.
        bram_18k: halves of block RAMs that hold it.
        banks: of LUTs or block RAM, or words of flip-flops, among which a read word is chosen.
        logic: LUTs beside it, for both ports.
    """

    lutram: int
    bram_18k: int
    banks: int
    logic: int = 0


NOTHING = Memory(0, 0, 1)


def choice(ways: int) -> int:
    """LUTs that choose one bit of so many banks, as measured with 2, 3, 4, 5 and 9."""
    return ways // 2


def choice_of_parts(ways: int) -> int:
    """LUTs that choose one bit of so many parts of a word, as measured with 2, 4, 10, 32 and 60."""
    return 1 if 2 <= ways <= 4 else ways // 2


def simple(bits: int, depth: int) -> Memory:
    """One port that writes and one that reads, words of so many bits. Logic: banks of LUTs that are written."""
    if depth < 2:
        return NOTHING
    deep, wide = (32, 6) if depth <= 32 else (64, 3)
    cells, rest = divmod(bits, wide)
    cost = (COST_OF_CELL * cells + (1 + (COST_OF_CELL - 1) * rest / wide if rest else 0)) * ceil(depth / deep)
    if bits * depth <= cost + COST_OF_PORT:
        return Memory(0, 0, depth, depth)  # flip-flops
    if cost < COST_OF_HALF:
        whole, last = divmod(depth, 64)
        luts = whole * 4 * ceil(bits / 3) + (0 if not last else 4 * ceil(bits / (6 if last <= 32 else 3)))
        banks = ceil(depth / 64)
        return Memory(luts, 0, banks, banks if banks > 1 else 0)
    return _block(bits, bits, depth, (*_HALF, _HALF_SIMPLE), (*_WHOLE, _WHOLE_SIMPLE))


def alone(bits: int, depth: int) -> Memory:
    """One port that reads a word and writes it, in LUTs: what is read in the same cycle has no block RAM."""
    return Memory(4 * ceil(bits / 8) if depth <= 32 else 4 * ceil(bits / 4) * ceil(depth / 64), 0, 1)


def shared(bits: int, depth: int, part: int) -> Memory:
    """One port that reads whole words, and one that reads words and writes parts of them.

    Args:
        part: bits of a part, at most.
    """
    parts = ceil(bits / part)
    read = min(part, bits) * choice_of_parts(parts)
    if depth <= 2:  # flip-flops; each part of each word is written or not
        return Memory(0, 0, depth, 2 * bits * choice(depth) + read + (parts * depth if parts * depth > 1 else 0))
    written = parts if parts > 1 else 0
    whole, rest = divmod(bits, part)
    in_bytes = BYTE * (whole * ceil(part / BYTE) + ceil(rest / BYTE))  # of which each is written or not
    small = whole * 4 * ceil(part / 4) + 4 * ceil(rest / 4)
    luts = small if depth <= 32 else 2 * bits * ceil(depth / 64)
    block = _block(bits, in_bytes, depth, _HALF, _WHOLE)
    banks = ceil(depth / 128)
    cost = COST_OF_LUT * luts + bits * (banks - 1)  # half a cost for each choice of a bit, in two ports
    if cost < (COST_OF_HALF if block.bram_18k == 1 else 2 * COST_OF_HALF * ceil(block.bram_18k / 2)):
        return Memory(luts, 0, banks, 2 * bits * choice(banks) + read + written + (banks if banks > 1 else 0))
    # two copies of one port each, or both ports of one, whose read word is held in flip-flops
    copies = 2 * min(ceil(in_bytes / wide) * ceil(depth / deep) * size for size, (wide, deep) in _COPIES)
    held = bits if copies > block.bram_18k else 0
    return block._replace(logic=2 * bits * choice(block.banks) + read + written + held)


def _block(bits: int, in_bytes: int, depth: int, half: Shapes, whole: Shapes) -> Memory:
    """Block RAMs of the shape that takes the fewest halves, then the fewest banks.

    Args:
        in_bytes: bits that a word takes in shapes of whole bytes.
    """

    def taken(wide: int, deep: int) -> tuple[int, int]:
        return ceil((in_bytes if wide >= BYTE else bits) / wide) * ceil(depth / deep), ceil(depth / deep)

    count, banks = min(taken(*shape) for shape in whole)
    pairs, deep = taken(*_PAIR)
    return Memory(0, *min((2 * count, banks), (4 * pairs, deep), min(taken(*shape) for shape in half)))
