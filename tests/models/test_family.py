"""The table of networks."""

from __future__ import annotations

import pytest
import torch

from fat_fpga import models
from fat_fpga.errors import ModelError
from fat_fpga.foreign_module import load_module
from fat_fpga.models.topology import Convolution


def test_names() -> None:
    expected = {f"cnv-{p}" for p in ("w1a1", "w1a2", "w1a3", "w1a4", "w2a2")}
    expected |= {f"{t}-{p}" for t in ("tfc", "sfc", "lfc") for p in ("w1a1", "w1a2", "w2a2")}
    expected |= {"lenet-fc", "lenet-cnn", "cf-vgg", "cf-vgg-quarter", "vgg16", "resnet50"}
    expected |= {f"lenet-fc-{width}" for width in ("w212", "w150", "w75")}
    expected |= {f"{t}-cifar{w}" for t in ("alexnet", "vgg16") for w in ("", "-half", "-quarter", "-eighth")}
    assert set(models.names()) == expected | {"dorefa-w1a2", "resnet8-w2a2", "resnet8-w4a4", "mobilenet-w4a4"}


def test_spec() -> None:
    spec = models.spec("cnv-w1a2", classes=43)
    assert (spec.weight_bits, spec.activation_bits, spec.input_bits, spec.classes) == (1, 2, 8, 43)
    assert models.spec("lfc-w2a2").input_bits == 2


def test_bits_of_weights() -> None:
    assert [models.spec("cnv-w2a2").bits_of_weights(layer) for layer in range(9)] == [2] * 9
    assert [models.spec("resnet8-w2a2").bits_of_weights(layer) for layer in range(10)] == [8, *[2] * 8, 8]
    assert models.spec("resnet8-w2a2").layers == 10
    assert models.spec("mobilenet-w4a4").layers == 16
    dorefa = models.spec("dorefa-w1a2", classes=1000)
    assert [dorefa.bits_of_weights(layer) for layer in range(dorefa.layers)] == [8, 1, 1, 1, 1, 1, 1, 8]


@pytest.mark.parametrize(
    ("convolution", "side"),
    [
        (Convolution(1), 54),
        (Convolution(1, pool=(2, 2)), 27),
        (Convolution(1, kernel=11, stride=4, padding=2), 13),
        (Convolution(1, kernel=11, stride=4, padding=2, pool=(3, 2)), 6),
    ],
)
def test_sides(convolution: Convolution, side: int) -> None:
    assert convolution.side(56) == side


def test_errors() -> None:
    with pytest.raises(ModelError, match="unknown model 'cnv-w9a9'; known models: cnv-w1a1, "):
        models.build("cnv-w9a9")
    with pytest.raises(ModelError, match="at least 2 classes, got 1"):
        models.build("cnv-w1a1", classes=1)


def test_the_networks_of_ft_clipact() -> None:
    """AlexNet has 5 convolutions and 3 fully connected layers, VGG-16 has 13 and 1 (section V-A)."""
    for name, convolutions, layers in (("alexnet-cifar", 5, 8), ("vgg16-cifar", 13, 14)):
        for width, share in (("", 1), ("-half", 2), ("-quarter", 4), ("-eighth", 8)):
            spec = models.spec(name + width)
            assert (len(spec.topology.convolutions), spec.layers) == (convolutions, layers)
            assert spec.topology.convolutions[0].channels == 64 // share
            model = models.build(name + width).eval()
            assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


def test_networks_of_floats_are_factories() -> None:
    model = load_module("module:fat_fpga.models.floats:alexnet_cifar_eighth")
    assert sum(parameter.numel() for parameter in model.parameters()) == 369_330
    with pytest.raises(ModelError, match="has no alexnet"):
        load_module("module:fat_fpga.models.floats:alexnet")
