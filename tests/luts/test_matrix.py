"""The price of a matrix-vector unit: its memories as synthesised, and LUTs near it, also where nothing was fitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.luts.element import Element, known, known_at_once
from fat_fpga.luts.matrix import MatrixUnit, coefficients, errors, measured_units
from fat_fpga.luts.memories import shared, simple
from fat_fpga.luts.table import measured

SETS = ("fitted", "other")


@pytest.mark.parametrize("which", SETS)
def test_memories_and_multipliers_are_those_of_every_synthesised_unit(which: str) -> None:
    for unit, row in measured_units(which):
        memories = unit.memories
        lutram = sum(memory.lutram for memory in memories)
        assert lutram == row["lutram"], row["unit"]
        assert (unit.bram_18k, unit.dsp) == (row["bram18"], row.get("dsp", 0)), row["unit"]


@pytest.mark.parametrize(
    ("bits", "depth", "part", "logic", "lutram", "halves"),
    [
        (32, 2304, 32, 99, 0, 6),
        (32, 1152, 32, 32, 0, 4),
        (32, 512, 32, 0, 0, 2),
        (16, 512, 32, 16, 0, 1),
        (40, 288, 32, 74, 0, 3),
        (64, 864, 32, 98, 0, 4),
        (64, 288, 32, 34, 0, 4),
        (128, 288, 32, 36, 0, 8),
        (8, 4096, 32, 8, 0, 2),
        (72, 512, 32, 123, 0, 5),
        (48, 600, 32, 82, 0, 3),
        (36, 300, 32, 70, 0, 3),
        (8, 10, 32, 0, 8, 0),
        (20, 6, 10, 12, 24, 0),
        (320, 4, 10, 184, 384, 0),
        (56, 8, 14, 18, 64, 0),
        (110, 2, 11, 299, 0, 0),
        (96, 16, 32, 35, 96, 0),
        (24, 100, 32, 0, 96, 0),
        (32, 1, 8, 12, 0, 0),
        (60, 10, 6, 36, 80, 0),
    ],
)
def test_what_stands_beside_a_memory(bits: int, depth: int, part: int, logic: int, lutram: int, halves: int) -> None:
    """``fat_memory`` alone, as Yosys 0.70 synthesised it."""
    found = shared(bits, depth, part)
    assert (found.lutram, found.bram_18k) == (lutram, halves)
    assert abs(found.logic - logic) <= 0.15 * logic


def test_few_bits_of_many_words_stay_in_luts() -> None:
    """In units that were drawn: a choice among banks counts, too."""
    assert shared(16, 81, 32).lutram == 64
    assert shared(2, 864, 32).lutram == 56
    assert shared(6, 288, 32).bram_18k == 1
    assert shared(8, 256, 32).bram_18k == 1


def test_small_vectors_are_in_flip_flops() -> None:
    assert simple(3, 3) == (0, 0, 3, 3)
    assert simple(1, 9).lutram == 0
    assert simple(2, 9).lutram == 4
    assert simple(8, 2).lutram == 0
    assert simple(6, 12).lutram == 4
    assert simple(4, 512).lutram == 64
    assert simple(16, 144).bram_18k == 1


def test_elements_cost_what_was_synthesised() -> None:
    rows = measured()["elements"]
    assert len(rows) >= 100
    for row in rows:
        element = Element(row["simd"], row["weight_bits"], row["input_bits"], bool(row["input_bipolar"]),
                          row["sum_bits"], 0, bool(row["accumulates"]))  # fmt: skip
        assert element.dot == pytest.approx(row["lut"]), row
    assert len(known()) == 6
    assert known().keys() == known_at_once().keys()


@pytest.mark.parametrize(
    ("sum_bits", "thresholds", "luts"),
    [(4, 1, 3), (6, 1, 5), (8, 1, 6), (10, 1, 7), (12, 1, 8), (14, 1, 10), (17, 1, 12), (8, 2, 14), (12, 2, 18),
     (17, 2, 26), (4, 3, 11), (8, 3, 20), (14, 3, 32), (8, 7, 46), (12, 7, 60)],
)  # fmt: skip
def test_comparisons_cost_what_was_synthesised(sum_bits: int, thresholds: int, luts: int) -> None:
    """Comparisons alone, as Yosys 0.70 synthesised them."""
    assert Element(1, 1, 1, True, sum_bits, thresholds, True).comparison == luts


@given(
    st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2, 4, 8, 16, 32]),
    st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (1, 8), (1, 3), (4, 1), (1, 16)]),
)  # fmt: skip
def test_more_lanes_cost_more(pe: int, simd: int, bits: tuple[int, int]) -> None:
    """Where memories take no LUTs: few deep ones."""

    def elements(pe: int, simd: int) -> float:
        return pe * MatrixUnit(1152, 256, pe, simd, *bits, bits == (1, 1), 20, 1).element.dot

    assert elements(2 * pe, simd) > elements(pe, simd) > 0
    assert elements(pe, 2 * simd) > elements(pe, simd)


def test_every_part_of_the_model_costs_something() -> None:
    assert all(value > 0 for value in coefficients())


@pytest.mark.parametrize(("which", "count"), [("fitted", 41), ("other", 54)])
def test_the_model_is_near_what_was_synthesised(which: str, count: int) -> None:
    """Units of CNV and of random sizes; it is fitted to the first ones only."""
    assert len(errors(which)) == count
    assert max(map(abs, errors(which))) < 0.1
