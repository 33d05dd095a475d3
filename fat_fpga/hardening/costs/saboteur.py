"""What a stream saboteur costs: LUTs by a line through synthesised ones (``voter_luts.json``).

LUT = a + b x bits of a beat
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from math import ceil

import numpy as np

from fat_fpga.hardening.costs.voter import TABLE


def saboteur_luts(bits: int) -> int:
    """LUTs of a saboteur on a stream of so many bits a beat, rounded up."""
    a, b = coefficients()
    return ceil(a + b * bits - 1e-9)


@lru_cache(maxsize=1)
def coefficients() -> tuple[float, float]:
    """a and b, by least squares."""
    file = resources.files("fat_fpga.hardening.costs") / TABLE
    measured = json.loads(file.read_text(encoding="utf-8"))["saboteurs"]
    b, a = np.polyfit([entry["lanes"] * entry["bits"] for entry in measured], [entry["lut"] for entry in measured], 1)
    return float(a), float(b)
