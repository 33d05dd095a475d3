"""Cost models against numbers computed by hand, and FINN's against the figures of the stock cnv-w1a1."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest

from fat_fpga.boards import BOARDS, Board, board
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs import voter
from fat_fpga.hardening.costs.finn import (
    BY_FORMULA,
    BY_TYPES,
    FROM_TABLE,
    FinnModel,
    arithmetic_of,
    ask_finn,
    look_up,
    stored,
)
from fat_fpga.hardening.costs.folded import FoldedModel
from fat_fpga.hardening.costs.macs import MacsModel
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.costs.mvau import block_rams, formula
from fat_fpga.hardening.design import UnitShape, bits_of
from fat_fpga.hardening.folding import ways
from fat_fpga.luts.voter import coefficients, largest_error

CONV1 = UnitShape("conv1", 64, 576, 64, 784, "BIPOLAR", "BIPOLAR", "BIPOLAR")
STOCK = {
    "conv0": (UnitShape("conv0", 64, 27, 3, 900, "BIPOLAR", "INT8", "BIPOLAR"), 16, 3, 2992, 3, 32400),
    "conv1": (CONV1, 32, 32, 7340, 29, 28224),
    "conv2": (UnitShape("conv2", 128, 576, 64, 144, "BIPOLAR", "BIPOLAR", "BIPOLAR"), 16, 32, 3820, 15, 20736),
    "conv3": (UnitShape("conv3", 128, 1152, 128, 100, "BIPOLAR", "BIPOLAR", "BIPOLAR"), 16, 32, 3837, 15, 28800),
    "conv4": (UnitShape("conv4", 256, 1152, 128, 9, "BIPOLAR", "BIPOLAR", "BIPOLAR"), 4, 32, 1184, 24, 20736),
    "conv5": (UnitShape("conv5", 256, 2304, 256, 1, "BIPOLAR", "BIPOLAR", "BIPOLAR"), 1, 32, 522, 36, 18432),
    "fc6": (UnitShape("fc6", 512, 256, 256, 1, "BIPOLAR", "BIPOLAR", "BIPOLAR"), 1, 4, 334, 8, 32768),
    "fc7": (UnitShape("fc7", 512, 512, 512, 1, "BIPOLAR", "BIPOLAR", "BIPOLAR"), 1, 8, 361, 16, 32768),
    "fc8": (UnitShape("fc8", 10, 512, 512, 1, "BIPOLAR", "BIPOLAR", ""), 5, 1, 377, 1, 1024),
}
"""Unit, PE, SIMD, and what FINN reported for it: LUT, BRAM_18K, cycles."""


@pytest.mark.parametrize(
    ("inputs", "weight"), [("BIPOLAR", "BINARY"), ("INT2", "BIPOLAR"), ("UINT7", "BIPOLAR"), ("UINT8", "INT2")]
)
def test_how_wide_one_bit_weights_are_built(inputs: str, weight: str) -> None:
    assert arithmetic_of(UnitShape("conv1", 64, 576, 64, 784, "BIPOLAR", inputs, "INT2")).weight == weight


def test_macs() -> None:
    model = MacsModel()
    assert model.price(Built(CONV1, 0, 64, 576)) == 784 * 576 * 64 == CONV1.macs == 28_901_376
    one = 784 * 576 * 2 + 784  # two more copies of each of its products, and a vote on each of its bits
    assert model.price(Built(CONV1, 1, 66, 576)) == 28_901_376 + one
    full = Built(CONV1, 64, 192, 576)
    assert model.price(full) == 3 * 28_901_376 + 784 * 64  # full TMR: 3.0, plus voters
    two_bits = UnitShape("conv1", 64, 576, 64, 784, "INT2", "INT2", "INT2")
    assert model.price(Built(two_bits, 1, 66, 576)) == 28_901_376 + one + 784


def test_folded() -> None:
    model = FoldedModel()
    plain = Built(CONV1, 0, 32, 32)
    assert (model.price(plain), plain.folds, plain.cycles) == (1024, 2, 28224)  # 2 folds x 18 inputs x 784 pixels
    slower = Built(CONV1, 16, 32, 32)  # 96 rows on the same PEs: half as quick again
    assert (slower.folds, slower.cycles, slower.votes) == (3, 42336, 6)
    assert model.price(slower) == 1024 + 6
    wider = Built(CONV1, 16, 48, 32)  # 96 rows on half as many PEs again: as quick as before
    assert (wider.folds, wider.cycles, wider.votes) == (2, 28224, 8)
    assert model.price(wider) == 48 * 32 + 8


@pytest.mark.parametrize("name", STOCK)
def test_stock_estimates(name: str) -> None:
    unit, pe, simd, lut, bram, cycles = STOCK[name]
    built, model = Built(unit, 0, pe, simd), FinnModel(live=False)
    assert model.price(built) == lut
    assert model.resources(built) == {"BRAM_18K": bram, "DSP": 0}
    assert built.cycles == cycles


def test_stock_network() -> None:
    assert sum(bram for *_, bram, _ in STOCK.values()) == 147
    assert max(cycles for *_, cycles in STOCK.values()) == 32768


def test_finn_with_copies() -> None:
    """By hand: 300 + 1.1 x PE x (Q (2 ceil((W + A) / 6) - 1) (W + A) + (W + A) (2 Q - 1) + accumulator bits)."""
    model = FinnModel(live=False)
    built = Built(CONV1, 16, 48, 32)
    lut = int(300 + 1.1 * 48 * (32 * 1 * 2 + 2 * 63 + 10))
    bram = -(-576 * 96 // (32 * 48) // 512) * -(-32 * 48 // 36)  # 36 words of 1,536 bits in blocks of 512 x 36
    assert model.estimate(built) == (lut, bram, 0)
    assert model.price(built) == lut + voter.voter_luts(built)


def test_what_the_table_lacks_is_by_formula() -> None:
    """By hand, and the source is told."""
    model, odd, stock = FinnModel(live=False), Built(CONV1, 0, 32, 64), Built(CONV1, 0, 32, 32)
    assert look_up(arithmetic_of(CONV1), 64, 32, 64) is None
    lut = int(300 + 1.1 * 32 * (64 * 1 * 2 + 2 * 127 + 10))
    assert model.price(odd) == lut
    assert model.resources(odd) == {"BRAM_18K": -(-64 * 32 // 36), "DSP": 0}  # 18 words of 2,048 bits
    assert model.sources([odd, stock, odd]) == {
        f"{BY_FORMULA}; {BY_TYPES}": ["conv1", "conv1"],
        f"{FROM_TABLE}; {BY_TYPES}": ["conv1"],
    }


def test_the_table_and_the_formulas_agree() -> None:
    """In every entry of the table."""
    count = 0
    for what, estimates in stored().items():
        for sizes, entries in estimates.items():
            simd, pe = map(int, sizes.split())
            for entry in entries:
                for more, bram in enumerate(entry["bram_18k"]):
                    rows = (entry["first"] + more) * pe
                    assert formula(what, rows, pe, simd) == (entry["lut"], bram, entry["dsp"])
                    count += 1
    assert count > 10_000


def test_block_rams() -> None:
    """A RAMB18 is 16,384 x 1, 8,192 x 2, 4,096 x 4, 2,048 x 9, 1,024 x 18 or 512 x 36 bits."""
    shapes = {1: 16384, 2: 8192, 3: 4096, 4: 4096, 5: 2048, 9: 2048, 10: 1024, 18: 1024}
    for width, deep in shapes.items():
        assert [block_rams(words, width) for words in (1, deep, deep + 1)] == [1, 1, 2]
    assert [block_rams(512, width) for width in (19, 36, 37, 72)] == [1, 1, 2, 2]
    assert [block_rams(513, width) for width in (19, 36, 37, 72)] == [2, 2, 3, 4]


LAST = UnitShape("fc1", 44, 540, 540, 1, "INT4", "UINT4", "")


@pytest.mark.parametrize(("part", "dsp"), [(None, 0), (BOARDS[0], 0), (BOARDS[1], 12), (BOARDS[2], 12)])
def test_last_units_of_four_bits_take_dsps_on_ultrascale(part: Board | None, dsp: int) -> None:
    """Four PEs of 12 lanes share 12 slices; thresholds, or fewer bits, keep a unit in LUTs."""
    model = FinnModel(live=False, board=part)
    found = model.estimate(Built(LAST, 0, 4, 12))
    assert found.dsp == dsp
    assert (found.lut == 0) == bool(dsp)
    for unit in (
        replace(LAST, output_type="UINT4"),
        replace(LAST, weight_type="INT3"),
        replace(LAST, input_type="UINT3"),
    ):
        other = model.estimate(Built(unit, 0, 4, 12))
        assert other.dsp == 0
        assert other.lut > 300


@pytest.mark.skipif(importlib.util.find_spec("finn") is None, reason="finn-plus is not installed")
@pytest.mark.parametrize("name", STOCK)
def test_table_is_what_finn_says(name: str) -> None:
    unit, pe, simd, *_ = STOCK[name]
    what = arithmetic_of(unit)
    for rows, pes in ((unit.channels, pe), (3 * unit.channels, 3 * pe), (unit.channels + 2 * pe, pe)):
        assert look_up(what, rows, pes, simd) == ask_finn(what, rows, pes, simd)


TFC = {
    "fc0": (UnitShape("fc0", 64, 784, 784, 1, "INT2", "INT2", "INT2"), 16, 49),
    "fc1": (UnitShape("fc1", 64, 64, 64, 1, "INT2", "INT2", "INT2"), 4, 16),
    "fc2": (UnitShape("fc2", 64, 64, 64, 1, "INT2", "INT2", "INT2"), 16, 4),
}
"""Unit, PE and SIMD of the simulated boards' network."""


@pytest.mark.parametrize("name", TFC)
def test_the_table_has_the_simulated_boards(name: str) -> None:
    """So that a plan for them is the same without FINN: every way to build them, from no copies to full TMR."""
    unit, pe, simd = TFC[name]
    model = FinnModel(live=False)
    every = [way for voted in range(unit.channels + 1) for way in ways(unit, simd, voted) if way.pe <= 3 * pe]
    assert {way.voted for way in every} >= {0, unit.channels}
    for way in every:
        found = model.estimate(way)
        assert found is not None
        if importlib.util.find_spec("finn") is not None:
            assert found == ask_finn(arithmetic_of(unit), way.rows, way.pe, simd)


def test_voters_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fat_fpga.luts.voter.coefficients", lambda: (80.0, 30.0, 2.0, 0.5))
    assert voter.voter_luts(Built(CONV1, 0, 32, 32)) == 0
    assert voter.voter_luts(Built(CONV1, 16, 48, 32)) == 80 + 30 * 16 + 2 * 32 + 96 // 2  # collected, 2 beats of 32
    assert voter.voter_luts(Built(CONV1, 16, 48, 32, True)) == 80 + 30 * 16 + 2 * 32  # whole PEs: no buffer
    assert voter.voter_luts(Built(CONV1, 16, 96, 576)) == 80 + 30 * 16 + 2 * 64  # one beat: no buffer
    assert voter.voter_luts(Built(CONV1, 64, 96, 32)) == 80 + 30 * 64 + 2 * 32  # whole triplets in each beat
    assert voter.voter_luts(Built(CONV1, 64, 64, 32)) == 80 + 30 * 64 + 2 * 32 + 192 // 2  # 64 rows are 21 triplets
    assert voter.voter_luts(Built(CONV1, 13, 18, 32)) == 80 + 30 * 13 + 2 * 16 + 45  # 5 beats: 4 of 16 lanes


def test_voters_against_measurements() -> None:
    """The model is a fit; how good it is can be told, and no measured voter is far from it."""
    assert 0 < largest_error() < 0.08
    a, b, c, d = coefficients()
    assert min(a, b, c, d) > 0


def test_widths() -> None:
    assert [bits_of(t) for t in ("BIPOLAR", "BINARY", "TERNARY", "INT2", "UINT12")] == [1, 1, 2, 2, 12]


def test_boards() -> None:
    assert [(b.lut, b.bram_18k, b.dsp) for b in BOARDS] == [(53200, 280, 220), (70560, 432, 360), (230400, 624, 1728)]
    assert board("pynq-z1") is board("PynqZ1") is board("xc7z020") is BOARDS[0]
    with pytest.raises(PlanError, match=r"unknown board or part 'ZC706': known are Pynq-Z1 \(XC7Z020\), Ultra96"):
        board("ZC706")
