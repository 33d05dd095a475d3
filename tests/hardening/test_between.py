"""Window generators and input thresholds against what FINN says of those of the stock cnv-w1a1."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fat_fpga.boards import Board
from fat_fpga.campaign.layer_table import LayerRow, layer_table
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.around import between_units
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.costs.model import Between
from fat_fpga.hardening.costs.window import Window
from fat_fpga.hardening.plan_costs import BETWEEN
from fat_fpga.hardening.planner import Planner
from fat_fpga.network import load_network
from fat_fpga.network.folding import Fold, read_folds
from tests.hardening.small import FOLDS, cost_model, tiny_criticality


def test_stock_network() -> None:
    """LUTs and cycles of fat-fpga finn estimate."""
    network = load_network("cnv_w1a1")
    folds = read_folds("16x3,32x32,16x32,16x32,4x32,1x32,1x4,1x8,5x1", network.units, "cnv_w1a1")
    found = between_units(layer_table(network), folds, 32768)
    assert found[:3] == [
        Between("input", "thresholds", 128, 3072),
        Between("conv0", "window generator", 348, 8167),
        Between("conv1", "window generator", 428, 14238),
    ]
    assert [one.name for one in found[3:]] == ["conv1.pool", "conv2", "conv3", "conv3.pool", "conv4", "conv5"]


def place(height: int, width: int, kernel: int = 1, front: int = 4, channels: int = 8) -> LayerRow:
    weights = channels * front * kernel
    return LayerRow(0, "conv0", "unit", "", channels, height, width, "0,1,2,3", "INT2", weights, 0)


@pytest.mark.parametrize(
    ("size", "kernel", "windows", "kernel_found", "step"),
    [
        ((16, 16), 9, (14, 14), (3, 3), (1, 1)),
        ((16, 16), 9, (16, 16), (3, 3), (1, 1)),  # padded
        ((17, 17), 9, (8, 8), (3, 3), (2, 2)),
        ((32, 32), 9, (16, 16), (3, 3), (2, 2)),  # padded
        ((32, 32), 9, (4, 4), (3, 3), (8, 8)),  # 9 would do, too
        ((16, 20), 15, (14, 16), (3, 5), (1, 1)),
        ((1, 128), 9, (1, 120), (1, 9), (1, 1)),
        ((128, 1), 9, (60, 1), (9, 1), (2, 1)),
        ((14, 14), 1, (7, 7), (1, 1), (2, 2)),
    ],
)
def test_kernels_and_strides(
    size: tuple[int, int], kernel: int, windows: tuple[int, int], kernel_found: tuple[int, int], step: tuple[int, int]
) -> None:
    window = Window(place(*size, channels=4), place(*windows, kernel))
    assert (window.kernel, window.stride, window.needed) == (kernel_found, step, True)


def test_pixels_one_by_one_need_no_windows() -> None:
    assert not Window(place(14, 14, channels=4), place(14, 14)).needed


def test_lines_by_hand() -> None:
    """Two lines of 16 and three pixels, of four channels of two bits."""
    window = Window(place(16, 16, channels=4), place(14, 14, 9))
    assert window.lut(4) == 300 + 4 * 2 * 1  # 35 words in 38
    assert window.lut(2) == 300 + 2 * 2 * 2  # 70 words
    assert window.cycles(2) == 35 * 2 + 14 * (14 * 9 * 2)


def test_they_are_in_plans_and_within_the_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    criticality, model = tiny_criticality(tmp_path), cost_model("finn", monkeypatch)
    free = Planner(criticality, model, FOLDS)
    plan = free.plan(0)
    rows = {cost.name: cost for cost in plan.costs}
    between = between_units(criticality.run.layers, FOLDS, 648)
    assert [one.name for one in between] == ["input", "conv0", "conv0.pool", "conv1"]
    lut = sum(one.price for one in between)
    assert rows[BETWEEN].unprotected == rows[BETWEEN].planned == rows[BETWEEN].full_tmr == lut > 900
    needed = round(lut + rows[model.title].planned)
    enough = Planner(criticality, model, FOLDS, Board("small", "XC0", needed, 99, 10))
    assert enough.plan(0).worst_correct == plan.worst_correct
    short = Planner(criticality, model, FOLDS, Board("small", "XC0", needed - 1, 99, 10))
    with pytest.raises(PlanError, match=rf"on small \(it takes {needed:,} of {needed - 1:,} LUTs"):
        short.plan(0)


def test_a_window_generator_that_is_slower_than_units_is_told(tmp_path: Path) -> None:
    criticality = tiny_criticality(tmp_path)
    wide = {"conv0": Fold(4, 1), "conv1": Fold(3, 4), "fc2": Fold(4, 12)}
    plan = Planner(criticality, FinnModel(live=False), wide, clock=100).plan(0)
    assert any("conv0: window generator of" in note and "frames a second" in note for note in plan.notes)
    slow = Planner(criticality, FinnModel(live=False), FOLDS, clock=100).plan(0)
    assert not any("window generator" in note for note in slow.notes)
    assert replace(plan, notes=()).units == plan.units
