"""The units of our own accelerators, many random configurations in each simulation, against the reference engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulator import BUILD, simulate
from units import top_of, units_of, write_memories

UNITS = ("fat_mvtu", "fat_window", "fat_max_pool", "fat_width_converter", "fat_fifo", "fat_label_select")
CASES = [
    {"kind": "matrix", "seed": 1, "count": 16},
    {"kind": "matrix", "seed": 2, "count": 16},
    {"kind": "window", "seed": 3, "count": 16},
    {"kind": "other", "seed": 4, "count": 6},
]
"""Of the last one, as many of each of four units."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['seed']}")
def test_units(case: dict[str, int | str]) -> None:
    tests = units_of(case)
    name = f"units_{case['kind']}_{case['seed']}"
    folder = Path(BUILD / name)
    folder.mkdir(parents=True, exist_ok=True)
    write_memories(tests, folder)
    top = folder / "fat_units.sv"
    top.write_text(top_of(tests))
    simulate("fat_units", "bench_units", {}, dict(case), name, UNITS, [top], large=True)
