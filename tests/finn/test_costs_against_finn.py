"""The planner's formulas are FINN's: node by node equal, and whole networks near."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fat_fpga.boards import board
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.finn.estimates import estimate
from fat_fpga.finn.folding import read_build_folding
from fat_fpga.finn.placing import LABELS
from fat_fpga.hardening.costs.around import between_units
from fat_fpga.hardening.costs.finn import FROM_FINN, FROM_TABLE, FinnModel, arithmetic_of, ask_finn
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.costs.mvau import formula, on_dsps
from fat_fpga.hardening.design import UnitShape, units_of
from fat_fpga.network import load_network
from fat_fpga.network.folding import Fold, divisors
from tests.finn.cost_networks import DESIGNS, Design, network_of
from tests.finn.costs_against_finn import compared, random_foldings

ZCU104, PYNQ = board("ZCU104"), board("Pynq-Z1")
WEIGHTS = ("BIPOLAR", "TERNARY", *(f"INT{bits}" for bits in range(2, 9)))
ACTIVATIONS = ("BIPOLAR", "BINARY", "TERNARY", *(f"{kind}{bits}" for kind in ("INT", "UINT") for bits in range(2, 9)))


@pytest.mark.parametrize("seed", range(4))
def test_any_unit_costs_what_finn_says(seed: int) -> None:
    """Any sizes, datatypes and foldings, in LUTs and in DSPs; half of the sizes small, where rounding shows."""
    rng = np.random.default_rng(seed)
    for _ in range(600):
        small = rng.random() < 0.5
        inputs, rows = int(rng.integers(1, 65 if small else 6000)), int(rng.integers(1, 65 if small else 1500))
        unit = UnitShape(
            "fc0", rows, inputs, inputs, 1, str(rng.choice(WEIGHTS)), str(rng.choice(ACTIVATIONS)),
            str(rng.choice(["", *ACTIVATIONS])), int(rng.choice([0, 5, 9, 14, 23])),
        )  # fmt: skip
        what, pe, simd = arithmetic_of(unit), int(rng.choice(divisors(rows))), int(rng.choice(divisors(inputs)))
        assert formula(what, rows, pe, simd) == ask_finn(what, rows, pe, simd)
        assert on_dsps(what, rows, pe, simd) == ask_finn(what, rows, pe, simd, dsps=True)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_whole_networks(design: Design) -> None:
    """LUTs from the run alone are never below FINN's by more than padding can make, and less than 10 % above."""
    network = network_of(design)
    own = compared(network, design.folding, ZCU104)
    assert -0.2 < own.error < 2
    assert own.finn[1:] == own.ours[1:]
    for folding in random_foldings(network, 2, seed=5):
        from_run, with_model = (compared(network, folding, ZCU104, values) for values in (False, True))
        assert -0.2 < from_run.error < 10
        assert abs(with_model.error) < 0.2
        assert from_run.finn[1:] == from_run.ours[1:] == with_model.ours[1:]


@pytest.mark.parametrize("design", [d for d in DESIGNS if "padded" not in d.name], ids=lambda design: design.name)
def test_what_stands_between_units(design: Design) -> None:
    """Window generators and input thresholds, one by one: LUTs and cycles."""
    network = network_of(design)
    folding = read_build_folding(design.folding, network)
    finn = estimate(network, folding, ZCU104)
    units = [layer for layer in finn.layers if layer.node.startswith("MVAU")]
    kinds = ("ConvolutionInputGenerator", "Thresholding")
    theirs = [(layer.place, layer.lut, layer.cycles) for layer in finn.layers if layer.node.startswith(kinds)]
    folds = {name: Fold(fold.pe, fold.simd) for name, fold in folding.folds.items()}
    ours = between_units(layer_table(network), folds, max(layer.cycles for layer in units))
    assert [(one.name, one.price, one.cycles) for one in ours] == theirs
    rest = [layer for layer in finn.layers if layer not in units and not layer.node.startswith(kinds)]
    assert {layer.lut for layer in rest} <= {0}
    assert rest[-1].place == LABELS


@pytest.mark.parametrize("name", ["gtsrb_w4a4", "w8a8_small"])
def test_last_layers_in_dsps_of_zynq_7000(name: str) -> None:
    """There it depends on weights: with the model they are as FINN has them, without it LUTs are counted."""
    design = next(d for d in DESIGNS if d.name == name)
    network = network_of(design)
    assert compared(network, design.folding, PYNQ, values=True).error == pytest.approx(0, abs=0.01)
    from_run = compared(network, design.folding, PYNQ)
    assert from_run.finn[2] > from_run.ours[2] == 0
    assert from_run.ours[0] > from_run.finn[0]
    last = network.units[-1]
    weights = last.weights.copy()
    weights.flat[0] = -(2 ** (int(last.weight_type.removeprefix("INT")) - 1))
    wide = replace(network, layers=(*network.layers[:-1], replace(last, weights=weights)))
    known = compared(wide, design.folding, PYNQ, values=True)
    assert known.finn[2] == known.ours[2] == 0
    assert known.error == pytest.approx(0, abs=0.01)


def test_finn_is_asked_for_what_the_table_lacks() -> None:
    unit = next(u for u in units_of(layer_table(load_network("cnv_w1a1"))) if u.name == "conv1")
    model = FinnModel()
    sources = model.sources([Built(unit, 0, 32, 32), Built(unit, 0, 32, 64)])
    assert [source.partition(";")[0] for source in sources] == [FROM_TABLE, FROM_FINN]
    assert model.estimate(Built(unit, 0, 32, 64)) == FinnModel(live=False).estimate(Built(unit, 0, 32, 64))
