"""LUTs of the decoders of protected memories, from synthesised ones; ``hw/syn/codes.py`` writes their table."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from math import ceil

import numpy as np

from fat_fpga.arguments import checked

TABLE = "codes.json"


@checked
def decoder_luts(code: str, data: int) -> int:
    """LUTs of a decoder of words with so many data bits.

    Widths that were synthesised have their own figure. Between two of them the figure is on a straight line, rounded
    up; a width beyond the last one has as much more as the last two differ by for each bit.
    """
    widths, luts = known()[code]
    if data > widths[-1]:
        slope = (luts[-1] - luts[-2]) / (widths[-1] - widths[-2])
        return ceil(luts[-1] + slope * (data - widths[-1]) - 1e-9)
    return ceil(float(np.interp(data, widths, luts)) - 1e-9)


@lru_cache(maxsize=1)
def known() -> dict[str, tuple[list[int], list[int]]]:
    """Data widths, ascending, and LUTs of the synthesised decoders, by code."""
    content = json.loads((resources.files("fat_fpga.luts") / TABLE).read_text(encoding="utf-8"))
    found: dict[str, tuple[list[int], list[int]]] = {}
    for row in content["decoders"]:
        widths, luts = found.setdefault(row["code"], ([], []))
        widths.append(row["data"])
        luts.append(row["lut"])
    return found
