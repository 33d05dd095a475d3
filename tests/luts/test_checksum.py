"""The price of a checksum hook: near what was synthesised, and never falling as the hook grows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.luts import checksum_luts
from fat_fpga.luts.checksum import largest_error
from fat_fpga.luts.table import measured


def test_the_model_is_near_every_measured_hook() -> None:
    assert 0 < largest_error() < 0.08
    known = measured()["checksums"]
    assert len(known) >= 12
    for hook in known:
        assert abs(checksum_luts(hook["lanes"], hook["bits"]) - hook["lut"]) <= 0.08 * hook["lut"] + 1


@given(st.integers(1, 128), st.integers(1, 32))
def test_more_lanes_and_more_bits_cost_more(lanes: int, bits: int) -> None:
    assert checksum_luts(lanes + 1, bits) >= checksum_luts(lanes, bits) > 0
    assert checksum_luts(lanes, bits + 1) >= checksum_luts(lanes, bits)
