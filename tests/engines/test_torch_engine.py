"""The torch engine: exact by every path, and clear where it cannot run."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch

from fat_fpga.engines import get
from fat_fpga.engines import torch_layers as layers
from fat_fpga.engines.reference import ReferenceEngine, execute
from fat_fpga.engines.torch_engine import TorchEngine
from fat_fpga.engines.torch_walk import Walk
from fat_fpga.errors import EngineError
from fat_fpga.faults import MODELS, changed_unit, changes_of, fault_space, parse_fault
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network
from tests.designs.random_faults import random_faults
from tests.designs.random_network import random_images, random_network

CPU = torch.device("cpu")


def wide_network(weight: int) -> Network:
    """Two layers of one channel, whose accumulators reach 255 times twice the weight, and are odd."""
    weights = np.array([[weight], [weight + 1]], np.int32).reshape(1, 2, 1, 1)
    first = MatrixVectorUnit(
        "fc0", weights, np.array([[255 * weight]], np.int32), Levels(-1, 2, 2), weight_type="INT32"
    )
    last = MatrixVectorUnit("fc1", np.array([[[[-1]]], [[[1]]]], np.int32), None, None, weight_type="BIPOLAR")
    return Network("wide", InputQuantiser((2, 1, 1), np.stack([np.arange(256, dtype=np.int32)] * 2)), (first, last))


@pytest.mark.parametrize(("weight", "wanted"), [(2**14, torch.float32), (2**16, torch.float64), (2**21, torch.float64)])
def test_sums_beyond_float32_are_made_in_float64(weight: int, wanted: torch.dtype) -> None:
    network = wide_network(weight)
    assert Walk(network, (), CPU)._units["fc0"].type == wanted
    images = np.array([[255, 0], [254, 1], [0, 255], [1, 254], [255, 255]], np.uint8).reshape(5, 2, 1, 1)
    for fault in [None, parse_fault("fc0/weight[0,1,0,0].bit[3] ^ 1"), parse_fault("fc0/accumulator[0].bit[0] = 1")]:
        found = TorchEngine().open(network).trace(images, fault)
        expected = execute(network, images, [fault] if fault else [])
        for place, stream in expected.items():
            np.testing.assert_array_equal(found[place], stream)


def test_a_fault_that_widens_the_sums_gets_float64_for_its_own_rows() -> None:
    """A flipped bit of the input leaves its levels; a flipped weight is larger than the others."""
    network = wide_network(2**14)
    flip = parse_fault("fc0/weight[0,0,0,0].bit[16] ^ 1")
    (change,) = changes_of(network, [flip])
    changed = changed_unit(network.units[0], [change])
    assert layers.TorchUnit(changed, (0, 255), CPU).type == torch.float64
    assert layers.TorchUnit(network.units[0], (0, 255), CPU).type == torch.float32
    assert layers.TorchUnit(network.units[0], (-513, 255), CPU).type == torch.float64


@pytest.mark.parametrize("rows", [1, 7, 100000])
def test_batches_of_any_size_give_the_same(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_UNFOLDED", {"cpu": 1000 if rows == 7 else 2**23})
    for seed in range(6):
        network = random_network(seed)
        images = random_images(network, 5, seed)
        labels = np.zeros(5, np.int64)
        faults = [fault for kind in (*MODELS, "set") for fault in random_faults(network, kind, 3, seed, 5)]
        expected = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
        got = TorchEngine(rows=rows).open(network).run(images, labels, faults, predictions=True)
        np.testing.assert_array_equal(got.golden, expected.golden)
        np.testing.assert_array_equal(got.predictions, expected.predictions)
        np.testing.assert_array_equal(got.correct, expected.correct)
        np.testing.assert_array_equal(got.changed, expected.changed)


def test_a_transient_meets_its_frame_in_a_later_block() -> None:
    network = random_network(1)
    images = random_images(network, 140)
    place = network.units[0].name
    faults = [parse_fault(f"{place}/activation[0,0,0].bit[0] ^ 1 @ frame[{frame}]") for frame in (0, 127, 128, 139)]
    for fault in faults:
        expected = execute(network, images, [fault])
        for name, stream in TorchEngine().open(network).trace(images, fault).items():
            np.testing.assert_array_equal(stream, expected[name])
    done: list[int] = []
    labels = np.zeros(140, np.int64)
    got = TorchEngine().open(network).run(images, labels, faults, predictions=True, progress=done.append)
    expected_run = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
    np.testing.assert_array_equal(got.predictions, expected_run.predictions)
    assert done == [128, 140]


def test_rows_leave_where_they_equal_the_fault_free_ones() -> None:
    network = random_network(5)
    images = random_images(network, 8)
    walk = Walk(network, (), CPU)
    with layers.exact_products():
        streams = walk.streams(images)
        changes = [changes_of(network, [fault]) for fault in fault_space(network).sample(20)]
        for place, rows in walk.faulty(streams, changes, 0):
            for fault, image, values in zip(rows.fault, rows.image, rows.values, strict=True):
                assert not torch.equal(values, streams[place][image]), (place, int(fault))
        assert 0 < len(rows.values) < 20 * 8


def test_the_precision_of_products_is_left_as_it_was() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with layers.exact_products():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_devices_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="finds no CUDA device"):
        get("torch:cuda")
    with pytest.raises(EngineError, match="cpu or cuda, not on 'tpu'"):
        get("torch:tpu")
    with pytest.raises(EngineError, match="the native engine takes no option, got 'cuda': write native"):
        get("native:cuda")
    assert isinstance(get("torch"), TorchEngine)
    assert isinstance(get("torch:cpu"), TorchEngine)


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("fat_fpga.engines.torch_")]:
        monkeypatch.delitem(sys.modules, name)
    missing: Any = None
    monkeypatch.setitem(sys.modules, "torch", missing)
    with pytest.raises(EngineError, match=r"\.\[train\]"):
        get("torch")
