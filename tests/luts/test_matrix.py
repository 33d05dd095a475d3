"""The price of a matrix-vector unit: its memories as synthesised, and LUTs near it, also where nothing was fitted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.luts.matrix import MatrixUnit, errors, largest_error, measured_units

UNSEEN = measured_units(True, unseen=True)


def test_memories_and_multipliers_are_those_of_every_synthesised_unit() -> None:
    for unit, row in [*measured_units(False), *measured_units(True), *measured_units(True, unseen=True)]:
        memories = unit.memories
        assert sum(memory.lutram for memory in memories) == row["lutram"], row["unit"]
        assert (unit.bram_18k, unit.dsp) == (row["bram18"], row.get("dsp", 0)), row["unit"]


def test_the_model_is_near_what_was_synthesised() -> None:
    """Within 10 % of units that it was not fitted to, too."""
    assert len(measured_units(False)) >= 15
    assert len(measured_units(True)) >= 4
    assert 0 < largest_error(False) < 0.1
    assert 0 < largest_error(True) < 0.1


def test_the_model_on_units_that_were_chosen_after_it() -> None:
    """Those of CNV within 10 %; of random sizes one is not, whose thresholds are in flip-flops."""
    found = {row["unit"]: error for (_, row), error in zip(UNSEEN, errors(True, unseen=True), strict=True)}
    assert len([name for name in found if "CNV" in name]) == 6
    assert [name for name, error in found.items() if abs(error) >= 0.1] == ["random 1"]
    assert abs(found["random 1"]) < 0.2


@given(st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2, 4, 8, 16]), st.sampled_from([(1, 1), (2, 2), (1, 8)]))
def test_more_lanes_cost_more(pe: int, simd: int, bits: tuple[int, int]) -> None:
    """Where memories take no LUTs: few deep ones."""

    def unit(pe: int, simd: int) -> int:
        made = MatrixUnit(1152, 256, pe, simd, *bits, bits == (1, 1), 13, 1)
        return made.luts - made.known

    assert unit(2 * pe, simd) > unit(pe, simd) > 0
    assert unit(pe, 2 * simd) > unit(pe, simd)
