"""What a checksum hook costs: LUTs by a model fitted to synthesised ones (``measured.json``).

LUT = a + b x bits of a beat + c x lanes + d x bits of the sums of the lanes, one for each of up to three classes
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log2
from typing import Any

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.checksums import FOLD, MODULUS
from fat_fpga.luts.table import measured

CLASSES = 3
"""Different coefficients; lanes of equal number modulo this are added up together."""


@checked
def checksum_luts(lanes: int, bits: int) -> int:
    """LUTs of a hook on a stream of ``lanes`` values a beat of ``bits`` bits each, rounded up."""
    return ceil(sum(a * term for a, term in zip(coefficients(), _terms(lanes, bits), strict=True)) - 1e-9)


@lru_cache(maxsize=1)
def coefficients() -> tuple[float, ...]:
    """a, b, c and d, by least squares."""
    terms, luts = _measured()
    return tuple(float(value) for value in np.linalg.lstsq(terms, luts, rcond=None)[0])


def largest_error() -> float:
    """Largest error of the model against a measured hook, as a share of it."""
    terms, luts = _measured()
    return float(np.abs(terms @ np.array(coefficients()) / luts - 1).max())


def _terms(lanes: int, bits: int) -> tuple[int, ...]:
    sum_bits = min(min(bits, FOLD) + ceil(log2(ceil(lanes / CLASSES))), MODULUS.bit_length() - 1)
    return 1, lanes * bits, lanes, min(lanes, CLASSES) * sum_bits


def _measured() -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Terms [H, 4] and LUTs [H] of the measured hooks."""
    known = measured()["checksums"]
    terms = [_terms(h["lanes"], h["bits"]) for h in known]
    return np.array(terms, np.float64), np.array([h["lut"] for h in known], np.float64)
