"""The networks that come with the package, against the reference engine and their cards."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fat_fpga.datasets import Dataset, load
from fat_fpga.engines import get
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import fault_space
from fat_fpga.models import zoo
from fat_fpga.network import Network, load_network

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
MANY_SUMS = "lenet_cnn"
DIGITS = [name for name in zoo.bundled() if zoo.card(name)["data"] == "mnist" and name != MANY_SUMS]


PICTURES = [name for name in zoo.bundled() if name.startswith(("cnv", "resnet8", "mobilenet"))]


@pytest.fixture(scope="module", params=PICTURES)
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp("shipped") / f"{request.param}.onnx"
    zoo.write_onnx(request.param, path)
    return request.param, path


@pytest.fixture
def network(shipped: tuple[str, Path]) -> Network:
    return load_network(shipped[1])


def test_sampled_faults_equal_the_reference(network: Network) -> None:
    data = load("demo:cifar10", limit=5)
    space = fault_space(network)
    by_layer = {unit.name: [f for f in space if f.layer == unit.name] for unit in network.units[:-1]}
    rng = np.random.default_rng(0)
    faults = [faults[i] for faults in by_layer.values() for i in rng.permutation(len(faults))[:4]]
    expected = ReferenceEngine().open(network).run(data.images, data.labels, faults, predictions=True)
    got = NativeEngine().open(network).run(data.images, data.labels, faults, predictions=True)
    np.testing.assert_array_equal(got.predictions, expected.predictions)
    np.testing.assert_array_equal(got.correct, expected.correct)
    np.testing.assert_array_equal(got.changed, expected.changed)


@pytest.fixture(scope="module")
def test_set() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The 10,000 test images of CIFAR-10 and their labels."""
    if not SHARED.is_dir():
        pytest.skip("the whole CIFAR-10 test set is not at hand")
    sys.path.insert(0, str(SHARED))
    try:
        from imgpack import unpack  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(SHARED))
    folder = SHARED / "cifar10"
    images = unpack((folder / "test_10000x3x32x32.rctmed.xz").read_bytes(), 10_000)
    return images, np.load(folder / "labels.npz")["test_y"].astype(np.int64)


def test_accuracy_is_the_one_on_the_card(
    shipped: tuple[str, Path], network: Network, test_set: tuple[NDArray[np.uint8], NDArray[np.int64]]
) -> None:
    images, labels = test_set
    golden = NativeEngine().open(network).run(images, labels, []).golden
    card = zoo.card(shipped[0])
    assert (int((golden == labels).sum()), len(images)) == (card["test_correct"], card["test_images"])


def digits() -> Dataset:
    if not SHARED.is_dir():
        pytest.skip("the whole MNIST test set is not at hand")
    return load(f"mnist:{SHARED / 'mnist'}")


def test_a_network_of_many_sums_on_some_digits(tmp_path: Path) -> None:
    """10,000 digits take it 12 s of processor time; its card says 9,881."""
    zoo.write_onnx(MANY_SUMS, tmp_path / "network.onnx")
    data = digits().first(500)
    golden = NativeEngine().open(load_network(tmp_path / "network.onnx")).run(data.images, data.labels, []).golden
    assert int((golden == data.labels).sum()) == 494


def test_a_network_for_torch_on_some_images(
    tmp_path: Path, test_set: tuple[NDArray[np.uint8], NDArray[np.int64]]
) -> None:
    """10,000 images take CF-VGG 30 s of processor time; its card says 8,015. Its activations of 10 bits are sums with a
    scale, which the native engine does not have."""
    zoo.write_onnx("cf_vgg_quarter", tmp_path / "network.onnx")
    network, (images, labels) = load_network(tmp_path / "network.onnx"), test_set
    golden = get("torch").open(network).run(images[:500], labels[:500], []).golden
    assert int((golden == labels[:500]).sum()) == 406
    np.testing.assert_array_equal(golden[:2], ReferenceEngine().open(network).run(images[:2], labels[:2], []).golden)


@pytest.mark.parametrize("name", DIGITS)
def test_accuracy_on_digits_is_the_one_on_the_card(name: str, tmp_path: Path) -> None:
    data, card = digits(), zoo.card(name)
    zoo.write_onnx(name, tmp_path / "network.onnx")
    golden = NativeEngine().open(load_network(tmp_path / "network.onnx")).run(data.images, data.labels, []).golden
    assert (int((golden == data.labels).sum()), len(data)) == (card["test_correct"], card["test_images"])
    assert data.fingerprint == card["test_data_sha256"]
