"""LUTs of ``fat_word_guard``, the decoder of protected words of weights, from synthesised ones (``measured.json``)."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.luts.table import measured

CODES = ("parity", "secded")
"""By the parameter ``SECDED``."""


@checked
def guard_luts(code: str, data: int, erase: bool) -> int:
    """LUTs of the decoder of one word.

    Widths that were synthesised have their own figure. Between two of them, and below the first, the figure is on a
    straight line, rounded up; beyond the last it grows as between the last two.

    Args:
        code: ``parity`` or ``secded``.
        data: bits of a word, without check bits.
        erase: whether a word that is told to be wrong is read as 0.
    """
    widths, luts = _known(code, erase)
    if data > widths[-1]:
        slope = (luts[-1] - luts[-2]) / (widths[-1] - widths[-2])
        return ceil(luts[-1] + slope * (data - widths[-1]) - 1e-9)
    return ceil(float(np.interp(data, widths, luts)) - 1e-9)


@lru_cache(maxsize=8)
def _known(code: str, erase: bool) -> tuple[list[int], list[int]]:
    """Widths, ascending from 0, and LUTs. Parity that erases nothing has no effect, and was not synthesised."""
    rows = [row for row in measured()["guards"] if CODES[row["secded"]] == code and bool(row["erase"]) == erase]
    if not rows:
        raise ValueError(f"no synthesised decoder of {code} with erase {erase}")
    return [0, *(row["data"] for row in rows)], [0, *(row["lut"] for row in rows)]
