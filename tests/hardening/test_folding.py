"""Foldings: PEs and SIMD lanes from every form, and which of them can be built."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.errors import FaultError, PlanError
from fat_fpga.finn.folding import lanes_of
from fat_fpga.hardening.design import units_of
from fat_fpga.hardening.folding import legal_folding, ways
from fat_fpga.network import Network, load_network
from fat_fpga.network.folding import Fold, divisors, read_folding, read_folds
from tests.campaign.tiny import tiny_network

NETWORK = tiny_network()
DESIGN = units_of(layer_table(NETWORK))


def renamed(network: Network) -> Network:
    """The same with other names of layers, as programs may give them."""
    layers: tuple[Any, ...] = network.layers
    return replace(network, layers=tuple(replace(layer, name=f"own_{layer.name}") for layer in layers))


def test_forms(tmp_path: Path) -> None:
    expected = {"conv0": Fold(2, 1), "conv1": Fold(3, 4), "fc2": Fold(4, 6)}
    assert read_folds("2x1, 3x4, 4x6", DESIGN, "tiny") == expected
    assert read_folds("2,3x4,4", DESIGN, "tiny") == {"conv0": (2, None), "conv1": (3, 4), "fc2": (4, None)}
    own = {name: {"PE": fold.pe, "SIMD": fold.simd} for name, fold in expected.items()}
    finn = {"Defaults": {}, **{f"MVAU_hls_{i}": entry for i, entry in enumerate(own.values())}}
    for content in (own, finn):
        (tmp_path / "folding.json").write_text(json.dumps(content))
        assert read_folds(str(tmp_path / "folding.json"), DESIGN, "tiny") == expected
        assert read_folding(str(tmp_path / "folding.json"), NETWORK) == {"conv0": 2, "conv1": 3, "fc2": 4}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2x1,3x4x5,4", "cannot read '3x4x5'"),
        ("2x0,3,4", "at least one SIMD lane"),
        ("2x1,4,4", "conv1 cannot have 4 PEs, it has 3 channels"),
        ("nowhere.json", "expected bnn-pynq, a list as 16,32,16 or 16x3"),
    ],
)
def test_unreadable(text: str, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        read_folds(text, DESIGN, "tiny")


def test_legal() -> None:
    folds, notes = legal_folding(DESIGN, read_folds("2x1,3,3x6", DESIGN, "tiny"))
    assert folds == {"conv0": Fold(2, 1), "conv1": Fold(3, 1), "fc2": Fold(4, 6)}
    assert notes == [
        "conv1: the folding tells no SIMD lanes, 1 taken",
        "fc2: 3 PEs do not divide its 4 channels, 4 taken",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3x1,3x1,4x1", "conv0 has 3 PEs, which do not divide its output channels, 4; nearest: 2 or 4"),
        ("2x3,3x1,4x1", "conv0 has 3 SIMD lanes, which do not divide its inputs, 1; nearest: 1"),
        ("2x1,3x16,4x1", "conv1 has 16 SIMD lanes, which do not divide its inputs, 4; nearest: 4"),
    ],
)
def test_illegal(text: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        legal_folding(DESIGN, read_folds(text, DESIGN, "tiny"))


def test_ways() -> None:
    assert divisors(12) == [1, 2, 3, 4, 6, 12]
    assert [way.pe for way in ways(DESIGN[0], 1, 0)] == [1, 2, 4]
    assert [way.pe for way in ways(DESIGN[0], 1, 4)] == [3, 4, 6, 12]  # copies need three PEs
    assert [way.pe for way in ways(DESIGN[1], 1, 1)] == [5]


@pytest.mark.parametrize("network", [NETWORK, renamed(NETWORK), load_network("cnv_w1a1"), load_network("tfc_w2a2")])
def test_plans_and_builds_agree_on_what_lanes_divide(network: Network) -> None:
    """Also with other names, and where a kernel covers its whole input as in CNV's last convolution."""
    positions = {unit.name: network.position(unit.name) for unit in network.units}
    for unit in units_of(layer_table(network)):
        assert unit.lanes == lanes_of(network, positions[unit.name])
