"""The table of synthesised blocks, and figures between two of its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from math import ceil
from typing import Any

import numpy as np

TABLE = "measured.json"


@lru_cache(maxsize=1)
def measured() -> dict[str, Any]:
    """Its content; see ``hw/syn/synthesise.py``, which writes it."""
    content: dict[str, Any] = json.loads((resources.files("fat_fpga.luts") / TABLE).read_text(encoding="utf-8"))
    return content


def between(widths: Sequence[int], luts: Sequence[int], width: int) -> int:
    """LUTs at a width, from those of synthesised widths, ascending.

    Widths that were synthesised have their own figure. Between two of them the figure is on a straight line, rounded
    up; below the first it is that of the first, and beyond the last it grows as between the last two.
    """
    if width > widths[-1]:
        slope = (luts[-1] - luts[-2]) / (widths[-1] - widths[-2])
        return ceil(luts[-1] + slope * (width - widths[-1]) - 1e-9)
    return ceil(float(np.interp(width, widths, luts)) - 1e-9)
