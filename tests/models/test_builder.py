"""What the built networks look like and compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from fat_fpga import models
from fat_fpga.models.activation import QuantisedActivation
from fat_fpga.models.builder import latent_weights

SYMMETRIC = [name for name in models.names() if not (models.spec(name).is_float or models.spec(name).topology.unsigned)]


def levels(bits: int) -> list[float]:
    if bits == 1:
        return [-1.0, 1.0]
    steps = 2 ** (bits - 1) - 1
    return [step / steps for step in range(-steps, steps + 1)]


@pytest.mark.parametrize("name", SYMMETRIC)
def test_values_have_the_levels_of_their_precision(name: str) -> None:
    torch.manual_seed(0)
    model = models.build(name, classes=7)
    spec = model.spec
    seen: dict[str, torch.Tensor] = {}
    module: Any
    for child, module in model.named_children():
        module.register_forward_hook(lambda _m, _i, out, child=child: seen.update({child: out}))
    images = torch.rand(8, *spec.topology.input_shape)
    assert model.train()(images).shape == (8, 7)
    for child, module in model.named_children():
        if isinstance(module, QuantisedActivation) and child != "input":
            found = torch.unique(seen[child]).tolist()
            assert module.levels == tuple(levels(spec.activation_bits))
            assert found == pytest.approx(levels(spec.activation_bits), abs=1e-7), child
        if hasattr(module, "quant_weight"):
            assert torch.unique(module.quant_weight().value).tolist() == levels(spec.weight_bits), child
    if spec.input_bits == 8:
        steps = seen["input"] * 128
        assert torch.equal(steps, steps.round())
        assert steps.min() >= -128
        assert steps.max() <= 127
    else:
        assert torch.unique(seen["input"]).tolist() == levels(spec.input_bits)


def test_pixels_map_to_int8() -> None:
    model = models.build("cnv-w1a1")
    pixels = torch.arange(256) / 255
    steps = model.get_submodule("input")(model.get_submodule("centre")(pixels)) * 128
    expected = torch.clamp(torch.round((2 * pixels - 1) * 128), -128, 127)
    assert torch.equal(steps, expected)


def test_cnv_is_the_network_of_the_paper() -> None:
    model = models.build("cnv-w1a1")
    shapes = [tuple(weight.shape) for weight in latent_weights(model)]
    convolutions = [(64, 3), (64, 64), (128, 64), (128, 128), (256, 128), (256, 256)]
    assert shapes == [(*c, 3, 3) for c in convolutions] + [(512, 256), (512, 512), (10, 512)]
    names = [name for name, _ in model.named_children()]
    assert names.index("conv1_pool") == names.index("conv1_act") + 1 == names.index("conv1_norm") + 2
    assert [name for name in names if name.endswith("_pool")] == ["conv1_pool", "conv3_pool"]
    assert [name for name in names if name.startswith("fc") and "_" not in name] == ["fc6", "fc7", "fc8"]
    norms = [module for module in model.children() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))]
    assert len(norms) == 8
    assert all(norm.eps == 1e-4 for norm in norms)
    assert sum(p.numel() for p in model.get_submodule("fc8_norm").parameters()) == 2


def test_fully_connected_networks_drop_in_training_only() -> None:
    model = models.build("tfc-w1a1")
    assert [tuple(weight.shape) for weight in latent_weights(model)] == [(64, 784), (64, 64), (64, 64), (10, 64)]
    drops = [module for module in model.children() if isinstance(module, nn.Dropout)]
    assert [drop.p for drop in drops] == [0.2] * 4
    images = torch.rand(4, 1, 28, 28)
    assert torch.equal(model.eval()(images), model(images))
    assert not torch.equal(model.train()(images), model(images))
