"""What a stream saboteur costs: LUTs by a line through synthesised ones (``measured.json``).

LUT = a + b x bits of a beat
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.luts.table import measured


@checked
def saboteur_luts(bits: int) -> int:
    """LUTs of a saboteur on a stream of so many bits a beat, rounded up."""
    a, b = coefficients()
    return ceil(a + b * bits - 1e-9)


@lru_cache(maxsize=1)
def coefficients() -> tuple[float, float]:
    """a and b, by least squares."""
    known = measured()["saboteurs"]
    b, a = np.polyfit([entry["lanes"] * entry["bits"] for entry in known], [entry["lut"] for entry in known], 1)
    return float(a), float(b)
