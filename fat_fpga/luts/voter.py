"""LUTs of a whole majority voter.

A majority of three bits takes one LUT; a whole voter takes far more: a counter of disagreements for each triplet, its
registers, and, where the copies of a beat do not stand in one beat, a buffer for a pixel. The table holds LUTs of whole
voters, measured by synthesis over their parameters. Between its rows a linear model is used, fitted to them by least
squares:

    LUT = a + b x triplets + c x lanes out x bits + d x rows x bits, the last for voters with a buffer only
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.luts.table import measured

COUNT_BITS = 8
"""Width of the counters of disagreements, of the voters that are priced."""

LANEWISE = "lanewise"
"""How the table calls voters without a buffer."""


@checked
def voter_luts(triplets: int, bits_out: int, buffered_bits: int) -> int:
    """LUTs of a voter by the fitted model, rounded up; none without triplets.

    Args:
        triplets: voted channels.
        bits_out: of a beat behind it.
        buffered_bits: of a pixel in front, 0 for a voter without a buffer.
    """
    if not triplets:
        return 0
    terms = (1, triplets, bits_out, buffered_bits)
    return ceil(sum(a * term for a, term in zip(coefficients(), terms, strict=True)) - 1e-9)


@lru_cache(maxsize=1)
def coefficients() -> tuple[float, float, float, float]:
    """a, b, c and d of the model, from the measured voters that have triplets."""
    terms, luts = _measured()
    found = np.linalg.lstsq(terms, luts, rcond=None)[0]
    return float(found[0]), float(found[1]), float(found[2]), float(found[3])


def largest_error() -> float:
    """Largest error of the model against a measured voter, as a share of it."""
    terms, luts = _measured()
    return float(np.abs(terms @ np.array(coefficients()) / luts - 1).max())


def _measured() -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Terms [V, 4] and LUTs [V] of the measured voters."""
    content = measured()
    known = [*content["voters"], *content.get("variants", ())]
    voters = [v for v in known if v["triplets"] and v["count_bits"] == COUNT_BITS]
    terms = [
        (1, v["triplets"], v["lanes_out"] * v["bits"], 0 if v["structure"] == LANEWISE else v["rows"] * v["bits"])
        for v in voters
    ]
    return np.array(terms, np.float64), np.array([v["lut"] for v in voters], np.float64)
