"""The prices of decoders and of clipped activations: those that were synthesised, and no others fall below them."""

from __future__ import annotations

import pytest

from fat_fpga.faults.codes import CODES
from fat_fpga.luts.clip import clip_luts
from fat_fpga.luts.guard import CODES as BY_PARAMETER
from fat_fpga.luts.guard import guard_luts
from fat_fpga.luts.table import measured


def test_decoders_cost_what_was_synthesised() -> None:
    assert set(BY_PARAMETER) == set(CODES)
    rows = measured()["guards"]
    assert len(rows) >= 26
    for row in rows:
        assert (row["ff"], row["words"]) == (0, 1), "it is combinational"
        assert guard_luts(BY_PARAMETER[row["secded"]], row["data"], bool(row["erase"])) == row["lut"]


@pytest.mark.parametrize(("code", "erase"), [("parity", False), ("parity", True), ("secded", False), ("secded", True)])
def test_wider_words_cost_more(code: str, erase: bool) -> None:
    luts = [guard_luts(code, data, erase) for data in range(1, 300)]
    assert luts == sorted(luts)
    assert luts[0] > 0


def test_clipped_activations_cost_what_was_synthesised() -> None:
    rows = measured()["clips"]
    assert len(rows) >= 10
    for row in rows:
        if not row["signed"]:
            assert clip_luts(row["lanes"], row["bits"]) == row["lut"], row
        else:  # of a ReLU, or of a value whose sign is looked at, too
            assert row["lut"] - clip_luts(row["lanes"], row["bits"]) <= 2 * row["lanes"]
    luts = [clip_luts(3, bits) for bits in range(1, 40)]
    assert luts == sorted(luts)
