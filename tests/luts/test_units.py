"""The price of the units beside the matrix-vector unit: near what was synthesised, also where nothing was fitted."""

from __future__ import annotations

import pytest

from fat_fpga.luts.table import measured
from fat_fpga.luts.units import KINDS, unit_block_rams, unit_luts

ROUNDING = 4
"""LUTs: units of a few dozen are not told more closely."""


@pytest.mark.parametrize("module", list(KINDS))
def test_units_cost_what_was_synthesised(module: str) -> None:
    """Memories exactly, LUTs within 10 % or a few; of units that no model is fitted to, too."""
    kind = KINDS[module]
    rows = measured()[kind.table]
    assert {row["other"] for row in rows} == {False, True}
    for row in rows:
        assert (kind.memory(row).lutram, unit_block_rams(module, row)) == (row["lutram"], row["bram18"]), row
        total = row["lut"] + row["lutram"]
        assert abs(unit_luts(module, row) - total) <= max(0.1 * total, ROUNDING), row
