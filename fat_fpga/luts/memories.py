"""What Yosys builds the memories of our units from, for 7-series parts: LUTs, block RAMs, and what chooses among banks.

Shapes are those of RAM32M, RAM64M, RAM64X1D, RAMB18E1 and RAMB36E1 (AMD UG953). Which one is taken follows the measured
units (``measured.json``): tests hold LUTs of memory and block RAMs of each of them against these, and they are equal.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

LUTS_A_HALF, LUTS_A_WHOLE = 50, 128
"""LUTs of memory above which half a block RAM (a RAMB18), or a whole one of several, is taken instead, as measured."""
BYTE = 9
"""Bits of a word of block RAM that are written together."""
Shapes = tuple[tuple[int, int], ...]
_HALF: Shapes = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024))
_WHOLE: Shapes = tuple((width * 2 if width > 4 else width, depth if width > 4 else 2 * depth) for width, depth in _HALF)
"""Width and depth of a RAMB18 and of a RAMB36 with two ports that both read and write, or one of each."""
_HALF_SIMPLE, _WHOLE_SIMPLE = (36, 512), (72, 512)
"""The widest shapes, with one port that reads and one that writes."""


class Memory(NamedTuple):
    """A memory as it is built.

    Attributes:
        lutram: LUTs that hold it.
        bram_18k: halves of block RAMs that hold it.
        banks: of block RAM, or words of flip-flops, among which a read word is chosen.
    """

    lutram: int
    bram_18k: int
    banks: int

    def chosen(self, bits: int) -> int:
        """LUTs that choose a read word of so many bits among the banks."""
        return bits * choice(self.banks)


NOTHING = Memory(0, 0, 1)


def choice(ways: int) -> int:
    """LUTs that choose one bit of so many banks, as measured with 2, 3, 5 and 9."""
    return ways // 2


def simple(bits: int, depth: int) -> Memory:
    """One port that writes and one that reads, words of so many bits."""
    if depth < 2:
        return NOTHING
    whole, rest = divmod(depth, 64)
    luts = whole * 4 * ceil(bits / 3) + (0 if not rest else 4 * ceil(bits / (6 if rest <= 32 else 3)))
    return _cheapest(luts, bits, bits, depth, (*_HALF, _HALF_SIMPLE), (*_WHOLE, _WHOLE_SIMPLE))


def alone(bits: int, depth: int) -> Memory:
    """One port that reads a word and writes it, in LUTs: what is read in the same cycle has no block RAM."""
    return Memory(4 * ceil(bits / 8) if depth <= 32 else 4 * ceil(bits / 4) * ceil(depth / 64), 0, 1)


def shared(bits: int, depth: int, part: int) -> Memory:
    """One port that reads whole words, and one that reads words and writes parts of them.

    Args:
        part: bits of a part, at most.
    """
    if depth <= 2:
        return Memory(0, 0, depth)  # flip-flops
    whole, rest = divmod(bits, part)
    bytes_of_parts = whole * ceil(part / BYTE) + ceil(rest / BYTE)  # of which each is written or not
    small = whole * 4 * ceil(part / 4) + 4 * ceil(rest / 4)
    luts = small if depth <= 32 else 2 * bits * ceil(depth / 64)
    return _cheapest(luts, bits, BYTE * bytes_of_parts, depth, _HALF, _WHOLE)


def _cheapest(luts: int, bits: int, in_bytes: int, depth: int, half: Shapes, whole: Shapes) -> Memory:
    """LUTs, or block RAMs: of the shape that takes the fewest halves, then the fewest banks.

    LUTs are held against one half, or else against whole block RAMs, though halves may be fewer.

    Args:
        in_bytes: bits that a word takes in shapes of whole bytes.
    """

    def taken(wide: int, deep: int) -> tuple[int, int]:
        return ceil((in_bytes if wide >= BYTE else bits) / wide) * ceil(depth / deep), ceil(depth / deep)

    halves = min(taken(*shape) for shape in half)
    count, banks = min(taken(*shape) for shape in whole)
    if luts <= (LUTS_A_HALF if halves[0] == 1 else LUTS_A_WHOLE * count):
        return Memory(luts, 0, 1)
    return Memory(0, *min((2 * count, banks), halves))
