"""LUTs of ``fat_clip``, which makes values above a bound 0, from synthesised ones (``measured.json``)."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.luts.table import measured


@checked
def clip_luts(lanes: int, bits: int) -> int:
    """LUTs of so many values a beat, unsigned or of ReLU.

    A lane costs what it was synthesised to, with every second bit of the bound set; between two widths the figure is on
    a straight line, rounded up, and beyond the last it grows as between the last two. Lanes are independent.
    """
    widths, luts = _known()
    if bits > widths[-1]:
        slope = (luts[-1] - luts[-2]) / (widths[-1] - widths[-2])
        return lanes * ceil(luts[-1] + slope * (bits - widths[-1]) - 1e-9)
    return lanes * ceil(float(np.interp(bits, widths, luts)) - 1e-9)


@lru_cache(maxsize=1)
def _known() -> tuple[list[int], list[int]]:
    """Bits, ascending from 0, and LUTs of one unsigned lane."""
    rows = [row for row in measured()["clips"] if row["lanes"] == 1 and not row["signed"]]
    return [0, *(row["bits"] for row in rows)], [0, *(row["lut"] for row in rows)]
