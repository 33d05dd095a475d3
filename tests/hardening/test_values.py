"""What weights tell of a unit beyond its datatypes."""

from __future__ import annotations

import numpy as np
import pytest

from fat_fpga.boards import Board
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.finn import arithmetic_of, takes_dsps
from fat_fpga.hardening.costs.mvau import accumulator_bits
from fat_fpga.hardening.design import units_of
from fat_fpga.hardening.planner import Planner
from fat_fpga.hardening.values import check_model, with_values
from fat_fpga.network import InputQuantiser, MatrixVectorUnit, Network
from tests.campaign.tiny import tiny_network
from tests.hardening.small import FOLDS, cost_model, tiny_criticality


def scores(weights: list[list[int]], weight_type: str) -> Network:
    """One unit behind raw pixels of the image 1 x 1 x inputs."""
    matrix = np.array(weights, np.int32)
    unit = MatrixVectorUnit("fc0", matrix[:, None, None, :], None, None, weight_type=weight_type)
    table = np.arange(256, dtype=np.int32)[None]
    return Network("scores", InputQuantiser((1, 1, matrix.shape[1]), table), (unit,))


@pytest.mark.parametrize(
    ("weights", "bits"),
    [
        ([[1, 1], [0, 1]], 9),  # 0..510
        ([[1, 0], [-1, 0]], 9),  # -255..255
        ([[7, 1], [0, -7]], 12),  # -1785..2040
        ([[1, 0], [-3, -6]], 13),  # -2295..255
    ],
)
def test_accumulators(weights: list[list[int]], bits: int) -> None:
    network = scores(weights, "INT4")
    (unit,) = with_values(units_of(layer_table(network)), network)
    assert unit.accumulator_bits == bits
    assert accumulator_bits(arithmetic_of(unit)) == bits
    (unknown,) = units_of(layer_table(network))
    assert accumulator_bits(arithmetic_of(unknown)) == 14  # 2 x 2^11, and a sign


def test_narrow_weights_take_dsps_on_zynq_7000() -> None:
    from fat_fpga.boards import BOARDS

    for least, dsps in ((-7, True), (-8, False)):
        network = scores([[least, 3]], "INT4")
        (unit,) = with_values(units_of(layer_table(network)), network)
        assert unit.narrow == dsps
        assert takes_dsps(unit, BOARDS[0]) == dsps
        assert takes_dsps(unit, BOARDS[2])
        assert not takes_dsps(unit, None)


def test_another_model_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    criticality = tiny_criticality(tmp_path)
    check_model(criticality.run, tiny_network())
    with pytest.raises(PlanError, match="give the model of the campaign"):
        check_model(criticality.run, tiny_network(seed=1))


def test_a_part_that_is_too_small_at_a_rate_tells_the_highest_one(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Against every number of cycles in turn."""
    criticality, model = tiny_criticality(tmp_path), cost_model("finn", monkeypatch)
    free = Planner(criticality, model, FOLDS, clock=100, cycles=324)
    slow = free.builder.within(5000, keep=False).cheapest({})
    assert slow is not None
    between = sum(one.price for one in free.between)
    part = Board("small", "XC0", round(between + free.builder.price(slow)) + 10, 99, 10)
    tight = Planner(criticality, model, FOLDS, part, clock=100, cycles=324)
    fits = [c for c in range(1, 5000) if tight.builder.within(c, keep=False).cheapest({}) is not None]
    with pytest.raises(PlanError, match=rf"not even the network without copies.*it fits at --fps {10**8 // fits[0]}$"):
        tight.plan(0)
    assert Planner(criticality, model, FOLDS, part, clock=100, cycles=fits[0]).plan(0).part == "XC0"
