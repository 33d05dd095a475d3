"""The networks that come with the package: against qonnx, against the reference engine, against their cards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup

from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.engines.reference import ReferenceEngine, execute
from fat_fpga.faults import fault_space
from fat_fpga.models import zoo
from fat_fpga.network import Network, load_network
from tests.network.test_lowering import qonnx_tensors

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
IMAGES = 100  # compared with qonnx


@pytest.fixture(scope="module", params=[name for name in zoo.bundled() if name.startswith("cnv")])
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp("shipped") / f"{request.param}.onnx"
    zoo.write_onnx(request.param, path)
    return request.param, path


@pytest.fixture
def network(shipped: tuple[str, Path]) -> Network:
    return load_network(shipped[1])


def test_class_scores_equal_qonnx_on_real_images(shipped: tuple[str, Path], network: Network, tmp_path: Path) -> None:
    cleanup(str(shipped[1]), out_file=str(tmp_path / "clean.onnx"))
    model = ModelWrapper(str(tmp_path / "clean.onnx"))
    last = [node for node in model.graph.node if node.op_type in ("Conv", "MatMul", "Gemm")][-1].output[0]
    images = load("demo:cifar10", limit=IMAGES).images
    scores = execute(network, images)[-1].reshape(IMAGES, -1)
    for image, expected in zip(images, scores, strict=True):
        tensors = qonnx_tensors(model, image)
        np.testing.assert_array_equal(tensors[last].ravel(), expected)
        assert tensors[model.graph.output[0].name].argmax() == expected.argmax()


def test_sampled_faults_equal_the_reference(network: Network) -> None:
    data = load("demo:cifar10", limit=5)
    space = fault_space(network)
    by_layer = {unit.name: [f for f in space if f.layer == unit.name] for unit in network.units[:-1]}
    rng = np.random.default_rng(0)
    faults = [faults[i] for faults in by_layer.values() for i in rng.permutation(len(faults))[:4]]
    expected = ReferenceEngine().run(network, data.images, data.labels, faults, predictions=True)
    got = NativeEngine().run(network, data.images, data.labels, faults, predictions=True)
    np.testing.assert_array_equal(got.predictions, expected.predictions)
    np.testing.assert_array_equal(got.correct, expected.correct)
    np.testing.assert_array_equal(got.changed, expected.changed)


@pytest.fixture
def packed_images() -> Iterator[Path]:
    if not SHARED.is_dir():
        pytest.skip("the whole CIFAR-10 test set is not at hand")
    sys.path.insert(0, str(SHARED))
    yield SHARED / "cifar10"
    sys.path.remove(str(SHARED))


def test_accuracy_is_the_one_on_the_card(shipped: tuple[str, Path], network: Network, packed_images: Path) -> None:
    from imgpack import unpack  # type: ignore[import-not-found]

    images = unpack((packed_images / "test_10000x3x32x32.rctmed.xz").read_bytes(), 10_000)
    labels = np.load(packed_images / "labels.npz")["test_y"].astype(np.int64)
    golden = NativeEngine().run(network, images, labels, []).golden
    card = zoo.card(shipped[0])
    assert (int((golden == labels).sum()), len(images)) == (card["test_correct"], card["test_images"])
