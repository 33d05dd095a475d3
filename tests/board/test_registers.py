"""One register map: what stands in the RTL is what Python says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.board.registers import MAPS, SABOTEUR, VOTER, Mode, RegisterMap, systemverilog

PACKAGE = Path(__file__).parents[2] / "hw" / "rtl" / "fat_registers_pkg.sv"


def test_the_rtl_package_is_the_generated_one() -> None:
    assert PACKAGE.read_text() == systemverilog(), "python -m fat_fpga.board.registers > hw/rtl/fat_registers_pkg.sv"


@pytest.mark.parametrize("block", MAPS, ids=lambda block: block.name)
def test_addresses_are_words_apart(block: RegisterMap) -> None:
    offsets = [register.offset for register in block.registers]
    assert offsets == sorted(set(offsets))
    assert all(offset % 4 == 0 for offset in offsets)
    assert block.window is None or block.window > offsets[-1]
    assert len({register.name for register in block.registers}) == len(offsets)


def test_modes_are_made_of_the_mode_bits() -> None:
    bits = SABOTEUR["MODE"].mask
    assert bits("ENABLE") | bits("MATCH_LANE") | bits("MATCH_FOLD") == Mode.CHANNEL
    assert bits("ENABLE") | bits("MATCH_ROW") | bits("MATCH_COLUMN") == Mode.PIXEL
    assert Mode.CHANNEL | Mode.PIXEL == Mode.ELEMENT
    assert bits("ENABLE") | bits("MATCH_LANE") == Mode.PE


def test_unknown_names() -> None:
    with pytest.raises(KeyError, match="VOTER has no register HITS: it has ID, VERSION"):
        VOTER["HITS"]
    with pytest.raises(KeyError):
        SABOTEUR["MODE"].mask("ARM")
