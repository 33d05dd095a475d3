"""Networks of floats: their sizes are those of Ares, and they become integer programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import settings

from fat_fpga import models
from fat_fpga.datasets import Dataset
from fat_fpga.engines import get
from fat_fpga.fixed_point import FloatModel, Formats, QFormat, quantise
from fat_fpga.fixed_point.float_model import read_float_model
from fat_fpga.fixed_point.sources import open_float_model
from fat_fpga.models.export import export_qonnx
from fat_fpga.network import load_network
from fat_fpga.training import Recipe, train

ARES = {  # layers, weights in convolutions, weights in fully connected layers: Table 1, rounded as there
    "lenet-fc": (3, 0, 266_200),
    "lenet-cnn": (4, 9_504, 591_104),
    "cf-vgg": (12, 7_632_576, 267_264),
    "vgg16": (16, 14_710_464, 123_633_664),
    "resnet50": (54, 23_454_912, 2_048_000),
}


def classes_of(name: str) -> int:
    return 1000 if name in ("vgg16", "resnet50") else 10


@pytest.mark.parametrize("name", ARES)
def test_sizes_are_those_of_ares(name: str) -> None:
    with torch.device("meta"):
        model = models.build(name, classes_of(name))
    shapes = [parameter.shape for parameter in model.parameters()]
    convolutions, dense = (sum(shape.numel() for shape in shapes if len(shape) == axes) for axes in (4, 2))
    assert (model.spec.layers, convolutions, dense) == ARES[name]


def check_lowered(name: str, tmp_path: Path) -> None:
    """Random weights, lowered; one image is executed."""
    torch.manual_seed(0)
    model = models.build(name, classes_of(name)).eval()
    shape = model.spec.topology.input_shape
    export_qonnx(model, path := tmp_path / "net.onnx", (1, *shape))
    check_runs(read_float_model(onnx.load(path), name), name)


def check_runs(floats: FloatModel, name: str) -> None:
    """It becomes an integer program, which executes an image."""
    spec = models.spec(name)
    shape = spec.topology.input_shape
    formats = Formats(QFormat(2, 6), QFormat(4, 4))
    network = load_network(quantise(floats, formats).model, name, pixels="unit")
    assert len(network.units) == spec.layers
    assert network.input.shape == shape
    image = np.random.default_rng(0).integers(0, 256, (1, *shape)).astype(np.uint8)
    outcome = get("torch").open(network).run(image, np.zeros(1, np.int64), [], predictions=True)
    assert outcome.golden.shape == (1,)


@pytest.mark.parametrize("name", ["lenet-fc", "lenet-cnn", "cf-vgg-quarter"])
def test_they_become_integer_programs(name: str, tmp_path: Path) -> None:
    check_lowered(name, tmp_path)


def check_trained(name: str, tmp_path: Path) -> None:
    """One step on two images of two classes, from which it is lowered and executed."""
    shape = models.spec(name).topology.input_shape
    images = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    data = Dataset("two", images, np.arange(2), ("a", "b"))
    recipe = Recipe(epochs=1, batch_size=2, halvings=1, crop_padding=0, flip=False, norm_images=0, learning_rate=1e-4)
    train(name, data, data.first(1), recipe, tmp_path / "run", progress=False)
    check_runs(open_float_model(str(tmp_path / "run" / "last.pt")), name)


@pytest.mark.hypothesis  # of `make test-deep` alone, as they take minutes and gigabytes
@pytest.mark.skipif(settings.default is None or settings.default.max_examples < 1000, reason="make test-deep")
@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_those_of_imagenet_learn_a_step_and_become_integer_programs(name: str, tmp_path: Path) -> None:
    check_trained(name, tmp_path)
