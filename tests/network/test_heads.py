"""Ends of networks: one score that decides between two classes, and outputs that are no classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.crosscheck import crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.sample import KINDS
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.engines.file_session import FileSession
from fat_fpga.errors import ModelError
from fat_fpga.network import load_network, write_qonnx
from fat_fpga.network.layers import Data
from fat_fpga.network.network_file import read_network, write_network
from tests.designs.float_graph import Choose, GraphBuilder, chooser

HEADS = ("logit", "bias", "negative", "sigmoid", "bipolar", "binary", "norm")
ENGINES = ("reference", "torch", "qonnx", "native")


def body(choose: Choose, rng: np.random.Generator, outputs: int) -> GraphBuilder:
    """Five real features, one hidden layer, and a product with so many outputs."""
    builder = GraphBuilder([1, 5])
    builder.quant(0.25, 3)
    builder.node("MatMul", builder.node("BipolarQuant", 1.0, first=rng.normal(0, 1, (5, 7))))
    builder.node("BipolarQuant", 1.0)
    builder.node("MatMul", builder.quant(choose([1.0, 0.5]), 3, first=rng.normal(0, 1.5, (7, outputs))))
    return builder


def head(builder: GraphBuilder, kind: str, rng: np.random.Generator) -> None:
    """What comes after the single score."""
    if kind in ("bias", "sigmoid", "bipolar", "binary"):
        builder.node("Add", float(rng.normal(0, 2)))
    if kind == "negative":
        builder.node("Mul", -0.5)
    elif kind == "sigmoid":
        builder.node("Sigmoid")
    elif kind == "bipolar":
        builder.node("BipolarQuant", 1.0)
    elif kind == "binary":
        builder.quant(1.0, 1, signed=0)
    elif kind == "norm":
        builder.node("BatchNormalization", [-0.7], [0.3], [0.2], [2.0], epsilon=1e-4)


def executed(model: onnx.ModelProto, rows: Data) -> Data:
    """What qonnx makes of each row."""
    wrapped = ModelWrapper(model, make_deepcopy=True).transform(InferShapes())
    name, output = model.graph.input[0].name, model.graph.output[0].name
    return np.concatenate([execute_onnx(wrapped, {name: row[None].astype(np.float32)})[output] for row in rows])


@pytest.mark.parametrize("kind", HEADS)
def test_one_score_decides_between_two_classes(kind: str, tmp_path: Path) -> None:
    """Class 1 is an output above 0, or above 0.5 where all outputs lie between 0 and 1."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        builder = body(chooser(rng), rng, 1)
        head(builder, kind, rng)
        onnx.save(model := builder.model(), path := tmp_path / "one.onnx")
        network = load_network(path, pixels="none")
        assert network.classes == 2
        rows = network.input.random(rng, 40)
        expected = executed(model, rows[:, :, 0, 0])[:, 0] > (0.5 if kind in ("sigmoid", "binary") else 0)
        faults = sample_faults(network, KINDS, 15, 5, seed)
        judges = {name: get(name) for name in ENGINES} | {"file": FileEngine(path, "none")}
        for judge in judges.values():
            golden = judge.open(network).run(rows, np.zeros(40, np.int64), []).golden
            assert np.array_equal(golden, expected)
        assert crosscheck(network, rows[:5], faults, judges).equal
        write_qonnx(network, tmp_path / "written.onnx")
        write_network(network, tmp_path / "written.npz")
        assert load_network(tmp_path / "written.onnx").fingerprint == network.fingerprint
        assert read_network(tmp_path / "written.npz").fingerprint == network.fingerprint


def valued(choose: Choose, rng: np.random.Generator, kind: str) -> GraphBuilder:
    """A file whose outputs are values."""
    if kind in ("line", "lines", "quantised"):
        builder = body(choose, rng, 4)
        if kind == "line":
            builder.node("Add", 0.3)
        elif kind == "lines":
            builder.node("Mul", rng.uniform(0.5, 2, (1, 4)) * [[1, -1, 1, 1]])
            builder.node("Add", rng.normal(0, 1, (1, 4)))
        else:
            builder.quant(0.5, 4)
        return builder
    builder = GraphBuilder([1, 2, 4, 3])
    builder.quant(0.25, 3)
    weights = builder.node("BipolarQuant", 1.0, first=rng.normal(0, 1, (3, 2, 2, 2)))
    builder.node("Conv", weights, pads=[1, 1, 0, 0], kernel_shape=[2, 2])
    builder.quant(1.0, 3)
    weights = builder.node("BipolarQuant", 1.0, first=rng.normal(0, 1, (2, 3, 1, 1)))
    builder.node("Conv", weights, kernel_shape=[1, 1])
    if kind == "image":
        builder.node("Relu")
        builder.quant(0.5, 4, signed=0)
    return builder


@pytest.mark.parametrize("kind", ["line", "lines", "quantised", "image", "raw image"])
def test_outputs_that_are_no_classes(kind: str, tmp_path: Path) -> None:
    """Deviations are those of qonnx's own execution of the file with the fault in it, and equal in every engine."""
    for seed in range(1):
        rng = np.random.default_rng(seed)
        onnx.save(valued(chooser(rng), rng, kind).model(), path := tmp_path / "values.onnx")
        network = load_network(path, pixels="none", outputs="values")
        assert network.outputs is not None
        rows = random_images(network, 6, seed)
        faults = sample_faults(network, KINDS, 12, 6, seed)
        judge = FileEngine(path, "none", outputs="values")
        judges = {name: get(name) for name in ENGINES} | {"file": judge}
        labels = np.zeros(6, np.int64)
        found = {name: engine.open(network).run(rows, labels, faults) for name, engine in judges.items()}
        first = found["file"].deviation
        assert first is not None
        for outcome in found.values():
            assert outcome.deviation is not None
            assert np.array_equal(outcome.deviation.total, first.total)
            assert np.array_equal(outcome.deviation.largest, first.largest)
            assert np.array_equal(outcome.correct, 6 - outcome.changed)
            assert np.array_equal(outcome.changed, found["file"].changed)
            assert not outcome.golden.any()
        assert first.total.any()
        session = judge.open(network)
        assert isinstance(session, FileSession)
        golden = session.execute(rows[:1], (), 0).tensors[session._sites.scores]
        for row, fault in enumerate(faults[:6]):
            changes = session.prepare([fault])[0]
            tensors = [session.execute(rows[n : n + 1], changes, n).tensors[session._sites.scores] for n in range(6)]
            plain = [session.execute(rows[n : n + 1], (), n).tensors[session._sites.scores] for n in range(6)]
            away = np.abs(np.concatenate(tensors).astype(float) - np.concatenate(plain))
            unit, scale = network.outputs.unit, max(network.outputs.scales)
            assert first.largest[row] * unit == pytest.approx(away.max(), rel=1e-3, abs=1e-4 * scale)
            assert first.total[row] * unit == pytest.approx(away.sum(), rel=1e-3, abs=1e-4 * scale * golden.size)
        assert crosscheck(network, rows, faults, judges).equal
        write_qonnx(network, tmp_path / "written.onnx")
        write_network(network, tmp_path / "written.npz")
        assert load_network(tmp_path / "written.onnx").fingerprint == network.fingerprint
        assert read_network(tmp_path / "written.npz").fingerprint == network.fingerprint


def test_outputs_with_height_or_width_are_values(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    onnx.save(valued(chooser(rng), rng, "image").model(), path := tmp_path / "image.onnx")
    network = load_network(path, pixels="none")
    assert repr(network) == "<Network image: 2x4x3 values, 2 layers, 24 output values>"
    with pytest.raises(ModelError, match="expected one score per class"):
        load_network(path, pixels="none", outputs="classes")


def test_values_behind_a_curve_are_refused() -> None:
    rng = np.random.default_rng(0)
    builder = body(chooser(rng), rng, 4)
    builder.node("Sigmoid", name="squash")
    with pytest.raises(ModelError, match=r"'squash' \(Sigmoid\): the outputs are values, and only scales and biases"):
        load_network(builder.model(), pixels="none", outputs="values")
