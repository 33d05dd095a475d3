"""Good files that several targets start from, and the commands that read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network, write_qonnx
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run_of
from tests.designs.float_graph import GraphBuilder, chooser, random_float_graph
from tests.fuzz.target import Rng

FLOAT_GRAPHS = 6


def prepare(good: Path) -> None:
    """``tiny`` as model, data and run; models of the shapes of CIFAR-10 and MNIST; ``float0.onnx`` and on."""
    if (good / "tiny.run").exists():
        return
    write_qonnx(tiny_network(), good / "tiny.onnx")
    for name, shape in (("colour", (3, 32, 32)), ("digits", (1, 28, 28))):
        write_qonnx(flat_network(name, shape), good / f"{name}.onnx")
    for number in range(FLOAT_GRAPHS):
        rng = np.random.default_rng(number)
        graph = random_float_graph(chooser(rng), rng)
        onnx.save(graph.model, good / f"float{number}.onnx")
    onnx.save(floats(), good / "floats.onnx")
    data = tiny_data()
    np.savez(good / "tiny.npz", images=data.images, labels=data.labels, classes=np.array(["a", "b", "c", "d"]))
    tiny_run_of(good / "tiny.run", "channel", "weight", sample=40)


def floats() -> onnx.ModelProto:
    """A network of floats for the images of ``tiny.npz``."""
    rng = np.random.default_rng(0)
    builder = GraphBuilder([1, 1, 8, 8])
    builder.node("Conv", rng.normal(0, 0.5, (3, 1, 3, 3)), rng.normal(0, 0.3, 3), name="conv1")
    builder.node("Relu", name="relu1")
    builder.node("Flatten", axis=1)
    builder.node("Gemm", rng.normal(0, 0.5, (108, 4)), rng.normal(0, 0.3, 4), name="fc2")
    return builder.model()


def flat_network(name: str, shape: tuple[int, int, int]) -> Network:
    """Two fully connected layers on images of ``shape``; 43 classes, as many as any data set that is read has."""
    rng = np.random.default_rng(0)
    table = np.broadcast_to(np.where(np.arange(256) < 128, -1, 1), (shape[0], 256)).astype(np.int32)
    first = rng.choice([-1, 1], (4, *shape)).astype(np.int32)
    last = rng.choice([-1, 1], (43, 4, 1, 1)).astype(np.int32)
    units = (
        MatrixVectorUnit("fc0", first, np.zeros((4, 1), np.int32), Levels(-1, 2, 2), weight_type="BIPOLAR"),
        MatrixVectorUnit("fc1", last, None, None, weight_type="BIPOLAR"),
    )
    return Network(name, InputQuantiser(shape, table.copy()), units)


def campaign(rng: Rng, model: Path | str, data: str, images: int | None = 2) -> list[str]:
    """A campaign of one fault: it reads the data, and is soon done."""
    limit = [] if images is None or rng.random() < 0.3 else ["--images", str(images)]
    sample = ["--sample", "1", "--layers", "fc0"] if "tiny" not in str(model) else ["--sample", "1"]
    return ["campaign", str(model), "--data", data, *limit, *sample, "--engine", "reference", "-o", "a.run", "-q"]
