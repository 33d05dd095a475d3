"""What codes cost: check bits, block RAMs, LUTs of decoders."""

from __future__ import annotations

import pytest

from fat_fpga.cli.main import main
from fat_fpga.errors import FaultError
from fat_fpga.faults.protection import OnDetect, Protection
from fat_fpga.hardening.costs.protection import memory_costs, protection_text
from fat_fpga.luts.guard import guard_luts
from tests.campaign.tiny import tiny_network


def test_bits_and_block_rams() -> None:
    """conv1 of the tiny network has 48 weights of one bit; 6 words of 8 bits with 5 check bits each."""
    rows = {(row.place, row.kind): row for row in memory_costs(tiny_network(), ["weight"], Protection("secded", 8))}
    assert [place for place, _ in rows] == ["conv0", "conv1", "fc2"]
    row = rows["conv1", "weight"]
    assert (row.data, row.words, row.checks, row.plain, row.protected) == (48, 6, 30, 1, 1)


def test_a_block_ram_with_ecc_has_512_words_of_64_bits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "tfc_w2a2", "--faults", "weight", "--protect", "secded"]) == 0
    out = capsys.readouterr().out
    # 784 x 64 weights of 2 bits are 100,352 bits: 1,568 words of 64; 3 block RAMs hold the bits, 4 the words
    assert "fc0 weight    100,352  1,568      12,544      12.5       3            4" in out
    assert "the decoder is built in and takes no LUTs" in out
    assert main(["faults", "tfc_w2a2", "--faults", "activation", "--protect", "parity:8"]) == 2
    assert "has no memory of activation" in capsys.readouterr().err
    with pytest.raises(FaultError, match="no memory of accumulator"):
        memory_costs(tiny_network(), ["accumulator"], Protection("parity"))


def test_decoders_are_those_that_were_synthesised() -> None:
    """Those of the RTL, which cost more where a wrong word is read as 0."""
    for name in ("parity", "secded"):
        for detected in OnDetect:
            erase = detected is OnDetect.ERASE
            text = protection_text(tiny_network(), ["weight"], Protection(name, 16, detected=detected))
            assert f"a decoder takes {guard_luts(name, 16, erase):,} LUTs" in text
    assert guard_luts("secded", 64, False) == 144
    assert guard_luts("secded", 24, False) == 67
    assert guard_luts("secded", 65, False) > 144
    assert guard_luts("parity", 64, False) < guard_luts("parity", 64, True) == 83
