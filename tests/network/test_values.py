"""Inputs that are no pixels: every integer behind the input, and every class, is that of qonnx's own execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from fat_fpga.crosscheck import crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.sample import KINDS
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.errors import DataError, ModelError, ModelWarning
from fat_fpga.network import (
    FeatureQuantiser,
    IntegerInput,
    Levels,
    MatrixVectorUnit,
    Network,
    load_network,
    write_qonnx,
)
from fat_fpga.network.layers import Input
from fat_fpga.network.network_file import read_network, write_network
from tests.designs.float_graph import chooser
from tests.designs.float_inputs import random_input_graph


@pytest.mark.parametrize("seed", range(8))
def test_every_engine_and_the_file_agree(seed: int, tmp_path: Path) -> None:
    """On rows as a user has them, on rows at the steps of the quantiser, fault-free and under faults; and the network
    is the same after writing and reading it, in both forms."""
    rng = np.random.default_rng(seed)
    graph = random_input_graph(chooser(rng), rng)
    onnx.save(graph.model, path := tmp_path / "values.onnx")
    network = load_network(path, pixels=graph.pixels)
    rows = np.concatenate([network.input.taken(graph.rows), random_images(network, 4, seed)])
    judge = FileEngine(path, graph.pixels)
    session = judge.open(network)
    expected = session.trace(rows)
    for name in ("reference", "native", "qonnx"):
        found = get(name).open(network).trace(rows)
        assert all(np.array_equal(found[place], expected[place]) for place in found.keys() & expected.keys()), name
    faults = sample_faults(network, KINDS, 10, 3, seed)
    engines = {name: get(name) for name in ("reference", "native", "qonnx")} | {"file": judge}
    assert crosscheck(network, rows[:3], faults, engines).equal
    write_qonnx(network, tmp_path / "written.onnx")
    write_network(network, tmp_path / "written.npz")
    for again in (load_network(tmp_path / "written.onnx"), read_network(tmp_path / "written.npz")):
        assert again.fingerprint == network.fingerprint
        assert np.array_equal(again.input.integers(rows), network.input.integers(rows))
    assert np.array_equal(read_network(tmp_path / "written.npz").input.taken(graph.rows), rows[: len(graph.rows)])


REAL = FeatureQuantiser((4, 1, 1), np.zeros((4, 1), np.float32), np.ones(4, np.int32), Levels(0, 1, 2))
WHOLE = IntegerInput((2, 1, 3), Levels(-8, 1, 16, "INT4"), order=np.arange(6, dtype=np.int32).reshape(2, 3))


@pytest.mark.parametrize(
    ("source", "rows", "words"),
    [
        (REAL, np.zeros((3, 5)), r"takes finite real values [N, 4], got float64 [3, 5]"),
        (REAL, np.zeros(4), r"takes finite real values [N, 4], got float64 [4]"),
        (REAL, np.array([["a"] * 4]), "got <U1, which is no type of numbers"),
        (REAL, [[0, 0, 0, 0], [0, 0, np.nan, 0]], "row 1, position [2] is nan, beyond float32 or no number"),
        (REAL, [[0, np.inf, 0, -np.inf]], "row 0, position [1] is inf (2 such values), beyond float32"),
        (REAL, [[0, 0, 0, 1e300]], "row 0, position [3] is 1e+300, beyond float32"),
        (WHOLE, np.zeros((2, 3, 2), int), "takes integers INT4 [N, 2, 3], got int64 [2, 3, 2]"),
        (WHOLE, np.full((2, 2, 3), 8), "row 0, position [0, 0] is 8 (12 such values); INT4 is one of {-8..7}"),
        (WHOLE, np.full((1, 2, 3), 0.5), "row 0, position [0, 0] is 0.5 (6 such values); INT4 is one of {-8..7}"),
        (WHOLE, np.full((1, 2, 3), np.nan), "row 0, position [0, 0] is nan (6 such values)"),
    ],
)
def test_rows_that_do_not_fit_are_told_with_their_place(source: Input, rows: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        source.taken(np.asarray(rows))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_of_any_type_are_taken_where_their_values_fit() -> None:
    for dtype in (np.int8, np.int64, np.float32, np.float64):
        found = WHOLE.taken(np.arange(-3, 3, dtype=dtype).reshape(1, 2, 3))
        assert found.dtype == np.int32
        assert found.shape == (1, 2, 1, 3)
        assert found.ravel().tolist() == [-3, -2, -1, 0, 1, 2]


def test_more_than_256_integers_are_handed_to_another_engine() -> None:
    rng = np.random.default_rng(0)
    unit = MatrixVectorUnit("fc0", rng.integers(-3, 4, (3, 5, 1, 1)).astype(np.int32), None, None)
    network = Network("wide", IntegerInput((5, 1, 1), Levels(-(2**15), 1, 2**16, "INT16")), (unit,))
    rows, labels = rng.integers(-(2**15), 2**15, (20, 5)), np.zeros(20, np.int64)
    with pytest.warns(ModelWarning, match="the native engine takes inputs of at most 256 different integers"):
        session = get("native").open(network)
    expected = (rows @ unit.weights[:, :, 0, 0].T).argmax(axis=1)
    assert np.array_equal(session.run(rows, labels, []).golden, expected)


def test_a_network_of_xilinx_with_thresholds_on_each_feature(tmp_path: Path) -> None:
    """Its input MultiThreshold gets a row for each of the 784 pixels, so that each pixel has a table of its own."""
    path = Path("../shared/data/models/finn_tfc_w1a1.onnx")
    if not path.exists():
        pytest.skip("the file of another repository is not here")
    model = onnx.load(path)
    node = next(node for node in model.graph.node if node.op_type == "MultiThreshold")
    (tensor,) = (tensor for tensor in model.graph.initializer if tensor.name == node.input[1])
    rows = np.random.default_rng(0).normal(0, 0.4, (784, 1)).astype(np.float32)
    tensor.CopyFrom(onnx.numpy_helper.from_array(rows, tensor.name))
    for listed in (model.graph.value_info, model.graph.input):
        for value in [value for value in listed if value.name == tensor.name]:
            listed.remove(value)
    onnx.save(model, own := tmp_path / "own.onnx")
    network = load_network(own)
    images = random_images(network, 10)
    labels = np.zeros(10, np.int64)
    golden = FileEngine(own).open(network).run(images, labels, []).golden
    for name in ("reference", "native", "torch", "qonnx"):
        assert np.array_equal(get(name).open(network).run(images, labels, []).golden, golden)


def test_a_network_of_mlperf_on_real_features() -> None:
    """Keyword spotting, 10 x 49 coefficients: every class is that of the file, also at the quantiser's steps."""
    path = Path("../shared/data/models/mlperf_kws_mlp_w3a3.onnx")
    if not path.exists():
        pytest.skip("the file of another repository is not here")
    with pytest.raises(ModelError, match=r"pixels divided by 255 reach only 4 of the 255 levels.*or none"):
        load_network(path)
    network = load_network(path, pixels="none")
    rows = np.concatenate([random_images(network, 10), np.random.default_rng(0).normal(0, 50, (10, 1, 10, 49))])
    session, labels = FileEngine(path, "none").open(network), np.zeros(20, np.int64)
    golden = session.run(rows, labels, []).golden
    assert len(np.unique(golden)) > 3
    assert np.array_equal(get("native").open(network).run(rows, labels, []).golden, golden)
    assert np.array_equal(session.trace(rows)["input"], network.input.integers(network.input.taken(rows)))
