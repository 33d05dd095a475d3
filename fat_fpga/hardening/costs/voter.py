"""What a majority voter costs.

A majority of three bits takes one LUT; a whole voter takes far more: a counter of disagreements for each triplet, its
registers, and, where the copies of a beat do not stand in one beat, a buffer for a pixel. ``voter_luts.json`` beside
this file holds LUTs of whole voters, measured by synthesis over their parameters. Between its rows a linear model is
used, fitted to them by least squares:

    LUT = a + b x triplets + c x lanes out x bits + d x rows x bits, the last for voters with a buffer only
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from math import ceil
from typing import Any

import numpy as np

from fat_fpga.hardening.costs.model import Built

MACS_PER_VOTE = 1.0
"""Multiply-accumulates that the vote on one bit counts as, where a cost is in MACs."""

COUNT_BITS = 8
"""Width of the counters of disagreements, of the voters that are priced."""

TABLE = "voter_luts.json"
LANEWISE = "lanewise"
"""How the table calls voters without a buffer."""


def voter_luts(built: Built) -> int:
    """LUTs of a unit's voter by the fitted model, rounded up; none without triplets."""
    if not built.voted:
        return 0
    buffered = 0 if built.lanewise else built.rows
    bits = built.unit.bits
    return fitted_luts(built.voted, built.lanes_out * bits, buffered * bits)


def fitted_luts(triplets: int, bits_out: int, buffered_bits: int) -> int:
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
    file = resources.files("fat_fpga.hardening.costs") / TABLE
    content = json.loads(file.read_text(encoding="utf-8"))
    known = [*content["voters"], *content.get("variants", ())]
    voters = [v for v in known if v["triplets"] and v["count_bits"] == COUNT_BITS]
    terms = [
        (1, v["triplets"], v["lanes_out"] * v["bits"], 0 if v["structure"] == LANEWISE else v["rows"] * v["bits"])
        for v in voters
    ]
    return np.array(terms, np.float64), np.array([v["lut"] for v in voters], np.float64)
