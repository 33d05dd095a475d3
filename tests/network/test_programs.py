"""Random networks with operators of every kind: the same in all engines, and read again as they were written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.errors import ModelWarning, PlanError
from fat_fpga.faults import memory_fingerprint, places
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.network import Network, load_network, write_qonnx
from fat_fpga.network.layers import Requantise, Table
from fat_fpga.network.network_file import read_network, write_network
from fat_fpga.network.program import inserted
from tests.designs.random_network import random_images, random_network
from tests.designs.random_program import programs, random_program


@settings(max_examples=15)
@given(programs())
def test_what_is_written_is_read_again(network: Network) -> None:
    with TemporaryDirectory() as folder:
        write_qonnx(network, path := Path(folder) / "network.onnx")
        loaded = load_network(path)
        write_network(network, path.with_suffix(".npz"))
        stored = read_network(path.with_suffix(".npz"))
    for other in (loaded, stored):
        assert [layer.name for layer in other.layers] == [layer.name for layer in network.layers]
        assert other.fingerprint == network.fingerprint
        assert memory_fingerprint(other) == memory_fingerprint(network)


@settings(max_examples=12)
@given(programs(), st.integers(0, 2**32 - 1))
def test_the_torch_engine_agrees_under_faults(network: Network, seed: int) -> None:
    images, labels = random_images(network, 3), np.zeros(3, np.int64)
    faults = sample_faults(network, KINDS, 20, 3, seed)
    ours, theirs = (
        get(name).open(network).run(images, labels, faults, predictions=True) for name in ("reference", "torch")
    )
    assert np.array_equal(ours.golden, theirs.golden)
    assert ours.predictions is not None
    assert theirs.predictions is not None
    assert np.array_equal(ours.predictions, theirs.predictions)
    check = crosscheck(network, images, faults[:1], {name: get(name) for name in ("reference", "torch")})
    assert check.equal, crosscheck_text(check)


@pytest.mark.parametrize("seed", [0, 1, 6])  # the last one has an upsampling and parts of a stream
def test_the_qonnx_engine_agrees_under_faults(seed: int) -> None:
    network = random_program(seed)
    engines = {"reference": get("reference"), "qonnx": get("qonnx")}
    check = crosscheck(network, random_images(network, 2), sample_faults(network, KINDS, 4, 2, seed), engines)
    assert check.equal, crosscheck_text(check)


@settings(max_examples=15)
@given(programs())
def test_no_stream_leaves_its_levels(network: Network) -> None:
    streams = execute(network, random_images(network, 4))
    for name, levels in network.levels_of.items():
        steps = streams[name].astype(np.int64) - levels.base
        assert steps.min() >= 0, name
        assert steps.max() <= levels.max - levels.base, name
        assert not np.any(steps % levels.step), name


def test_tables_and_fixed_point_are_places_of_faults() -> None:
    network = next(n for n in map(random_program, range(50)) if {Table, Requantise} <= {type(x) for x in n.layers})
    known = places(network)
    for layer in network.layers:
        assert known[layer.name].type == layer.row_type


def test_rooms_that_hold_less_refuse_by_name() -> None:
    network = random_network(0)
    first = network.units[0]
    assert first.levels is not None
    values = np.full((first.channels, 2), first.levels.min, np.int32)
    table = Table(f"{first.name}.table", np.zeros((first.channels, 1), np.int32), values, first.levels)
    network = replace(network, layers=inserted(network.layers, replace(table, inputs=(first.name,))))
    with pytest.warns(ModelWarning, match=r"table: the native engine has no Table yet: the torch engine executes it"):
        get("native").open(network)
    with pytest.raises(PlanError, match=r"table: .* has no Table yet"):
        rearranged(network, first.name, range(first.channels))
