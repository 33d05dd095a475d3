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
from fat_fpga.network.layers import Scores
from fat_fpga.network.lowering import ranks
from fat_fpga.network.lowering.walk import lower
from fat_fpga.network.network_file import read_network, write_network
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


def test_ranks_by_hand() -> None:
    scores = Scores("fc0.scores", np.array([[0, 1, 5], [2, 3, 4]], np.int32), -1)
    sums = np.array([[-1, -1], [0, 1], [7, -9]], np.int32)[:, :, None, None]
    assert scores.output(sums)[:, :, 0, 0].tolist() == [[0, 2], [1, 4], [5, 2]]


def test_a_table_that_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "MOST_RANKS", 100)
    with pytest.raises(
        ModelError, match=r"\(MatMul\): .* a table of them would have [\d,]+ entries, expected at most 100"
    ):
        lower(graph(TAILS["bias"]).model(), "network")
