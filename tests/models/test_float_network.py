"""Networks of floats: their sizes are those of Ares, and they become integer programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import settings
from torch import nn

from fat_fpga import models
from fat_fpga.datasets import Dataset
from fat_fpga.energy.accesses import accesses
from fat_fpga.engines import get
from fat_fpga.errors import ModelError
from fat_fpga.fixed_point import FloatModel, Formats, QFormat, quantise
from fat_fpga.fixed_point.float_model import read_float_model
from fat_fpga.fixed_point.sources import open_float_model
from fat_fpga.models.export import export_qonnx
from fat_fpga.models.float_blocks import Excitation, block_of
from fat_fpga.models.topology import BasicStage, InvertedStage, ResidualStage
from fat_fpga.modules import ModuleSubject
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


HACENE = {  # Table I of Boukli Hacene et al. (2019): millions of parameters and of activations
    "resnet18-64": ("11.2", "0.56"),
    "preactresnet18-64": ("11.2", "0.55"),
    "mobilenetv2-32": ("2.30", "1.53"),
}


@pytest.mark.parametrize("name", HACENE)
def test_sizes_are_those_of_hacene(name: str) -> None:
    found = accesses(ModuleSubject(models.build(name).eval(), (3, 32, 32)))
    parameters, activations = HACENE[name]
    assert f"{found.weights / 1e6:.{len(parameters.split('.')[1])}f}" == parameters
    assert f"{found.activations / 1e6:.2f}" == activations


def test_senet18_has_the_parameters_of_table_1() -> None:
    model = models.build("senet18-64").eval()
    assert f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.1f}" == "11.3"


@pytest.mark.parametrize("name", ["resnet18-4", "preactresnet18-4", "senet18-16", "mobilenetv2-8"])
def test_residual_networks_learn(name: str, tmp_path: Path) -> None:
    """Sixteen images by heart in a few steps, with erasures; every parameter takes part."""
    rng = np.random.default_rng(0)
    labels = np.arange(16) % 2
    images = (rng.integers(0, 128, (16, 3, 32, 32)) + 127 * labels[:, None, None, None]).astype(np.uint8)
    data = Dataset("two", images, labels, ("a", "b"))
    recipe = Recipe(
        epochs=8, batch_size=8, halvings=1, crop_padding=0, norm_images=16, learning_rate=3e-3, erase=0.01,
        loss="cross_entropy",
    )  # fmt: skip
    torch.manual_seed(0)
    fresh = models.build(name, 2)
    result = train(name, data, data, recipe, tmp_path, progress=False)
    assert result.history[-1]["test_accuracy"] >= 0.9
    assert len(list(result.model.parameters())) == len(list(fresh.parameters()))
    loss = result.model(torch.rand(4, 3, 32, 32)).square().sum()
    result.model.zero_grad()
    loss.backward()
    assert all(parameter.grad is not None for parameter in result.model.parameters())


def test_the_result_of_a_block_is_added_to_its_input() -> None:
    """With a last convolution of zeros a block is its shortcut."""
    torch.manual_seed(0)
    x = torch.rand(2, 6, 8, 8) - 0.3
    for stage, last, expected in (
        (BasicStage(6), "branch.conv1_norm", torch.relu),
        (BasicStage(6, first=True, squeeze=2), "branch.conv1", lambda x: x),
        (InvertedStage(6), "branch.conv2_norm", lambda x: x),
    ):
        block = block_of(6, stage).eval()
        nn.init.zeros_(block.get_parameter(f"{last}.weight"))
        assert torch.equal(block(x), expected(x))
    halved = block_of(6, InvertedStage(6, stride=2)).eval()
    assert halved(x).shape == (2, 6, 4, 4)
    with pytest.raises(ModelError, match="ResidualStage"):
        block_of(6, ResidualStage(6))


def test_excitation_multiplies_each_channel_by_what_the_means_say() -> None:
    torch.manual_seed(1)
    scale, x = Excitation(6, 2), torch.rand(2, 6, 5, 5)
    means = x.mean(dim=(2, 3))
    own = {name: value.detach().flatten(1) if value.ndim > 1 else value for name, value in scale.named_parameters()}
    hidden = torch.relu(means @ own["fc0.weight"].T + own["fc0.bias"])
    factors = torch.sigmoid(hidden @ own["fc1.weight"].T + own["fc1.bias"])
    torch.testing.assert_close(scale(x), x * factors[:, :, None, None])
