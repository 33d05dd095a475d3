"""Estimates are FINN's published figures, and the automatic folding is the cheapest that is fast enough."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from fat_fpga.boards import board
from fat_fpga.errors import FinnError
from fat_fpga.finn import auto
from fat_fpga.finn.auto import auto_folding
from fat_fpga.finn.estimates import check_fits, estimate, part_of, unfolded
from fat_fpga.finn.folding import read_build_folding
from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.parallel import grouped
from fat_fpga.hardening.costs.finn import arithmetic_of, ask_finn
from fat_fpga.hardening.design import UnitShape
from fat_fpga.network import Levels, load_network
from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.words import unit_weight_type
from tests.finn.test_engine import hardened

ZCU104, PYNQ = board("ZCU104"), board("Pynq-Z1")


def test_stock_cnv_w1a1_is_what_finn_publishes() -> None:
    network = load_network("cnv_w1a1")
    found = estimate(network, read_build_folding("stock", network), PYNQ)
    assert (found.lut, found.bram_18k, found.cycles) == (23_919, 147, 32_768)
    assert int(found.rate) == 3_051
    units = [layer for layer in found.layers if layer.node.startswith("MVAU")]
    assert [(layer.lut, layer.bram_18k, layer.cycles) for layer in units] == [
        (2992, 3, 32400), (7340, 29, 28224), (3820, 15, 20736), (3837, 15, 28800), (1184, 24, 20736),
        (522, 36, 18432), (334, 8, 32768), (361, 16, 32768), (377, 1, 1024),
    ]  # fmt: skip


def test_one_bit_weights_behind_wider_activations_stay_of_one_bit() -> None:
    """FINN alone makes them of two bits: 39,095 LUT and 284 BRAM_18K, more than a Pynq-Z1 has."""
    network = load_network("cnv_w1a2")
    found = estimate(network, read_build_folding("stock", network), PYNQ)
    assert (found.lut, found.bram_18k, found.cycles) == (31_836, 147, 32_768)
    assert found.lut <= PYNQ.lut
    assert found.bram_18k <= PYNQ.bram_18k


def test_writable_thresholds_cost_what_was_measured_and_voters_and_saboteurs_are_counted() -> None:
    network = load_network("cnv_w1a1")
    folding = read_build_folding("stock", network)
    plain = estimate(network, folding, ZCU104)
    assert 1_000 < estimate(network, folding, ZCU104, inject="thresholds").lut - plain.lut < 1_400
    stream = estimate(network, folding, ZCU104, inject="stream")
    added = [layer for layer in stream.layers if layer.node.startswith("FatSaboteur")]
    assert [layer.place for layer in added] == [layer.name for layer in network.layers[:-1]]
    assert stream.lut - plain.lut == sum(layer.lut for layer in added)
    assert stream.cycles == plain.cycles


def test_voters_are_counted_and_keep_the_rate() -> None:
    network = load_network("cnv_w2a2")
    copied = hardened(network)
    folding = read_build_folding(",".join(["4x1"] * 8 + ["5x1"]), copied)
    found = estimate(copied, folding, ZCU104)
    voters = [layer for layer in found.layers if layer.node.startswith("FatVoter")]
    assert [layer.place for layer in voters] == [f"{unit.name}.vote" for unit in copied.units[:-1]]
    assert all(layer.lut > 0 for layer in voters)
    assert max(layer.cycles for layer in voters) < found.cycles
    cheapest = estimate(network, auto_folding(network, 300, ZCU104), ZCU104)
    assert estimate(copied, auto_folding(copied, 300, ZCU104), ZCU104).lut > cheapest.lut


@pytest.mark.parametrize(("name", "rates"), [("cnv_w1a1", (300, 1000, 3051)), ("cnv_w2a2", (200, 500, 868))])
def test_automatic_folding_meets_its_rate_and_never_costs_more_than_stock(name: str, rates: tuple[int, ...]) -> None:
    network = load_network(name)
    stock = estimate(network, read_build_folding("stock", network), ZCU104)
    for rate in rates:
        found = estimate(network, auto_folding(network, rate, ZCU104), ZCU104)
        assert found.rate >= rate
        assert found.cost(ZCU104) <= stock.cost(ZCU104)
        assert found.lut <= stock.lut
        assert found.bram_18k <= stock.bram_18k
        assert found.dsp <= stock.dsp


def test_automatic_folding_is_the_cheapest_of_all() -> None:
    """Every combination of legal foldings of a network whose places have few of them."""
    network = load_network("tfc_w2a2")
    part, budget = part_of(PYNQ), 4_000
    model = unfolded(network, part)
    options = []
    for place, group in grouped(nodes_of(model, network), network).items():
        legal = [c for c in auto._choices(network, place, group, part) if auto._as_stock(c.fold) and c.cycles <= budget]
        best = sorted(legal, key=lambda choice: sum(choice.needs))
        options.append(best[:: max(len(best) // 5, 1)] + best[:1])
    shares = (PYNQ.lut, PYNQ.bram_18k, PYNQ.dsp)
    least = min(
        sum(sum(choice.needs[r] for choice in chosen) / shares[r] for r in range(3)) for chosen in product(*options)
    )
    found = estimate(network, auto_folding(network, 25_000, PYNQ), PYNQ)
    assert found.rate >= 25_000
    assert found.cost(PYNQ) <= least + 1e-9


def test_memories_move_to_luts_where_block_ram_is_short() -> None:
    network = load_network("cnv_w2a2")
    found = estimate(network, auto_folding(network, 2_000, PYNQ), PYNQ)
    assert found.rate >= 2_000
    check_fits(found, PYNQ)


def test_what_cannot_be_is_told_with_the_nearest_that_can() -> None:
    network = load_network("cnv_w1a1")
    with pytest.raises(
        FinnError, match=r"conv0 cannot be that fast: with 64 PEs and 3 SIMD lanes it takes 8,167 cycles"
    ):
        auto_folding(network, 20_000, ZCU104)
    with pytest.raises(
        FinnError, match=r"Pynq-Z1 is too small for 11000 images a second: at least [\d,]+ LUT are needed"
    ):
        auto_folding(network, 11_000, PYNQ)
    wide = "64x3,64x64,64x64,64x64,16x64,8x64,4x64,4x64,10x8"
    found = estimate(network, read_build_folding(wide, network), PYNQ)
    too_many = found.lut - PYNQ.lut
    assert too_many > 0
    with pytest.raises(
        FinnError, match=rf"Pynq-Z1 is too small: the build needs {found.lut:,} LUT .*\({too_many:,} too many"
    ):
        check_fits(found, PYNQ)
    check_fits(estimate(network, read_build_folding("stock", network), PYNQ), PYNQ)


def test_checksum_hooks_are_counted_and_leave_nothing_behind() -> None:
    network = load_network("cnv_w1a1")
    folding = read_build_folding("stock", network)
    plain = estimate(network, folding, PYNQ)
    hooked = estimate(network, folding, PYNQ, checksums=True)
    hooks = [layer for layer in hooked.layers if layer.node.startswith("FatChecksum")]
    assert [layer.place for layer in hooks] == ["input", *(layer.name for layer in network.layers)]
    assert hooked.lut - plain.lut == sum(layer.lut for layer in hooks)
    assert all(150 < layer.lut < 400 for layer in hooks)
    assert hooked.cycles == plain.cycles
    assert estimate(network, folding, PYNQ) == plain
    assert estimate(network, folding, PYNQ, inject="stream", checksums=True).lut > hooked.lut


@pytest.mark.parametrize("name", ["cnv_w1a1", "cnv_w1a2", "cnv_w2a2"])
def test_the_planner_asks_for_the_same_units(name: str) -> None:
    """Its figures do not depend on the values of weights: equal where FINN's do not, else an upper bound."""
    network = load_network(name)
    found = estimate(network, read_build_folding("stock", network), PYNQ)
    units = [layer for layer in found.layers if layer.node.startswith("MVAU")]
    before = network.input.levels
    for unit, layer in zip(network.units, units, strict=True):
        inputs = unit.weights[0].size
        shape = UnitShape(unit.name, unit.channels, inputs, 1, 1, unit_weight_type(unit), kind(before), "")
        if unit.levels is not None:
            shape = replace(shape, output_type=kind(unit.levels))
            before = unit.levels
        asked = ask_finn(arithmetic_of(shape), unit.channels, layer.pe, layer.simd)
        assert (asked.bram_18k, asked.dsp) == (layer.bram_18k, layer.dsp)
        assert layer.lut <= asked.lut <= 1.05 * layer.lut
        assert asked.lut == layer.lut or name != "cnv_w1a1"


def kind(levels: Levels) -> str:
    return "BIPOLAR" if levels.bipolar else smallest_type(levels.min, levels.max)


def test_a_written_folding_is_read_back(tmp_path: Path) -> None:
    network = load_network("cnv_w1a1")
    folding = auto_folding(network, 1_000, ZCU104)
    folding.write(tmp_path / "f.json")
    assert read_build_folding(str(tmp_path / "f.json"), network).folds == folding.folds
    totals = json.loads(estimate(network, folding, ZCU104).to_json())["total"]
    assert totals["cycles"] <= 100_000
