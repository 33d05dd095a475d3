"""Bad input is refused before FINN is even imported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fat_fpga.errors import FaultError, FinnError
from fat_fpga.finn.folding import Fold, plan_folding, read_build_folding
from fat_fpga.finn.graph import check_mappable
from fat_fpga.hardening import Plan, UnitPlan, harden
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.hardening.unit_plan import identity_plan
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, MaxPool, Network, load_network
from tests.designs.random_network import random_network

CNV = "16x3,32x32,16x32,16x32,4x32,1x32,1x4,1x8,5x1"


@pytest.mark.parametrize(
    ("folding", "message"),
    [
        (CNV.replace("32x32", "24x32"), "conv1 has 64 channels, which PE 24 does not divide: possible are 1, 2, 4, 8"),
        (CNV.replace("16x3,", "16x9,"), "conv0 has 3 inputs, which SIMD 9 does not divide: possible are 1, 3"),
        (CNV.replace("5x1", "4x1"), "fc8 has 10 channels, which PE 4 does not divide: possible are 1, 2, 5, 10"),
        ("16,32,16,16,4,1,1,1,5", "conv0 has no SIMD lanes"),
        ("bnn-pynq", "fc8 has 10 channels, which PE 4 does not divide"),
    ],
)
def test_a_folding_that_does_not_divide(folding: str, message: str) -> None:
    with pytest.raises(FinnError, match=message):
        read_build_folding(folding, load_network("cnv_w1a1"))


def test_a_folding_of_another_network(tmp_path: Path) -> None:
    with pytest.raises(FinnError, match="stock: it is for CNV, and tfc_w2a2 has other layers"):
        read_build_folding("stock", load_network("tfc_w2a2"))
    with pytest.raises(FaultError, match="it has 2 PE counts, tfc_w2a2 has 4 units"):
        read_build_folding("1x1,1x1", load_network("tfc_w2a2"))
    path = tmp_path / "f.json"
    entries = {f"fc{i}": {"PE": 2, "SIMD": 2} for i in range(4)}
    path.write_text(json.dumps({**entries, "fc1": {"PE": 2, "SIMD": 2, "ram_style": "tape"}}))
    with pytest.raises(FinnError, match="fc1 has the memory 'tape', expected one of auto, block, distributed"):
        read_build_folding(str(path), load_network("tfc_w2a2"))
    path.write_text(json.dumps({**entries, "labels": {"PE": 3}}))
    with pytest.raises(FinnError, match="labels has 10 channels, which PE 3 does not divide"):
        read_build_folding(str(path), load_network("tfc_w2a2"))


def test_copies_on_one_pe() -> None:
    network = load_network("tfc_w2a2")
    rows = [0, 0, 0, *range(1, 64)]
    network = rearranged(network, "fc0", rows)
    read_build_folding("3x1,1x1,1x1,1x1", network)
    with pytest.raises(FinnError, match="fc0 computes two copies of channel 0 on the same of its 2 PEs"):
        read_build_folding("2x1,1x1,1x1,1x1", network)


def test_the_folding_of_a_plan_is_for_the_network_with_its_copies() -> None:
    network = load_network("tfc_w2a2")
    rows, order = (0, 0, 0, *range(1, 64)), tuple(range(64))
    units = [UnitPlan("fc0", 64, 22, 49, rows, order), identity_plan("fc1", 64, 4, 16)]
    units += [identity_plan("fc2", 64, 16, 4), identity_plan("fc3", 10, 2, 16)]
    plan = Plan(network.name, network.fingerprint, "none", "0", 1, 1, "channel", "a test", 0, tuple(units), ())
    folds = plan_folding(plan, harden(network, plan)).folds
    assert folds == {"fc0": Fold(22, 49), "fc1": Fold(4, 16), "fc2": Fold(16, 4), "fc3": Fold(2, 16)}
    with pytest.raises(FinnError, match="folding plan: fc0 has 64 channels, which PE 22 does not divide"):
        plan_folding(plan, network)


def test_stock_foldings_fit_and_are_by_weight_type() -> None:
    for name, pes in (("cnv_w1a1", 16), ("cnv_w2a2", 8)):
        assert read_build_folding("stock", load_network(name)).folds["conv0"].pe == pes


def unit(name: str, levels: Levels | None, channels: int = 2, kind: str = "INT2") -> MatrixVectorUnit:
    import numpy as np

    weights = np.ones((channels, 2, 1, 1), np.int32)
    thresholds = None if levels is None else np.zeros((channels, levels.count - 1), np.int32)
    return MatrixVectorUnit(name, weights, thresholds, levels, weight_type=kind)


def test_layers_that_finn_cannot_map() -> None:
    import numpy as np

    table = np.stack([np.arange(256)] * 2).astype(np.int32)
    quantiser = InputQuantiser((2, 1, 1), table)
    steps_of_two = Network("n", quantiser, (unit("fc0", Levels(-3, 2, 4)), unit("fc1", None)))
    with pytest.raises(
        FinnError, match=r"fc0: FINN's thresholds step by one, its activation levels are \{-3, -1, \+1, \+3\}"
    ):
        check_mappable(steps_of_two)
    bipolar = Network("n", quantiser, (unit("fc0", Levels(-1, 2, 2)), unit("fc1", None)))
    check_mappable(bipolar)
    with pytest.raises(FinnError, match="fc0: FINN has no thresholds of their own"):
        check_mappable(bipolar, standalone_thresholds=True)
    coarse = InputQuantiser((2, 1, 1), np.where(table >= 128, 3, 0).astype(np.int32))
    with pytest.raises(FinnError, match="input: FINN's thresholds step by one"):
        check_mappable(Network("n", coarse, (unit("fc0", Levels(0, 1, 2)), unit("fc1", None))))


def test_pools_that_overlap() -> None:
    seen = 0
    for seed in range(60):
        network = random_network(seed)
        pools = [layer for layer in network.layers if isinstance(layer, MaxPool) and layer.kernel != layer.stride]
        if pools:
            seen += 1
            with pytest.raises(FinnError):
                check_mappable(network)
    assert seen
