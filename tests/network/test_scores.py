"""Class scores with a bias, a scale or a function of their own: ranks, which compare as the file's floats do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.crosscheck import KINDS, crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.errors import ModelError
from fat_fpga.network import load_network, write_qonnx
from fat_fpga.network.layers import AffineScores, OrderedScores, Scores
from fat_fpga.network.lowering import ranks
from fat_fpga.network.lowering.walk import lower
from fat_fpga.network.network_file import read_network, write_network
from fat_fpga.network.operators.class_scores import order_of
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

CLASSES = 4
TAILS: dict[str, list[tuple[str, list[Any]]]] = {
    "bias": [("Add", [[0.3, -0.2, 0.0, 0.1]])],
    "scale": [("Mul", [[1.0, 0.7, 1.3, 0.9]])],
    "scale that turns round": [("Mul", [[1.0, -0.7, 1.3, -0.9]])],
    "batch norm": [("BatchNormalization", [[1, 0.5, 2, 1.5], [0.1, 0.2, 0, -0.5], [1, 2, 0, -3], [1, 1, 1, 1]])],
    "ties": [("Relu", [])],
    "bias and sigmoid": [("Add", [[0.3, -0.2, 0.0, 0.1]]), ("Sigmoid", [])],
    "steps": [("Mul", [0.125]), ("Round", []), ("Mul", [[1.0, 2.0, 1.0, 2.0]])],
}  # fmt: skip


def graph(tail: list[tuple[str, list[Any]]], product: str = "MatMul") -> GraphBuilder:
    rng = np.random.default_rng(5)
    builder = GraphBuilder([1, 1, 3, 3])
    builder.quant(2.0**-7, 8)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.5, 2, narrow=1, first=rng.normal(0, 0.6, (9, 6))))
    builder.node("Relu")
    builder.quant(0.25, 2, signed=0)
    weights = builder.quant(0.5, 3, first=rng.normal(0, 1, (6, CLASSES)))
    if product == "Gemm":
        builder.node("Gemm", weights, rng.normal(0, 0.3, CLASSES))
    else:
        builder.node("MatMul", weights)
    for operator, parameters in tail:
        options = {"epsilon": 1e-5} if operator == "BatchNormalization" else {}
        builder.node(operator, *parameters, **options)
    return builder


@pytest.mark.parametrize("case", [*TAILS, "Gemm with a bias"])
def test_every_engine_and_the_file_agree(case: str, tmp_path: Path) -> None:
    import onnx

    builder = graph([], "Gemm") if case not in TAILS else graph(TAILS[case])
    onnx.save(builder.model(), path := tmp_path / "scores.onnx")
    network = load_network(path)
    last = network.layers[-1]
    assert isinstance(last, Scores)
    assert (last.name, network.scores, network.classes) == ("fc1.scores", "fc1.scores", CLASSES)
    images = random_images(network, 2)
    faults = sample_faults(network, KINDS, 27, 2)
    engines = {"reference": get("reference"), "torch": get("torch"), "qonnx": get("qonnx")}
    if case in ("bias", "ties", "steps"):  # qonnx takes its time
        engines["file"] = FileEngine(path)
    check = crosscheck(network, images, faults, engines)
    assert check.equal, crosscheck_text(check)
    assert not check.refusals
    write_qonnx(network, tmp_path / "written.onnx")
    write_network(network, tmp_path / "written.npz")
    assert load_network(tmp_path / "written.onnx").fingerprint == network.fingerprint
    assert read_network(tmp_path / "written.npz").fingerprint == network.fingerprint


LARGE: dict[str, tuple[list[tuple[str, list[Any]]], type]] = {
    "on one grid": ([("Add", [[0.25, -0.5, 0.0, 0.125]])], AffineScores),
    "scales on one grid": ([("Mul", [[1.0, 0.5, 2.0, -1.0]]), ("Add", [[0.5, -0.5, 0.0, 1.5]])], AffineScores),
    "bias": (TAILS["bias"], OrderedScores),
    "scale": (TAILS["scale"], OrderedScores),
    "several steps": (
        [("Div", [3.0]), ("Sub", [[0.3, -0.2, 0.0, 0.1]]), ("Mul", [[1.0, -0.7, 1.3, 1.1]])],
        OrderedScores,
    ),
}


@pytest.mark.parametrize("case", LARGE)
def test_scores_without_a_table(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnx

    tail, kind = LARGE[case]
    onnx.save(graph(tail).model(), path := tmp_path / "scores.onnx")
    tabulated = load_network(path)
    monkeypatch.setattr(ranks, "MOST_RANKS", 100)
    network = load_network(path)
    assert isinstance(network.layers[-1], kind)
    images = random_images(network, 4)
    faults = sample_faults(network, KINDS, 40, 2)
    quick = {"reference": get("reference"), "torch": get("torch")}
    slow = {"reference": get("reference"), "qonnx": get("qonnx"), "file": FileEngine(path)}
    for engines, count in ((quick, 40), (slow, 4)):
        check = crosscheck(network, images[:count], faults[:count], engines)
        assert check.equal, crosscheck_text(check)
    both = [get("reference").open(each).run(images, np.zeros(4, np.int64), faults) for each in (network, tabulated)]
    assert np.array_equal(both[0].changed, both[1].changed)
    write_qonnx(network, tmp_path / "written.onnx")
    write_network(network, tmp_path / "written.npz")
    assert load_network(tmp_path / "written.onnx").fingerprint == network.fingerprint
    assert read_network(tmp_path / "written.npz").fingerprint == network.fingerprint


def test_the_order_of_floats() -> None:
    floats = np.array([-np.inf, -1e30, -1.5, -1e-40, -0.0, 0.0, 1e-40, 1.0, 2.0, np.inf], np.float32)
    order = order_of(floats)
    assert order[4] == order[5] == 0
    assert np.array_equal(np.sign(np.diff(order)), np.sign(np.diff(floats)))


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Hardmax"])
def test_a_softmax_leaves_the_class(operator: str) -> None:
    builder = graph([])
    plain = lower(builder.model(), "network")
    builder.node(operator, axis=1)
    builder.node("Identity")
    assert check_file(builder.model(), 8).fingerprint == plain.fingerprint
    builder.node("Mul", 2.0)
    with pytest.raises(ModelError, match="behind a softmax only the choice of the class is supported"):
        lower(builder.model(), "network")


def test_ranks_by_hand() -> None:
    scores = Scores("fc0.scores", np.array([[0, 1, 5], [2, 3, 4]], np.int32), -1)
    sums = np.array([[-1, -1], [0, 1], [7, -9]], np.int32)[:, :, None, None]
    assert scores.output(sums)[:, :, 0, 0].tolist() == [[0, 2], [1, 4], [5, 2]]


def test_a_table_that_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "MOST_RANKS", 100)
    with pytest.raises(
        ModelError, match=r"\(MatMul\): .* a table of them would have [\d,]+ entries, expected at most 100"
    ):
        lower(graph(TAILS["steps"]).model(), "network")


@pytest.mark.parametrize("values", [2, 7, 10**6])
def test_ranks_of_runs_are_ranks_of_single_scores(values: int) -> None:
    rng = np.random.default_rng(values)
    pool = np.concatenate([rng.normal(size=values), [0.0, -0.0, np.inf, -np.inf, np.nan]])
    for shape, rising in (((1, 1), False), ((1, 40), False), ((5, 300), True)):
        scores = np.sort(rng.choice(pool, shape), axis=1) if rising else rng.choice(pool, shape)
        expected = np.unique(scores, return_inverse=True)[1].reshape(shape)
        found = ranks.common_ranks(scores)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, expected)
