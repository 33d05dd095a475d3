"""Writing a network to QONNX and reading it back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from fat_fpga.engines.reference import execute, quantise
from fat_fpga.errors import ModelError
from fat_fpga.faults import memory_fingerprint
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network, load_network, write_qonnx
from fat_fpga.network.write import to_qonnx
from tests.designs.random_network import networks, random_images, random_network


@given(networks())
def test_a_written_file_loads_as_the_same_network(network: Network) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        write_qonnx(network, path)
        loaded = load_network(path)
    assert loaded.fingerprint == network.canonical.fingerprint
    assert memory_fingerprint(loaded) == memory_fingerprint(network)
    assert [u.weight_type for u in loaded.units] == [u.weight_type for u in network.units]


@given(networks())
def test_qonnx_executes_a_written_file_to_the_integers_of_every_layer(network: Network) -> None:
    model = ModelWrapper(to_qonnx(network))
    images = random_images(network, 2)
    expected = execute(network, images)
    integers = quantise(network, images)
    for n, image in enumerate(images):
        values = {"global_in": image[None].astype(np.float32)}
        tensors = execute_onnx(model, values, return_full_exec_context=True)
        if "input_thresholds_out" in tensors:
            assert np.array_equal(tensors["input_thresholds_out"][0], integers[n])
        for layer in network.layers[:-1]:
            output = expected[layer.name]
            name = f"{layer.name}_thresholds_out" if isinstance(layer, MatrixVectorUnit) else None
            found = tensors[name or layer.name.replace(".", "_") + "_out"]
            assert np.array_equal(found.reshape(output[n].shape), output[n]), layer.name
        assert np.array_equal(tensors["global_out"][0], expected[network.units[-1].name][n, :, 0, 0])


def test_canonical_thresholds_keep_the_function() -> None:
    for seed in range(20):
        network = random_network(seed)
        images = random_images(network, 10)
        after = execute(network.canonical, images)
        for name, before in execute(network, images).items():
            assert np.array_equal(before, after[name])


def _one_layer(table: list[int]) -> Network:
    weights = np.ones((2, 1, 1, 1), np.int32)
    quantiser = InputQuantiser((1, 1, 1), np.array([table], np.int32))
    return Network("tiny", quantiser, (MatrixVectorUnit("fc0", weights, None, None),))


def test_a_table_that_goes_up_and_down_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="tiny: an input table that neither ascends nor descends"):
        write_qonnx(_one_layer([*range(255), 7]), tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_an_unwritable_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        write_qonnx(_one_layer(list(range(256))), tmp_path / "missing" / "network.onnx")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_qonnx(_one_layer(list(range(256))), tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_thresholds_out_of_reach_are_written_exactly(tmp_path: Path) -> None:
    weights = np.ones((1, 1, 1, 1), np.int32)
    huge = np.array([[-(2**31), 7, 2**31 - 1]], np.int32)
    units = (
        MatrixVectorUnit("fc0", weights, huge, Levels(0, 1, 4)),
        MatrixVectorUnit("fc1", np.ones((2, 1, 1, 1), np.int32), None, None),
    )
    network = Network("tiny", _one_layer(list(range(256))).input, units)
    write_qonnx(network, tmp_path / "network.onnx")
    loaded = load_network(tmp_path / "network.onnx")
    assert loaded.units[0].thresholds is not None
    assert loaded.units[0].thresholds.tolist() == huge.tolist()
    assert loaded.fingerprint == network.canonical.fingerprint
