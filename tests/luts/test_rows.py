"""Each row of the table of synthesised blocks against its model, and the page that shows them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fat_fpga.luts.rows import page, rows
from fat_fpga.luts.table import measured

ROWS = list(rows())
PAGE = Path(__file__).parents[2] / "docs" / "luts.md"
LIMIT = 0.1


@pytest.mark.parametrize("block", sorted({row.block for row in ROWS}))
def test_the_model_is_within_a_tenth_of_every_row(block: str) -> None:
    for row in ROWS:
        if row.block == block:
            assert abs(row.error) <= LIMIT, row
            assert (row.model_bram, row.lut > 0) == (row.bram_18k, True), row


def test_every_synthesised_block_has_a_row() -> None:
    found = Counter(row.block for row in ROWS)
    table = measured()
    assert found["voters"] == len(table["voters"]) + len(table["variants"]) - 3  # one is unprotected, two count one bit
    assert found["clips"] == sum(not row["signed"] for row in table["clips"])
    others = set(table) - {"tool", "voters", "variants", "clips", "elements"}
    assert set(found) == others | {"voters", "clips"}
    assert all(found[name] == len(table[name]) for name in others)


def test_the_page_shows_these_rows() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python hw/syn/page.py"
