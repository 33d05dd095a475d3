"""LUTs of ``fat_word_guard``, the decoder of protected words, from synthesised ones (``measured.json``)."""

from __future__ import annotations

from functools import lru_cache

from fat_fpga.arguments import checked
from fat_fpga.luts.table import between, measured

CODES = ("parity", "secded")
"""By the parameter ``SECDED``."""


@checked
def guard_luts(code: str, data: int, erase: bool) -> int:
    """LUTs of the decoder of one word, `between` those that were synthesised; a word of no bits takes none.

    A decoder gives a word's data, and tells whether they are wrong. Encoders are not counted: a memory that is filled
    with the bitstream has none.

    Args:
        code: ``parity`` or ``secded``.
        data: bits of a word, without check bits.
        erase: whether a word that is told to be wrong is read as 0.
    """
    return between(*_known(code, erase), data)


@lru_cache(maxsize=8)
def _known(code: str, erase: bool) -> tuple[list[int], list[int]]:
    """Widths, ascending from 0, and LUTs."""
    rows = [row for row in measured()["guards"] if CODES[row["secded"]] == code and bool(row["erase"]) == erase]
    return [0, *(row["data"] for row in rows)], [0, *(row["lut"] for row in rows)]
