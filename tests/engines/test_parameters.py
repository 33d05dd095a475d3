"""Faults in the memories of tables and of fixed-point scaling: by hand, and the same in every engine."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import get
from fat_fpga.engines.faulty_graph import write_faulty_qonnx
from fat_fpga.engines.reference import execute
from fat_fpga.errors import EngineError, FaultError
from fat_fpga.faults import Fault, check_faults, expand, fault_space, parse_fault
from fat_fpga.faults.block import BIT_EFFECTS
from fat_fpga.faults.fault import single_or_set
from fat_fpga.faults.pattern import Pattern
from fat_fpga.network import Levels, MatrixVectorUnit, Network, load_network
from fat_fpga.network.layers import Requantise, Table
from fat_fpga.network.operators.integer_input import IntegerInput
from tests.designs.random_program import random_program

KINDS = ("entry", "factor", "offset")


def small(table: Table | None = None, requantise: Requantise | None = None) -> Network:
    """A unit of two channels that passes its inputs on, one other layer, and two scores."""
    one = np.eye(2, dtype=np.int32)[:, :, None, None]
    first = MatrixVectorUnit("conv0", one, None, Levels(-8, 1, 16), weight_type="INT2")
    other = table or requantise
    assert other is not None
    last = MatrixVectorUnit("fc1", one, None, None, weight_type="INT2")
    return Network("small", IntegerInput((2, 1, 1), Levels(-8, 1, 16)), (first, other, last))


def scores(network: Network, inputs: list[list[int]], text: str) -> list[list[int]]:
    images = np.array(inputs, np.int32)[:, :, None, None]
    fault = parse_fault(text)
    check_faults(network, [fault])
    for name in ("reference", "torch", "native", "qonnx"):
        shown = get(name).open(network).trace(network.input.taken(images), fault)[network.scores][:, :, 0, 0].tolist()
        expected = execute(network, network.input.taken(images), [fault])[network.scores][:, :, 0, 0].tolist()
        assert shown == expected, name
    return [list(map(int, row)) for row in expected]


def test_an_entry_is_the_value_of_a_run() -> None:
    """Starts -2 and 3: the runs ..-3, -2..2 and 3.. of channel 0 have the values -1, 0 and 1."""
    starts = np.array([[-2, 3], [0, 1]], np.int32)
    values = np.array([[-1, 0, 1], [0, 1, -1]], np.int32)
    network = small(table=Table("conv0.table", starts, values, Levels(-1, 1, 3)))
    inputs = [[-8, -8], [-2, 0], [2, 0], [3, 7]]
    assert scores(network, inputs, "conv0.table/entry[0,1].bit[0] ^ 1") == [[-1, 0], [1, 1], [1, 1], [1, -1]]
    # two bits: 01 becomes 11, which is -1; 00 becomes 10, which is -2, none of the levels
    assert scores(network, inputs, "conv0.table/entry[0,2].bit[1] ^ 1")[-1] == [-1, -1]
    assert scores(network, inputs, "conv0.table/entry[0,1].bit[1] = 1")[1] == [-2, 1]
    both = "conv0.table/entry[0,1].bit[1] = 1 & conv0.table/entry[0,1].bit[0] = 1"
    assert scores(network, inputs, both)[1] == [-1, 1]


def test_factors_and_offsets() -> None:
    """out = clip(factor x + offset, -20, 20) with factors 3 and -2, offsets 1 and 5: INT3 and UINT3."""
    layer = Requantise("conv0.requantise", np.array([3, -2], np.int32), np.array([1, 5], np.int32), 0, -20, 20)
    network = small(requantise=layer)
    inputs = [[2, 1], [7, -3]]
    assert scores(network, inputs, "conv0.requantise/factor[0].bit[1] ^ 1") == [[3, 3], [8, 11]]
    assert scores(network, inputs, "conv0.requantise/factor[1].bit[2] = 0") == [[7, 7], [20, -1]]
    assert scores(network, inputs, "conv0.requantise/offset[1].bit[2] ^ 1") == [[7, -1], [20, 7]]
    for wrong, words in (
        ("conv0.requantise/factor[2].bit[0] ^ 1", "channels 0 to 1"),
        ("conv0.requantise/factor[0].bit[3] ^ 1", "bits 0 to 2"),
        ("conv0/factor[0].bit[0] ^ 1", "conv0 has no factor memory"),
        ("conv0.requantise/entry[0,0].bit[0] ^ 1", "has no entry memory"),
    ):
        with pytest.raises(FaultError, match=words):
            check_faults(network, [parse_fault(wrong)])


def found(seed: int) -> tuple[Network, list[Fault]]:
    """A program that has such memories, and some faults in them."""
    for network in map(random_program, itertools.count(seed)):
        faults = [
            fault
            for kind in KINDS
            for block in fault_space(network, kind).blocks
            for fault in fault_space(network, kind, [block.place], BIT_EFFECTS).sample(3, seed)
        ]
        if faults:
            return network, faults
    raise AssertionError


@given(st.integers(0, 10**6))
def test_engines_give_the_same(seed: int) -> None:
    network, faults = found(seed)
    rng = np.random.default_rng(seed)
    images, labels = network.input.random(rng, 3), np.zeros(3, np.int64)
    chosen = [faults[i] for i in rng.permutation(len(faults))[:6]]
    pattern = parse_fault(f"*/{chosen[0].kind}[*].bit[*] ^ 1 ~ 0.2 @ sample[{seed}]")
    assert isinstance(pattern, Pattern)
    coded = parse_fault(f"*/{chosen[0].kind}[*].bit[*] ^ 1 with secded[8] ~ 0.2 @ sample[{seed}]")
    asked = [*chosen, single_or_set(chosen[:3]), pattern, coded]
    expected = get("reference").open(network).run(images, labels, asked, predictions=True)
    for name in ("torch", "native"):
        run = get(name).open(network).run(images, labels, asked, predictions=True)
        np.testing.assert_array_equal(run.predictions, expected.predictions, f"{name}, {seed}")
    streams = execute(network, images, [chosen[0]])
    for place, stream in get("torch").open(network).trace(images, chosen[0]).items():
        np.testing.assert_array_equal(stream, streams[place], f"{place}, {seed}")
    if expand(network, pattern, 0, 3).faults and seed % 5 == 0:
        try:
            shown = get("qonnx").open(network).run(images, labels, chosen[:1], predictions=True)
        except EngineError as error:
            if "float32" not in str(error):
                raise
            return
        assert shown.predictions is not None
        assert expected.predictions is not None
        np.testing.assert_array_equal(shown.predictions, expected.predictions[:1], f"qonnx, {seed}")


def test_a_written_file_has_the_fault_and_gives_the_network_back(tmp_path: Path) -> None:
    starts, values = np.array([[-2, 3], [0, 1]], np.int32), np.array([[-1, 0, 1], [0, 1, -1]], np.int32)
    network = small(table=Table("conv0.table", starts, values, Levels(-1, 1, 3)))
    fault = parse_fault("conv0.table/entry[0,1].bit[1] ^ 1")
    write_faulty_qonnx(network, fault, tmp_path / "a.onnx")
    read = load_network(tmp_path / "a.onnx")
    assert read.fault == str(fault)
    assert read.fault_free.fingerprint == network.fingerprint


def test_run_files_keep_them(tmp_path: Path) -> None:
    network, faults = found(3)
    rng = np.random.default_rng(3)
    classes = tuple(map(str, range(network.classes)))
    data = Dataset("program", network.input.random(rng, 6), np.zeros(6, np.int64), classes)
    run = run_campaign(network, data, faults, tmp_path / "a.run", "reference")
    again = Run.open(tmp_path / "a.run")
    assert [result.faults[0] for result in again.results] == [parse_fault(result.fault) for result in run.results]
    assert {str(fault) for fault in faults} == {result.fault for result in again.results}
