"""LUTs of ``fat_clip``, which makes values above a bound 0, from synthesised ones (``measured.json``)."""

from __future__ import annotations

from functools import lru_cache

from fat_fpga.arguments import checked
from fat_fpga.luts.table import between, measured


@checked
def clip_luts(lanes: int, bits: int) -> int:
    """LUTs of so many values a beat, unsigned or of ReLU.

    A lane costs what it was synthesised to, with every second bit of the bound set, or is `between` those; a value of
    no bits takes none. Lanes are independent.
    """
    return lanes * between(*_known(), bits)


@lru_cache(maxsize=1)
def _known() -> tuple[list[int], list[int]]:
    """Bits, ascending from 0, and LUTs of one unsigned lane."""
    rows = [row for row in measured()["clips"] if row["lanes"] == 1 and not row["signed"]]
    return [0, *(row["bits"] for row in rows)], [0, *(row["lut"] for row in rows)]
