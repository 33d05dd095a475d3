"""What a run file says of outputs that are no classes: how far each fault moves them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign.database import damaged

UNIT, VALUES = "output_unit", "output_values"
"""Entries of ``meta``."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Worth:
    """What the outputs of the network are.

    Attributes:
        unit: real value of one unit of a deviation.
        values: number of values that the network has for one row.
    """

    unit: float
    values: int

    def entries(self) -> dict[str, str | int]:
        """Entries of ``meta``."""
        return {UNIT: repr(self.unit), VALUES: self.values}

    @classmethod
    def of_entries(cls, meta: Mapping[str, Any], path: Path) -> Worth | None:
        """From the entries of a run file; None where its network has classes."""
        if UNIT not in meta and VALUES not in meta:
            return None
        try:
            unit, values = float(meta[UNIT]), meta[VALUES]
            if isinstance(values, int) and values > 0 and isfinite(unit) and unit > 0:
                return cls(unit, values)
        except (KeyError, ValueError, TypeError):
            pass
        damaged(path, "what it says of the network's outputs is no unit and no number of values")

    def mean(self, total: int, rows: int) -> float:
        """Mean deviation over all values of so many rows."""
        return total * self.unit / (rows * self.values)


def read_deviations(connection: sqlite3.Connection, path: Path, positions: Ints) -> tuple[Ints, Ints]:
    """Total and largest deviation of the faults at ``positions``, int64 [F] each."""
    rows = connection.execute(
        "SELECT position, total, largest FROM deviation ORDER BY position LIMIT ?", (len(positions) + 1,)
    ).fetchall()
    if not all(type(value) is int and 0 <= value < 1 << 62 for row in rows for value in row):
        damaged(path, "table deviation holds what is no deviation")
    table = np.array(rows, np.int64).reshape(-1, 3)
    if not np.array_equal(table[:, 0], positions):
        damaged(path, f"table deviation has {len(rows):,} rows, {len(positions):,} faults have a result")
    return table[:, 1].copy(), table[:, 2].copy()
