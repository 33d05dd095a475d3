"""Class scores that are a stream with levels: behind an average, a sum of streams, or a quantiser of wide sums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.faults import parse_fault
from fat_fpga.network import load_network, write_qonnx
from fat_fpga.network.layers import AffineScores
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder
from tests.designs.random_network import random_images

RNG = np.random.default_rng(0)


def average() -> onnx.ModelProto:
    """A convolution to one channel for each class, and the average of each."""
    builder = GraphBuilder([1, 2, 6, 6])
    builder.quant(2.0**-6, 6)
    builder.node("Conv", builder.quant(0.5, 3, first=RNG.normal(0, 1, (4, 2, 3, 3))), kernel_shape=[3, 3])
    builder.node("Relu")
    builder.quant(0.5, 4, signed=0)
    builder.node("GlobalAveragePool")
    builder.node("Flatten", axis=1)
    builder.node("Softmax", axis=1)
    return builder.model()


def added() -> onnx.ModelProto:
    builder = GraphBuilder([1, 12])
    builder.quant(2.0**-6, 6)
    start, ends = builder.tensor, []
    for _ in range(2):
        builder.tensor = start
        builder.node("MatMul", builder.quant(0.5, 3, first=RNG.normal(0, 1, (12, 4))))
        ends.append(builder.quant(0.5, 4))
    builder.node("Add", ends[0])
    return builder.model()


def wide(classes: int = 4) -> onnx.ModelProto:
    """A quantiser behind sums of which a table would be too large."""
    builder = GraphBuilder([1, 2048])
    builder.quant(2.0**-7, 8)
    builder.node("MatMul", builder.quant(2.0**-7, 8, first=RNG.normal(0, 0.3, (2048, classes))))
    builder.node("Add", RNG.normal(0, 0.3, classes))
    builder.quant(0.25, 8)
    return builder.model()


MODELS = {"average": average, "added": added, "wide": wide}


@pytest.mark.parametrize("name", MODELS)
def test_they_are_the_files(name: str, tmp_path: Path) -> None:
    network = check_file(MODELS[name](), images=8)
    assert isinstance(network.layers[-1], AffineScores)
    assert network.layers[-2].name in network.levels_of
    path = tmp_path / "own.onnx"
    write_qonnx(network, path)
    assert load_network(path, pixels="auto").fingerprint == network.fingerprint


@pytest.mark.parametrize("name", MODELS)
def test_all_engines_agree_with_and_without_a_fault(name: str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(MODELS[name](), path)
    network = load_network(path)
    rows, labels = random_images(network, 20), np.zeros(20, np.int64)
    unit = network.units[0].name
    faults = [parse_fault(f"{unit}/weight[1,0,0,0].bit[1] ^ 1"), parse_fault(f"{unit}/channel[2] = 3")]
    expected = None
    for engine in ("reference", "torch", "qonnx", "native", "file"):
        opened = (FileEngine(path) if engine == "file" else get(engine)).open(network)
        run = opened.run(rows, labels, faults)
        found = run.golden.tolist(), run.changed.tolist()
        expected = expected or found
        assert found == expected, engine


@pytest.mark.parametrize(("bits", "scale", "middle"), [(8, 0.25, 0.0), (1, 1.0, 0.5), (2, 0.25, 0.5)])
def test_a_single_score_decides_between_two_classes(bits: int, scale: float, middle: float, tmp_path: Path) -> None:
    builder = GraphBuilder([1, 512])
    builder.quant(2.0**-7, 8)
    start, ends = builder.tensor, []
    for _ in range(2):
        builder.tensor = start
        builder.node("MatMul", builder.quant(2.0**-5, 8, first=RNG.permutation(np.tile([-0.3, 0.3], 256))[:, None]))
        ends.append(builder.quant(scale, bits, signed=int(middle == 0)))
    builder.node("Add", ends[0])
    builder.node("Mul", 0.5)
    path = tmp_path / "net.onnx"
    onnx.save(builder.model(), path)
    network = load_network(path)
    rows, labels = random_images(network, 60), np.zeros(60, np.int64)
    golden = get("reference").open(network).run(rows, labels, []).golden
    own = ModelWrapper(str(path)).transform(InferShapes())
    outputs = [execute_onnx(own, {"image": (row[None] / np.float32(255)).reshape(1, 512)}) for row in rows]
    expected = [int(next(iter(found.values())).item() > middle) for found in outputs]
    assert golden.tolist() == expected
    assert len(set(expected)) == 2
